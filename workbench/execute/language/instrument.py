"""Writes the program that the sandbox runs: each statement, test, call and handler reports its site
number.

    x = f(y)                 x = f(y); __line__(3, __f__, x, y)
    if t: A                  if __branch__(4, __f__, t): A
    for v in xs: A           for v in xs: __line__(5, __f__, v); A
    def g(a): A              def g(a): __f__ = __enter__(6, a); A; return __leave__(7, __f__, None)
    except E as e: A         except E as e: __caught__(8, __f__, e, __at__); A

A site number stands for line, kind and variable names, kept on the host in `Instrumented.sites`, so
that an event that leaves the sandbox is a number, a frame and the values.  Only variables that are
certainly bound are reported: parameters, targets, and names that the statement must have evaluated.
Text is written line by line, so that each line of it knows the line of the source that it stands
for.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.execute.language.desugar import LazyLoop
from workbench.records import EventKind


@dataclass(frozen=True, slots=True)
class EventSite:
    """What an event from one place of the program means."""

    kind: EventKind
    line: int
    names: tuple[str, ...] = ()
    """Variables whose values the event carries."""
    function: str = ""
    form: str = ""
    """For `line`: `for` when it reports the binding of a loop target; for `branch`: `if`, `elif` or
    `while`.
    """
    following: int = 0
    """Line of the statement that comes next in the source's order (after a test: when it holds)."""
    otherwise: int = 0
    """Line of the statement that comes next when a test does not hold."""


@dataclass(slots=True)
class Instrumented:
    """What the sandbox runs, and how to read what it reports."""

    code: str
    sites: list[Any]
    """By site number: `EventSite`, or `desugar.CallSite` for tool calls and prints."""
    lines: list[int]
    """Line of the original source by line of `code` (index 0 is line 1)."""
    rare: bool = False
    """Needs the prelude's last part."""


@dataclass(slots=True)
class _Scope:
    function: str
    bound: set[str] = field(default_factory=set)
    """Variables of the frame that are bound for sure here."""
    frame: str = "__f__"
    in_try: int = 0


def instrument(tree: ast.Module, sites: list[Any], traced: bool = True) -> Instrumented:
    """Instrument a desugared module; `sites` already holds the call sites.

    Untraced, only calls of tools and print-outs are reported and steps are not counted: for
    measuring what tracing costs.
    """
    writer = _Writer(sites, traced)
    writer.block(tree.body, _Scope("<module>", frame="0"), 0)
    return Instrumented("\n".join(writer.text), sites, writer.lines)


class _Writer:
    def __init__(self, sites: list[Any], traced: bool) -> None:
        self.sites = sites
        self.traced = traced
        self.text: list[str] = []
        self.lines: list[int] = []
        self.after = 0
        """Line of the statement after the one being written, in its block."""

    def put(self, indent: int, text: str, line: int) -> None:
        self.text.append(" " * indent + text)
        self.lines.extend([line] * (text.count("\n") + 1))

    def site(
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

    def report(
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
        site = self.site("line", line, names, scope.function, form, inner)
        self.put(indent, f"__line__({', '.join([str(site), scope.frame, *names])})", line)

    def block(self, body: Sequence[ast.stmt], scope: _Scope, indent: int) -> None:
        before = len(self.text)
        outside = self.after
        for i, node in enumerate(body):
            self.after = body[i + 1].lineno if i + 1 < len(body) else outside
            if scope.in_try:
                self.put(indent, f"__at__ = {node.lineno}", node.lineno)
            self.statement(node, scope, indent)
        if len(self.text) == before:
            self.put(indent, "pass", 0)
        self.after = outside

    def statement(self, node: ast.stmt, scope: _Scope, indent: int) -> None:
        line = node.lineno
        if isinstance(node, ast.FunctionDef):
            self.function(node, indent, node.name)
            if scope.frame != "0":
                self.report(indent, line, scope)
        elif isinstance(node, ast.ClassDef):
            self.class_(node, scope, indent)
        elif isinstance(node, ast.If):
            self.if_(node, scope, indent, "if")
        elif isinstance(node, ast.For | ast.While):
            self.loop(node, scope, indent)
        elif isinstance(node, ast.Match):
            self.match_(node, scope, indent)
        elif isinstance(node, ast.Try):
            self.try_(node, scope, indent)
        elif isinstance(node, ast.Return):
            value = ast.unparse(node.value) if node.value else "None"
            if not self.traced:
                self.put(indent, f"return {value}", line)
                return
            site = self.site("return", line, function=scope.function)
            self.put(indent, f"return __leave__({site}, {scope.frame}, {value})", line)
        elif isinstance(node, ast.Break | ast.Continue):
            self.report(indent, line, scope)
            self.put(indent, ast.unparse(node), line)
        elif isinstance(node, ast.Global | ast.Nonlocal | ast.Raise) or getattr(
            node, "hidden", False
        ):
            self.put(indent, ast.unparse(node), line)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            self.put(indent, ast.unparse(node), line)
            self.report(
                indent, line, scope, _mentioned_and_bound(getattr(node, "mentions", node), scope)
            )

    def if_(self, node: ast.If, scope: _Scope, indent: int, form: str) -> None:
        word = "elif" if form == "elif" else "if"
        self.put(indent, f"{word} {self.test(node, scope, form)}:", node.lineno)
        before = set(scope.bound)
        self.block(node.body, scope, indent + 1)
        after, scope.bound = scope.bound, set(before)
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            self.if_(node.orelse[0], scope, indent, "elif")
        elif node.orelse:
            self.put(indent, "else:", node.lineno)
            self.block(node.orelse, scope, indent + 1)
        scope.bound &= after

    def match_(self, node: ast.Match, scope: _Scope, indent: int) -> None:
        """The case that is taken reports itself, with what its pattern bound."""
        self.put(indent, f"match {ast.unparse(node.subject)}:", node.lineno)
        before = set(scope.bound)
        for case in node.cases:
            parts = [n for n in ast.walk(case.pattern) if isinstance(n, ast.pattern)]
            names = {getattr(n, "name", None) or getattr(n, "rest", None) for n in parts} - {None}
            scope.bound = before | {str(name) for name in names}
            line = case.pattern.lineno
            guard = f" if {ast.unparse(case.guard)}" if case.guard else ""
            self.put(indent + 1, f"case {ast.unparse(case.pattern)}{guard}:", line)
            self.report(
                indent + 2, line, scope, sorted(scope.bound - before), inner=case.body[0].lineno
            )
            self.block(case.body, scope, indent + 2)
        scope.bound = before

    def test(self, node: ast.If | ast.While, scope: _Scope, form: str) -> str:
        """The reported test of a branch, with what `:=` bound in it for sure."""
        if not self.traced:
            return ast.unparse(node.test)
        bound = [n for n in dict.fromkeys(_mentioned(node.test)) if n in _stored(node.test)]
        scope.bound |= set(bound)
        site = self.site("branch", node.lineno, bound, scope.function, form, node.body[0].lineno)
        return f"__branch__({', '.join([str(site), scope.frame, ast.unparse(node.test), *bound])})"

    def loop(self, node: ast.For | ast.While, scope: _Scope, indent: int) -> None:
        before = set(scope.bound)
        body = node.body
        if isinstance(node, ast.For | LazyLoop):
            if isinstance(node, ast.For):
                head = f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}:"
                self.put(indent, head, node.lineno)
            else:
                self.put(indent, f"while {ast.unparse(node.test)}:", node.lineno)
                self.put(indent + 1, ast.unparse(body[0]), node.lineno)
                body = body[1:]
            targets = _stored(node.target)
            scope.bound |= targets
            self.report(
                indent + 1,
                node.lineno,
                scope,
                sorted(targets),
                "for",
                body[0].lineno if body else 0,
            )
        else:
            self.put(indent, f"while {self.test(node, scope, 'while')}:", node.lineno)
        self.block(body, scope, indent + 1)
        scope.bound = set(before)
        if node.orelse:
            self.put(indent, "else:", node.lineno)
            self.block(node.orelse, scope, indent + 1)
            scope.bound = set(before)

    def try_(self, node: ast.Try, scope: _Scope, indent: int) -> None:
        before = set(scope.bound)
        self.put(indent, f"__at__ = {node.lineno}", node.lineno)
        self.put(indent, "try:", node.lineno)
        scope.in_try += 1
        self.block(node.body, scope, indent + 1)
        scope.in_try -= 1
        for handler in node.handlers:
            scope.bound = set(before)
            kind = ast.unparse(handler.type) if handler.type else "BaseException"
            name = handler.name or "__e__"
            site = self.site("exception", handler.lineno, (), scope.function)
            self.put(indent, f"except {kind} as {name}:", handler.lineno)
            if self.traced:
                self.put(
                    indent + 1, f"__caught__({site}, {scope.frame}, {name}, __at__)", handler.lineno
                )
            self.block(handler.body, scope, indent + 1)
        for word, part in (("else", node.orelse), ("finally", node.finalbody)):
            scope.bound = set(before)
            if part:
                self.put(indent, f"{word}:", part[0].lineno)
                self.block(part, scope, indent + 1)
        scope.bound = before

    def function(self, node: ast.FunctionDef, indent: int, title: str) -> None:
        a = node.args
        every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
        names = [x.arg for x in every]
        outer = _declared(node.body)
        scope = _Scope(title, set(names) - outer)
        self.put(indent, f"def {node.name}({ast.unparse(a)}):", node.lineno)
        for part in node.body:  # declarations come before the first use of a name
            if isinstance(part, ast.Global | ast.Nonlocal):
                self.put(indent + 1, ast.unparse(part), part.lineno)
        self.after = 0
        site = self.site("call", node.lineno, names, title, inner=node.body[0].lineno)
        if self.traced:
            self.put(
                indent + 1, f"__f__ = __enter__({', '.join([str(site), *names])})", 0
            )  # an error here is the caller's
        self.block(
            [s for s in node.body if not isinstance(s, ast.Global | ast.Nonlocal)],
            scope,
            indent + 1,
        )
        if self.traced and (not node.body or not isinstance(node.body[-1], ast.Return)):
            end = (
                max((getattr(n, "lineno", 0) for n in node.body), default=node.lineno)
                or node.lineno
            )
            site = self.site("return", end, function=title)
            self.put(indent + 1, f"return __leave__({site}, __f__, None)", end)

    def class_(self, node: ast.ClassDef, scope: _Scope, indent: int) -> None:
        self.put(indent, f"class {node.name}:", node.lineno)
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                self.function(item, indent + 1, f"{node.name}.{item.name}")
            elif not isinstance(item, ast.Expr):
                self.put(indent + 1, ast.unparse(item), item.lineno)
        self.put(indent + 1, "pass", node.lineno)
        if scope.frame != "0":
            self.report(indent, node.lineno, scope)


def _declared(body: Sequence[ast.stmt]) -> set[str]:
    """Names that a block declares global or nonlocal (those of nested functions too, which does no
    harm).
    """
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        for name in ("body", "orelse", "finalbody", "handlers"):
            found |= _declared(getattr(node, name, ()))
    return found


def _stored(node: ast.AST) -> set[str]:
    names = (
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )
    return {name for name in names if not name.startswith("__")}


def _mentioned_and_bound(node: ast.stmt, scope: _Scope) -> list[str]:
    """Variables that a completed simple statement mentions and that are bound for sure, in source
    order.
    """
    if isinstance(node, ast.Import | ast.ImportFrom):
        return []
    if isinstance(node, ast.Assign):
        for target in node.targets:
            scope.bound |= _stored(target)
    elif isinstance(node, ast.AugAssign):
        scope.bound |= _stored(node.target)
    return [name for name in dict.fromkeys(_mentioned(node)) if name in scope.bound]


def _mentioned(node: ast.AST) -> list[str]:
    """Names in the parts of a statement that were evaluated whatever happened, in source order."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Lambda | ast.Constant):
        return []
    if isinstance(node, ast.IfExp):
        return _mentioned(node.test)
    if isinstance(node, ast.BoolOp):
        return _mentioned(node.values[0])
    if isinstance(node, ast.Compare):
        return [*_mentioned(node.left), *_mentioned(node.comparators[0])]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
        return _mentioned(node.generators[0].iter)
    return [name for child in ast.iter_child_nodes(node) for name in _mentioned(child)]
