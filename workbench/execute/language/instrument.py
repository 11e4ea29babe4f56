"""Writes the program that the sandbox runs, in which every statement, test and call reports itself.

    x = f(y)                 x = f(y); __line__(3, __f__, x, y)
    if t: A                  if __branch__(4, __f__, t): A
    for v in xs: A           for v in xs: __line__(5, __f__, v); A
    def g(a): A              def g(a): __f__ = __enter__(6, a); A; return __leave__(7, __f__, None)
    except E as e: A         except E as e: __caught__(8, __f__, e); A

The first argument is a site number.  It stands for line, kind and variable names, which the host
keeps in `Instrumented.sites`, so that an event that leaves the sandbox is a number, a frame and the
values.  Only variables that are certainly bound are reported: parameters, targets, and names that
a test must have bound.  The text is written line by line, so that each of its lines
knows the line of the source that it stands for.

In a program with a `try` that is not enough to tell where an error arose: Monty's traceback names
another line once the error has passed one.  Such a program keeps the line of the statement that
runs in `__S__[8]`, and `__note__` keeps it with the error before a `finally` or a handler runs.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from workbench.execute.language.desugar import LazyLoop
from workbench.execute.language.prelude import own_name
from workbench.records import EventKind

ROW = 50
"""Number of `elif` parts that are written one below the other."""


@dataclass(frozen=True, slots=True)
class EventSite:
    """What an event from one place of the program means."""

    kind: EventKind
    line: int
    names: tuple[str, ...] = ()
    """Variables whose values the event carries."""
    function: str = ""
    form: str = ""
    """The word of a compound statement.

    Of a `branch`: `if`, `elif` or `while`.  Of a `line`: `for`, where it reports the binding of a
    loop's target.
    """
    following: int = 0
    """Line of the statement that comes next in the source, or next when a test holds; 0: none."""
    otherwise: int = 0
    """Line of the statement that comes next when a test does not hold; 0: none."""


@dataclass(slots=True)
class Instrumented:
    """What the sandbox runs, and how to read what it reports."""

    code: str
    sites: list[Any]
    """By site number: an `EventSite`, or a `CallSite` for tool calls and prints."""
    lines: list[int]
    """Line of the source for each line of `code`; index 0 is line 1."""
    tracked: bool = False
    """True if the program keeps the line of the statement that runs, for the line of an error."""
    needs: int = 0
    """How many parts of the prelude the program needs beside the first."""
    arguments: Sequence[str] = ("__picture__",)
    """What `execute_command` is called with."""
    patterns: Mapping[Any, Any] = field(default_factory=dict)
    """What the program would ask of its regular expressions, with the answers; see `regular`."""


@dataclass(slots=True)
class _Scope:
    """The function whose body is being written."""

    function: str
    bound: set[str] = field(default_factory=set)
    """Variables of the frame that are certainly bound at this point."""
    frame: str = "__f__"
    """Variable that holds the frame's number; "0" for the module, whose statements stay silent."""
    loop: int = 0
    """Line of the loop around this point, to which `continue` goes back."""


def instrument(
    tree: ast.Module, sites: list[Any], traced: bool = True, has_try: bool = True
) -> Instrumented:
    """Write a desugared module as text that reports what it does.

    Args:
        tree: The module, as `Desugarer.run` gives it.
        sites: The call sites of the desugaring; the sites of events are appended to it.
        traced: False reports only tool calls and print-outs and counts no steps, which shows what
            tracing costs.
        has_try: Whether the program has a `try`, and so has to follow its lines.
    """
    tracked = traced and has_try
    if tracked:
        tree = _Lambdas().visit(tree)
    writer = _Writer(sites, traced, tracked)
    writer._block(tree.body, _Scope("<module>", frame="0"), 0)
    return Instrumented("\n".join(writer.text), sites, writer.lines, tracked)


class _Lambdas(ast.NodeTransformer):
    """Lets the program's own lambdas keep their line while they run."""

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self.generic_visit(node)
        line = getattr(node.body, "lineno", 0) or getattr(node, "lineno", 0)
        if hasattr(node, "lineno"):  # those that the rewriting put in have none
            before = _call("__into__", ast.Constant(line))
            node.body = _call("__back__", before, node.body)
        return node


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


class _Writer:
    """Writes the text.  `indent` is the depth of a block, in spaces; `line` is the source's."""

    def __init__(self, sites: list[Any], traced: bool, tracked: bool) -> None:
        self.sites = sites
        self.traced = traced
        self.tracked = tracked
        self.text: list[str] = []
        self.lines: list[int] = []
        self.after = 0
        """Line of the statement after the one being written, in its block."""

    def _put(self, indent: int, text: str, line: int) -> None:
        self.text.append(" " * indent + text)
        self.lines.extend([line] * (text.count("\n") + 1))

    def _site(
        self,
        kind: EventKind,
        line: int,
        names: Sequence[str] = (),
        function: str = "",
        form: str = "",
        inner: int = 0,
    ) -> int:
        self.sites.append(
            EventSite(kind, line, tuple(names), function, form, inner or self.after, self.after)
        )
        return len(self.sites) - 1

    def _report(
        self,
        indent: int,
        line: int,
        scope: _Scope,
        names: Sequence[str] = (),
        form: str = "",
        inner: int = 0,
    ) -> None:
        if not self.traced:
            return
        site = self._site("line", line, names, scope.function, form, inner)
        self._put(indent, f"__line__({', '.join([str(site), scope.frame, *names])})", line)

    def _block(self, body: Sequence[ast.stmt], scope: _Scope, indent: int) -> None:
        before = len(self.text)
        outside = self.after
        for i, node in enumerate(body):
            self.after = body[i + 1].lineno if i + 1 < len(body) else outside
            self._keep_line(indent, node.lineno)
            self._statement(node, scope, indent)
        if len(self.text) == before:
            self._put(indent, "pass", 0)
        self.after = outside

    def _keep_line(self, indent: int, line: int) -> None:
        """Note that the statement of a line begins, in a program that follows its lines."""
        if self.tracked:
            self._put(indent, f"__S__[8] = {line}", line)

    def _statement(self, node: ast.stmt, scope: _Scope, indent: int) -> None:
        if write := self._COMPOUND.get(type(node)):
            getattr(self, write)(node, scope, indent)
        elif isinstance(node, ast.Return):
            self._return(node, scope, indent)
        elif isinstance(node, ast.Break | ast.Continue):
            # the report goes first: nothing after the word is reached
            self._report(indent, node.lineno, scope)
            if isinstance(node, ast.Continue):
                self._keep_line(indent, scope.loop)
            self._put(indent, ast.unparse(node), node.lineno)
        elif isinstance(node, ast.Global | ast.Nonlocal | ast.Raise) or _is_hidden(node):
            self._put(indent, ast.unparse(node), node.lineno)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            self._put(indent, ast.unparse(node), node.lineno)
            names = _bound_names_in(getattr(node, "mentions", node), scope)
            self._report(indent, node.lineno, scope, names)

    _COMPOUND: ClassVar[Mapping[type[ast.stmt], str]] = {
        ast.FunctionDef: "_definition",
        ast.ClassDef: "_class",
        ast.If: "_if",
        ast.For: "_loop",
        ast.While: "_loop",
        LazyLoop: "_loop",
        ast.Match: "_match",
        ast.Try: "_try",
    }
    """The method that writes each compound statement."""

    def _definition(self, node: ast.FunctionDef, scope: _Scope, indent: int) -> None:
        self._function(node, indent, node.name)
        if scope.frame != "0":
            self._report(indent, node.lineno, scope)

    def _return(self, node: ast.Return, scope: _Scope, indent: int) -> None:
        value = ast.unparse(node.value) if node.value else "None"
        if not self.traced:
            self._put(indent, f"return {value}", node.lineno)
            return
        site = self._site("return", node.lineno, function=scope.function)
        self._put(indent, f"return __leave__({site}, {scope.frame}, {value})", node.lineno)

    def _if(self, node: ast.If, scope: _Scope, indent: int) -> None:
        """Write an `if` with its `elif` parts, in pieces that Monty can parse.

        Monty nests each `elif` in the one before.  After `ROW` of them the row goes on in a
        statement of its own, which runs where no test has held so far.
        """
        tests, last = _row(node)
        before = set(scope.bound)
        ends: list[set[str]] = []
        name = f"__row{len(self.text)}__"  # the body may hold rows of its own
        if len(tests) > ROW:
            self._put(indent, f"{name} = 0", node.lineno)
        for start in range(0, len(tests), ROW):
            if start:
                self._put(indent, f"if {name} == {start}:", tests[start].lineno)
                indent += 1
            for i, part in enumerate(tests[start : start + ROW]):
                form = "if" if start + i == 0 else "elif"
                word = "if" if i == 0 else "elif"
                self._put(indent, f"{word} {self._test(part, scope, form)}:", part.lineno)
                tested = set(scope.bound)
                before = before if ends else tested  # the first test always runs
                self._block(part.body, scope, indent + 1)
                ends.append(scope.bound)
                scope.bound = tested
            if start + ROW < len(tests):
                self._put(indent, "else:", node.lineno)
                self._put(indent + 1, f"{name} = {start + ROW}", node.lineno)
            elif last:
                self._put(indent, "else:", node.lineno)
                self._block(last, scope, indent + 1)
            if start:
                indent -= 1
        ends.append(scope.bound if last else before)
        scope.bound = set.intersection(*ends) | before

    def _match(self, node: ast.Match, scope: _Scope, indent: int) -> None:
        """Write a `match` whose cases report themselves when they are reached."""
        self._put(indent, f"match {ast.unparse(node.subject)}:", node.lineno)
        before = set(scope.bound)
        for case in node.cases:
            parts = [n for n in ast.walk(case.pattern) if isinstance(n, ast.pattern)]
            names = {getattr(n, "name", None) or getattr(n, "rest", None) for n in parts} - {None}
            scope.bound = before | {str(name) for name in names}
            line = case.pattern.lineno
            guard = f" if {ast.unparse(case.guard)}" if case.guard else ""
            self._put(indent + 1, f"case {ast.unparse(case.pattern)}{guard}:", line)
            self._report(
                indent + 2, line, scope, sorted(scope.bound - before), inner=case.body[0].lineno
            )
            self._block(case.body, scope, indent + 2)
        scope.bound = before

    def _test(self, node: ast.If | ast.While, scope: _Scope, form: str) -> str:
        """A test that reports itself, with the variables that `:=` certainly bound in it."""
        if not self.traced:
            return ast.unparse(node.test)
        targets = _targets_in(node.test)
        bound = [n for n in dict.fromkeys(_evaluated_names_in(node.test)) if n in targets]
        scope.bound |= set(bound)
        number = self._site("branch", node.lineno, bound, scope.function, form, node.body[0].lineno)
        # the test of an `elif` is the only one that begins without a statement of its own
        here = self.tracked and form == "elif"
        site = f"__here__({number}, {node.lineno})" if here else str(number)
        return f"__branch__({', '.join([site, scope.frame, ast.unparse(node.test), *bound])})"

    def _loop(self, node: ast.For | ast.While, scope: _Scope, indent: int) -> None:
        before, outer = set(scope.bound), scope.loop
        scope.loop = node.lineno
        if isinstance(node, LazyLoop):
            self._put(indent, f"while {ast.unparse(node.test)}:", node.lineno)
            # the desugaring put the binding of the target at the head of the body
            self._put(indent + 1, ast.unparse(node.body[0]), node.lineno)
            body = node.body[1:]
            self._bind_target(node, body, scope, indent + 1)
        elif isinstance(node, ast.For):
            head = f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}:"
            self._put(indent, head, node.lineno)
            body = node.body
            self._bind_target(node, body, scope, indent + 1)
        else:
            self._put(indent, f"while {self._test(node, scope, 'while')}:", node.lineno)
            body = node.body
        self._block(body, scope, indent + 1)
        self._keep_line(indent + 1, node.lineno)  # the next round begins there
        scope.loop = outer
        scope.bound = set(before)
        if node.orelse:
            self._put(indent, "else:", node.lineno)
            self._block(node.orelse, scope, indent + 1)
            scope.bound = set(before)

    def _bind_target(
        self, node: ast.For | LazyLoop, body: Sequence[ast.stmt], scope: _Scope, indent: int
    ) -> None:
        """Report what a loop's target was bound to, at the head of its body."""
        targets = _targets_in(node.target)
        scope.bound |= targets
        inner = body[0].lineno if body else 0
        self._report(indent, node.lineno, scope, sorted(targets), "for", inner)

    def _try(self, node: ast.Try, scope: _Scope, indent: int) -> None:
        before = set(scope.bound)
        if not (self.tracked and node.finalbody):
            self._try_and_handlers(node, scope, indent)
        else:  # errors of the handlers pass the `finally` too
            self._put(indent, "try:", node.lineno)
            self._try_and_handlers(node, scope, indent + 1)
            self._note(indent, node.lineno)
        scope.bound = set(before)
        if node.finalbody:
            self._put(indent, "finally:", node.finalbody[0].lineno)
            self._block(node.finalbody, scope, indent + 1)
        scope.bound = before

    def _try_and_handlers(self, node: ast.Try, scope: _Scope, indent: int) -> None:
        """Write a `try` without its `finally`, or only its body where there is no handler."""
        if not node.handlers:
            if not (self.tracked and node.finalbody):
                self._put(indent, "try:", node.lineno)
                indent += 1
            self._block(node.body, scope, indent)
            return
        before = set(scope.bound)
        self._put(indent, "try:", node.lineno)
        if self.tracked and not all(_is_plain_type(handler.type) for handler in node.handlers):
            # finding the handler runs code, of which the line of the error must not be lost
            self._put(indent + 1, "try:", node.lineno)
            self._block(node.body, scope, indent + 2)
            self._note(indent + 1, node.lineno)
        else:
            self._block(node.body, scope, indent + 1)
        for handler in node.handlers:
            scope.bound = set(before)
            self._handler(handler, scope, indent)
        if node.orelse:
            scope.bound = set(before)
            self._put(indent, "else:", node.orelse[0].lineno)
            self._block(node.orelse, scope, indent + 1)

    def _handler(self, handler: ast.ExceptHandler, scope: _Scope, indent: int) -> None:
        kind = ast.unparse(handler.type) if handler.type else own_name("BaseException")
        if self.tracked and not _is_plain_type(handler.type):
            kind = f"(__here__(0, {handler.lineno}), {kind})[1]"
        name = handler.name or "__e__"
        self._put(indent, f"except {kind} as {name}:", handler.lineno)
        if self.traced:
            site = self._site("exception", handler.lineno, (), scope.function)
            call = f"__caught__({site}, {scope.frame}, {name})"
            self._put(indent + 1, call, handler.lineno)
        self._block(handler.body, scope, indent + 1)

    def _note(self, indent: int, line: int) -> None:
        """Write a handler that keeps the line of any error and lets it pass."""
        self._put(indent, f"except {own_name('BaseException')} as __e__:", line)
        self._put(indent + 1, "__note__(__e__)", line)
        self._put(indent + 1, "raise", line)

    def _function(self, node: ast.FunctionDef, indent: int, title: str) -> None:
        a = node.args
        every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
        names = [x.arg for x in every]
        scope = _Scope(title, set(names) - _outer_names(node.body))
        self._put(indent, f"def {node.name}({ast.unparse(a)}):", node.lineno)
        declarations = [s for s in node.body if isinstance(s, ast.Global | ast.Nonlocal)]
        for part in declarations:  # they must come before the first use of a name
            self._put(indent + 1, ast.unparse(part), part.lineno)
        self.after = 0
        site = self._site("call", node.lineno, names, title, inner=node.body[0].lineno)
        if self.traced:
            # line 0, because an error in here is the caller's
            self._put(indent + 1, f"__f__ = __enter__({', '.join([str(site), *names])})", 0)
        body = [s for s in node.body if not isinstance(s, ast.Global | ast.Nonlocal)]
        self._block(body, scope, indent + 1)
        if self.traced and (not node.body or not isinstance(node.body[-1], ast.Return)):
            last = max((getattr(n, "lineno", 0) for n in node.body), default=node.lineno)
            end = last or node.lineno
            site = self._site("return", end, function=title)
            self._put(indent + 1, f"return __leave__({site}, __f__, None)", end)

    def _class(self, node: ast.ClassDef, scope: _Scope, indent: int) -> None:
        self._put(indent, f"class {node.name}:", node.lineno)
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                self._function(item, indent + 1, f"{node.name}.{item.name}")
            elif not isinstance(item, ast.Expr):
                self._put(indent + 1, ast.unparse(item), item.lineno)
        self._put(indent + 1, "pass", node.lineno)
        if scope.frame != "0":
            self._report(indent, node.lineno, scope)


def _outer_names(body: Sequence[ast.stmt]) -> set[str]:
    """Names that a block declares global or nonlocal; nested functions' too, which does no harm."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
        for part in ("body", "orelse", "finalbody", "handlers"):
            names |= _outer_names(getattr(node, part, ()))
    return names


def _row(node: ast.If) -> tuple[list[ast.If], list[ast.stmt]]:
    """An `if` and all its `elif` parts in their order, and the body of its `else`."""
    tests = [node]
    while len(tests[-1].orelse) == 1 and isinstance(tests[-1].orelse[0], ast.If):
        tests.append(tests[-1].orelse[0])
    return tests, tests[-1].orelse


def _is_plain_type(node: ast.expr | None) -> bool:
    """Whether the type of a handler is a name, or some names: then finding it runs no code."""
    if isinstance(node, ast.Tuple):
        return all(isinstance(part, ast.Name) for part in node.elts)
    return node is None or isinstance(node, ast.Name)


def _is_hidden(node: ast.stmt) -> bool:
    """Whether the rewriting added a statement that is not to be reported."""
    return bool(getattr(node, "hidden", False))


def _targets_in(node: ast.AST) -> set[str]:
    """The program's own names that a node assigns to, those inside comprehensions left out."""
    if isinstance(node, ast.Name):
        own = isinstance(node.ctx, ast.Store) and not node.id.startswith("__")
        return {node.id} if own else set()
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return set()
    return {name for child in ast.iter_child_nodes(node) for name in _targets_in(child)}


def _bound_names_in(node: ast.stmt, scope: _Scope) -> list[str]:
    """Certainly bound variables that a completed simple statement mentions, in source order."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return []
    if isinstance(node, ast.Assign):
        for target in node.targets:
            scope.bound |= _targets_in(target)
    elif isinstance(node, ast.AugAssign):
        scope.bound |= _targets_in(node.target)
    return [name for name in dict.fromkeys(_names_in(node)) if name in scope.bound]


def _names_in(node: ast.AST) -> list[str]:
    """Names that a node mentions, in the source's order."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Constant):
        return []
    return [name for child in ast.iter_child_nodes(node) for name in _names_in(child)]


def _evaluated_names_in(node: ast.AST) -> list[str]:
    """Names in the parts of a node that are always evaluated, in the source's order."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Lambda | ast.Constant):
        return []
    if isinstance(node, ast.IfExp):
        return _evaluated_names_in(node.test)
    if isinstance(node, ast.BoolOp):
        return _evaluated_names_in(node.values[0])
    if isinstance(node, ast.Compare):
        return [*_evaluated_names_in(node.left), *_evaluated_names_in(node.comparators[0])]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
        return _evaluated_names_in(node.generators[0].iter)
    return [name for child in ast.iter_child_nodes(node) for name in _evaluated_names_in(child)]
