"""Rewrites what Monty lacks or does differently, so that a program means what it means in Python.

The heavy part is laziness.  Monty evaluates generator expressions, `map`, `filter`, `zip` and
`enumerate` at once; Python asks for one item at a time, and in a visual program each item may be a
tool call.  The prelude has a lazy `generator` class and versions of the builtins that know it; here
the syntax is turned into them:

    any(E for x in xs if c)      any(__gen__(xs, lambda __t__: [E for x in (__t__,) if c], 1))
    for x in map(f, xs): B       __it1__ = __loop__(map(f, xs))
                                 while __it1__.__more__(): x = __it1__.__value__; B
    [E for x in map(f, xs)]      __drain__(__gen__(map(f, xs), ...))
    p.find("cup")                __call__(__has__(p, "find"), "find", 7, "cup")     7: the call site
    key=str.lower                key=__unbound__("lower", lambda o, *a, **k: o.lower(*a, **k))

Every rewriting keeps the order in which Python evaluates, tool calls included.  Only statements
carry line numbers afterwards: nothing later needs those of expressions.  Whether an expression is
lazy has to be asked before it is visited, because visiting replaces the syntax that shows it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.api import METHODS as PATCH_METHODS
from workbench.api import Api
from workbench.execute.language.check import CheckedSource
from workbench.execute.language.new_nodes import call, hidden, nothing
from workbench.execute.language.node_kinds import arguments_call
from workbench.execute.language.refused import RefusedProgram, refuse_in_class
from workbench.execute.language.stand_ins import OF_THE_PRELUDE, parameters, stand_in
from workbench.execute.language.tables import (
    BUILTINS,
    COUNTER_METHODS,
    DEQUE_METHODS,
    DROPPED_IMPORTS,
    LAZY,
    LIBRARY,
    METHODS,
    MODULES,
    TYPES,
    WRAPPERS,
)

_DRAINED = frozenset(
    {"join", "update", "union", "intersection", "difference", "symmetric_difference", "extendleft"}
)
_AS_THEY_ARE = ("__ord__", "__ordd__")
"""Functions of the prelude that give back their argument."""
_COLLECT = {
    "list": "__drain__",
    "tuple": "__drain__",
    "set": "__drain_set__",
    "frozenset": "__drain_set__",
    "dict": "__drain_dict__",
}

_IN_PLACE: Mapping[type[ast.operator], str] = {
    ast.Add: "__iadd__",
    ast.BitOr: "__ior__",
    ast.BitAnd: "__iand__",
    ast.Sub: "__isub__",
    ast.BitXor: "__ixor__",
}
"""What stands for operators that change their target."""
_OF_SETS = (ast.BitAnd, ast.Sub, ast.BitXor)
"""Those of them that matter to sets alone."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """Where in the source a tool is called or something is printed."""

    line: int
    column: int
    inside: str
    """`statement`, `lambda` or `comprehension`."""


class LazyLoop(ast.While):
    """A `for` over a lazy iterable, as a `while`; the body's first statement binds the target."""

    target: ast.expr


@dataclass(slots=True)
class Desugarer(ast.NodeTransformer):
    """Rewrites one checked program in place; call `run`."""

    checked: CheckedSource
    api: Api
    sites: list[Any] = field(default_factory=list)
    """Call sites; the instrumenter appends its own to the same list."""
    _inside: list[str] = field(default_factory=lambda: ["statement"])
    _loops: int = 0
    _lazy_names: set[str] = field(default_factory=set)

    def run(self) -> ast.Module:
        """The rewritten module."""
        for node in self.checked.nodes:
            if isinstance(node, ast.Assign) and self._lazy(node.value):
                target = node.targets[0]
                if isinstance(target, ast.Name):  # `names = map(f, xs)`: as lazy as the call
                    self._lazy_names.add(target.id)
        tree = self.visit(self.checked.tree)
        assert isinstance(tree, ast.Module)
        return tree

    # -- helpers

    def _own(self, name: str) -> bool:
        return name in self.checked.attributes

    def _builtin(self, node: ast.expr, names: frozenset[str]) -> bool:
        return isinstance(node, ast.Name) and node.id in names and self.checked.is_free(node)

    def _module(self, node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Name)
            and node.id in self.checked.modules
            and self.checked.is_free(node)
        )

    def _site(self, node: ast.expr) -> ast.expr:
        self.sites.append(CallSite(node.lineno, node.col_offset, self._inside[-1]))
        return ast.Constant(len(self.sites) - 1)

    def _lazy(self, node: ast.expr) -> bool:
        """Whether an expression makes its items one by one, perhaps by tools."""
        if isinstance(node, ast.Call):
            wraps = self._builtin(node.func, WRAPPERS) and any(self._lazy(a) for a in node.args)
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in _AS_THEY_ARE:
                return self._lazy(node.args[0])
            ours = name.startswith("__itertools_") or name == "__heapq_merge__"
            return wraps or ours or self._builtin(node.func, LAZY)
        return isinstance(node, ast.GeneratorExp) or (
            isinstance(node, ast.Name) and node.id in self._lazy_names
        )

    def _all(self, nodes: Sequence[Any]) -> list[Any]:
        return [self.visit(node) for node in nodes]

    # -- names and attributes

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = node.id
        if (
            not isinstance(node.ctx, ast.Load)
            or not self.checked.is_free(node)
            or name in BUILTINS
            or name.startswith("__")
        ):
            return node
        if name in self.api.names or name in self.checked.modules:
            return node
        if name in MODULES["typing"]:
            why = f"the type {name} as a value; types of typing stand in annotations only"
            raise RefusedProgram("unsupported", why, node.lineno)
        return call("__undefined__", ast.Constant(name))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Rewrite an attribute that is not called at once.

        Monty has neither bound nor unbound methods of builtin types: a lambda stands in for them.
        """
        name = node.attr
        if isinstance(node.ctx, ast.Load) and self._is_builtin_method(node):
            if self._builtin(node.value, TYPES):
                function = stand_in(name, ["o"])
                return call("__unbound__", node.value, ast.Constant(name), function)
            if name not in self.api.methods and name not in PATCH_METHODS:
                self.checked.rare |= name in OF_THE_PRELUDE
                maker = ast.Lambda(parameters(["o"]), stand_in(name, [], OF_THE_PRELUDE))
                return call("__method__", self.visit(node.value), ast.Constant(name), maker)
        node.value = self.visit(node.value)
        if isinstance(node.ctx, ast.Store) and (name in self.api.methods or name in PATCH_METHODS):
            node.value = call("__mine__", node.value, ast.Constant(name))
        return node

    def _is_builtin_method(self, node: ast.Attribute) -> bool:
        name = node.attr
        available = name in METHODS or name in COUNTER_METHODS or name in DEQUE_METHODS
        return available and not self._own(name) and not self._module(node.value)

    # -- calls

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Attribute):
            return self._method_call(node, function)
        if isinstance(function, ast.Name) and self.checked.is_free(function):
            instead = self._function_call(node, function)
            if instead is not None:
                return instead
        node.func = self.visit(function)
        return self._with_visited_arguments(node)

    def _function_call(self, node: ast.Call, function: ast.Name) -> ast.expr | None:
        """The call of a function that the prelude has in a form of its own; None for others."""
        name = function.id
        if name in self.api.functions:
            return self._arguments(call("__function__", ast.Constant(name), self._site(node)), node)
        if name == "print":
            return self._arguments(call("__print__", self._site(node)), node)
        if name in ("int", "float") and node.args:
            return self._arguments(call("__number__", function), node)
        if name in _COLLECT and not node.keywords and self._one_lazy_argument(node):
            values = call(_COLLECT[name], self.visit(node.args[0]))
            return values if name in ("list", "set", "dict") else call(name, values)
        return None

    def _one_lazy_argument(self, node: ast.Call) -> bool:
        return len(node.args) == 1 and self._lazy(node.args[0])

    def _arguments(self, ours: ast.Call, node: ast.Call) -> ast.Call:
        """A call of the prelude's, behind whose arguments those of the program's own call stand."""
        ours.args += self._all(node.args)
        ours.keywords = self._all(node.keywords)
        return ours

    def _with_visited_arguments(self, node: ast.Call) -> ast.Call:
        node.args, node.keywords = self._all(node.args), self._all(node.keywords)
        return node

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        name, value = function.attr, function.value
        if self._builtin(value, TYPES) or self._module(value):
            return self._call_of_type_or_module(node, function)
        if name in self.api.methods:
            site = self._site(node)
            owner = call("__has__", self.visit(value), ast.Constant(name))
            return self._arguments(call("__call__", owner, ast.Constant(name), site), node)
        lazy = self._one_lazy_argument(node)
        function.value = self.visit(value)
        if arguments_call(node):
            # Python looks the method up before it evaluates the arguments, which may ask tools
            function.value = call("__receiver__", function.value, ast.Constant(name))
        self._with_visited_arguments(node)
        return node if self._own(name) else self._builtin_method_call(node, function, lazy)

    def _call_of_type_or_module(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        """`str.lower(x)`, `math.sqrt(x)` and the like."""
        name, value = function.attr, function.value
        if name in METHODS and name != "fromkeys" and not self._module(value):
            node.func = self.visit(function)
        return self._with_visited_arguments(node)

    def _builtin_method_call(self, node: ast.Call, function: ast.Attribute, lazy: bool) -> ast.expr:
        """A visited call of a method of a builtin type; `lazy` tells of its one argument."""
        name = function.attr
        if lazy and name in _DRAINED:
            node.args = [call("__drain__", node.args[0])]
        elif name == "extend" and lazy:
            return call("__extend__", function.value, node.args[0])
        elif name == "is_integer" and not node.args:
            return call("__is_integer__", function.value)
        elif name == "sort" and all(k.arg for k in node.keywords) and not node.args:
            names: list[ast.expr | None] = [ast.Constant(k.arg) for k in node.keywords]
            keywords = ast.Dict(names, [k.value for k in node.keywords])
            return call("__sort__", function.value, keywords)
        return node

    # -- laziness

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        node.args = self.visit(node.args)
        self._inside.append("lambda")
        node.body = self.visit(node.body)
        self._inside.pop()
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        return self._generator(node, node.elt)

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return self._comprehension(node, "__drain__", node.elt)

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        return self._comprehension(node, "__drain_set__", node.elt)

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        return self._comprehension(
            node, "__drain_dict__", ast.Tuple([node.key, node.value], ast.Load())
        )

    def _comprehension(self, node: Any, collect: str, element: ast.expr) -> ast.expr:
        if any(self._lazy(g.iter) for g in node.generators):
            return call(collect, self._generator(node, element))
        self._check(node)
        for i, part in enumerate(node.generators):
            part.iter = self.visit(part.iter)
            if i == 0:
                self._inside.append("comprehension")
            part.target = self.visit(part.target)
            part.ifs = self._all(part.ifs)
        for name in ("elt", "key", "value"):
            if hasattr(node, name):
                setattr(node, name, self.visit(getattr(node, name)))
        self._inside.pop()
        assert isinstance(node, ast.expr)
        return node

    def _check(self, node: Any) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                raise RefusedProgram(
                    "unsupported", ":= inside a comprehension is not available", part.lineno
                )
        if any(g.is_async for g in node.generators):
            raise RefusedProgram(
                "unsupported", "async comprehensions are not available", node.lineno
            )

    def _generator(self, node: Any, element: ast.expr) -> ast.expr:
        self._check(node)
        parts: list[ast.comprehension] = node.generators
        outer = self.visit(parts[0].iter)
        self._inside.append("comprehension")
        value = self.visit(element)
        for part in reversed(parts):
            once = ast.Tuple([ast.Name("__t__", ast.Load())], ast.Load())
            inner = ast.comprehension(self.visit(part.target), once, self._all(part.ifs), 0)
            step = ast.Lambda(parameters(["__t__"]), ast.ListComp(value, [inner]))
            step.lineno = node.lineno  # one with a line belongs to the program
            if part is not parts[0]:
                value = ast.Tuple([call("__source__", self.visit(part.iter)), step], ast.Load())
        self._inside.pop()
        return call("__gen__", outer, step, ast.Constant(len(parts)))

    def visit_For(self, node: ast.For) -> Any:
        lazy = self._lazy(node.iter)
        node.iter = self.visit(node.iter)
        node.target = self.visit(node.target)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        if not lazy:
            return node
        self._loops += 1
        name = f"__it{self._loops}__"
        start = hidden(ast.Assign([ast.Name(name, ast.Store())], call("__loop__", node.iter)), node)
        bind = hidden(
            ast.Assign(
                [node.target], ast.Attribute(ast.Name(name, ast.Load()), "__value__", ast.Load())
            ),
            node,
        )
        more = ast.Call(ast.Attribute(ast.Name(name, ast.Load()), "__more__", ast.Load()), [], [])
        loop = LazyLoop(more, [bind, *node.body], node.orelse, lineno=node.lineno, col_offset=0)
        loop.target = node.target
        return [start, loop]

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        statements: list[ast.stmt] = []
        for node in body:
            new = self.visit(node)
            statements.extend(new if isinstance(new, list) else [new])
        return statements

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.pattern:
        if isinstance(node.cls, ast.Name) and isinstance(self.visit(node.cls), ast.Call):
            raise RefusedProgram(
                "unsupported", f"a pattern of an unknown class ({node.cls.id})", node.lineno
            )
        node.patterns, node.kwd_patterns = self._all(node.patterns), self._all(node.kwd_patterns)
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        target = node.targets[0]
        lazy = self._lazy(node.value)
        node.value = self.visit(node.value)
        if lazy and isinstance(target, ast.Tuple | ast.List):
            starred = any(isinstance(t, ast.Starred) for t in target.elts)
            count = ast.Constant(len(target.elts))
            node.value = (
                call("__drain__", node.value) if starred else call("__take__", node.value, count)
            )
        node.targets = self._all(node.targets)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """Rewrite `xs += iterable`, which Monty knows only between two lists, and its like.

        Other targets keep Python's order: object, key, value.
        """
        node.value = self.visit(node.value)
        number = isinstance(node.value, ast.Constant) and not isinstance(node.value.value, str)
        function = _IN_PLACE.get(type(node.op))
        if isinstance(node.op, _OF_SETS) and self.checked.set_flags is None:
            function = None
        if number or function is None:
            node.target = self.visit(node.target)
            return node
        first, place = self._place(node)
        self.checked.rare |= function != "__iadd__"
        value = call(function, place, node.value)
        if function == "__iand__":
            value.args.append(ast.Constant(self.checked.set_flags))
        final = ast.Assign([place], value, lineno=node.lineno, col_offset=0)
        final.mentions = node  # type: ignore[attr-defined]  # read by the instrumenter
        return [*first, final]

    def _place(self, node: ast.AugAssign) -> tuple[list[ast.stmt], Any]:
        """The target of `+=` as a place to read and write, behind statements that evaluate it."""
        target = node.target
        if isinstance(target, ast.Name):
            return [], ast.Name(target.id, ast.Load())
        owner = ast.Name("__o__", ast.Load())
        store = ast.Name("__o__", ast.Store())
        if isinstance(target, ast.Attribute):
            first = ast.Assign([store], self.visit(target.value))
            return [hidden(first, node)], ast.Attribute(owner, target.attr, ast.Load())
        pair = ast.Tuple([self.visit(target.value), self.visit(target.slice)], ast.Load())
        names = ast.Tuple([store, ast.Name("__k__", ast.Store())], ast.Store())
        key = ast.Name("__k__", ast.Load())
        return [hidden(ast.Assign([names], pair), node)], ast.Subscript(owner, key, ast.Load())

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        lazy = (
            len(node.ops) == 1
            and isinstance(node.ops[0], ast.In | ast.NotIn)
            and self._lazy(node.comparators[0])
        )
        node.left = self.visit(node.left)
        node.comparators = self._all(node.comparators)
        if not lazy:
            return node
        test = call("__in__", node.left, node.comparators[0])
        return ast.UnaryOp(ast.Not(), test) if isinstance(node.ops[0], ast.NotIn) else test

    def visit_Starred(self, node: ast.Starred) -> ast.expr:
        lazy = self._lazy(node.value)
        node.value = self.visit(node.value)
        if lazy:
            node.value = call("__drain__", node.value)
        return node

    # -- statements

    def visit_Delete(self, node: ast.Delete) -> Any:
        return [
            ast.Expr(self._deletion(target), lineno=node.lineno, col_offset=0)
            for target in node.targets
        ]

    def _deletion(self, target: ast.expr) -> ast.expr:
        assert isinstance(target, ast.Subscript)
        owner, part = self.visit(target.value), target.slice
        if not isinstance(part, ast.Slice):
            return call("__delete__", owner, self.visit(part))
        self.checked.rare = True
        ends = (part.lower, part.upper, part.step)
        places = [ast.Constant(None) if end is None else self.visit(end) for end in ends]
        return call("__cut_out__", owner, *places)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            return ast.Pass(lineno=node.lineno, col_offset=0)
        return self.visit(ast.Assign([node.target], node.value, lineno=node.lineno, col_offset=0))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        node.returns = None
        a = node.args
        extra = [argument for argument in (a.vararg, a.kwarg) if argument]
        for argument in [*a.posonlyargs, *a.args, *a.kwonlyargs, *extra]:
            argument.annotation = None
        a.defaults = self._all(a.defaults)
        a.kw_defaults = [None if d is None else self.visit(d) for d in a.kw_defaults]
        self._inside.append("statement")
        node.body = self._block(node.body)
        self._inside.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        node.bases = []
        refuse_in_class(node, ast.GeneratorExp, "generator expressions")
        node.body = self._block(node.body)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        return nothing(node) if node.module in DROPPED_IMPORTS else node

    def visit_Import(self, node: ast.Import) -> Any:
        ours = DROPPED_IMPORTS | LIBRARY
        node.names = [alias for alias in node.names if alias.name not in ours]
        return node if node.names else nothing(node)
