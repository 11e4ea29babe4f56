"""Rewrites what would have another value in Monty than in Python, without any error.

    d[k] = v                   d[__key__(d, k)] = v                   1
    {k: v for k in ks}         __build__(lambda __d__: [__add__(__d__, k, v) for k in ks])
    for x in s: A              for x in __ord__(s, 0): A              2
    a is b                     __is__(a, b)                           3
    f"{x:>5}"                  f"{__formatted__(x):>5}"               4
    except E as e: print(e)    except E as e: __text__(e); print(e)   5

1. Of equal keys Python keeps the first, Monty the last.
2. A set is walked in Python's order, or the program is refused.
3. The identity of equal texts and numbers is refused.
4. Python formats only texts and numbers.
5. The text of the error must be Python's.

This rewriting comes before the desugaring.  The prelude's last two parts have the functions; a call
of one costs 0.2 us.  Sets are looked after only in programs that make one.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from workbench.execute.language.check import CheckedSource
from workbench.execute.language.library import Library
from workbench.execute.language.node_kinds import (
    as_load,
    is_new_place,
    is_text,
    keys_may_be_equal,
    makes_text,
    no_set,
    pure,
    reads,
    single,
    some_text,
    takes_one,
    unpacks,
)
from workbench.execute.language.refused import RefusedProgram, refuse_in_class
from workbench.execute.language.stand_ins import parameters
from workbench.execute.language.survey import Survey, survey
from workbench.execute.language.tables import (
    MERGED,
    REMOVED,
    REMOVERS,
    SEARCHES,
    SET_MAKERS,
    SET_TYPES,
    SUMMED,
    WALKED,
    WALKED_METHODS,
)

_SCALAR = (ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.Compare, ast.Lambda)
"""Kinds of expressions that are never a set."""
_SEQUENCE = ast.Tuple | ast.List
_MEASURES = ("sorted", "len", "min", "max", "set", "frozenset")
"""Builtins whose result does not depend on the order of their argument."""
_KEYED = ("map", "filter", "sorted", "min", "max")
"""Builtins that hand the items to a function of the program's."""
_COMBINING: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.BitAnd: "&"}
"""Operators between counters."""
_RECEIVED: Mapping[str, str] = {"update": "__update__", "format": "__format__"}
"""Methods whose calls become calls of the prelude's function on the receiver."""


@dataclass(slots=True)
class Exact(ast.NodeTransformer):
    """Rewrites one checked program in place; call `run`."""

    checked: CheckedSource
    facts: Survey = field(default_factory=Survey)
    """What is known of the whole program."""
    error_names: list[str | None] = field(default_factory=list)
    """Names under which the handlers around this point hold their errors, the innermost last."""

    library: Library = field(init=False)
    """What the prelude has of modules."""

    def __post_init__(self) -> None:
        self.library = Library(self.checked)

    def run(self) -> ast.Module:
        """The rewritten module."""
        self.facts = survey(self.checked.nodes)
        self.checked.set_flags = self.facts.flags if self.facts.sets else None
        return cast(ast.Module, self.visit(self.checked.tree))

    def visit(self, node: ast.AST) -> Any:
        if not node._fields or isinstance(node, ast.Name | ast.Constant):
            return node  # most nodes, and nothing to do
        return super(Exact, self).visit(node)

    # -- helpers

    def _builtin(self, node: ast.expr) -> str | None:
        return node.id if isinstance(node, ast.Name) and self.checked.is_free(node) else None

    def _imported(self, node: ast.expr) -> str | None:
        """What of collections or math an expression names; None for anything else."""
        if isinstance(node, ast.Attribute):
            return node.attr if self._module(node.value) else None
        return self.facts.imported.get(node.id) if isinstance(node, ast.Name) else None

    def _all(self, nodes: Sequence[Any]) -> list[Any]:
        return [self.visit(node) for node in nodes]

    def _in_order(self, node: ast.expr, deep: bool = False) -> ast.expr:
        """A visited expression whose members are about to be walked, in Python's order."""
        if not self.facts.sets or isinstance(node, _SCALAR) or (not deep and no_set(node)):
            return node
        if isinstance(node, ast.Starred):
            node.value = self._in_order(node.value, deep)
            return node
        return self._rare("__ordd__" if deep else "__ord__", node, ast.Constant(self.facts.flags))

    def _rare(self, name: str, *arguments: ast.expr) -> ast.Call:
        self.checked.rare = True
        return _call(name, *arguments)

    def _prelude_call(self, name: str, node: ast.Call, *first: ast.expr) -> ast.Call:
        self.checked.rare = True
        function = ast.Name(name, ast.Load())
        return ast.Call(
            function, [*first, *node.args], node.keywords, lineno=node.lineno, col_offset=0
        )

    # -- keys of dicts

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.value, node.slice = self.visit(node.value), self.visit(node.slice)
        if (
            isinstance(node.slice, ast.Slice)
            and node.slice.step is not None
            and isinstance(node.ctx, ast.Load)
        ):
            node.value = _call("__steps__", node.value)
        if (
            isinstance(node.ctx, ast.Store)
            and not isinstance(node.slice, ast.Slice)
            and not is_text(node.slice)
        ):
            if not pure(node.value):
                raise RefusedProgram(
                    "unsupported",
                    "an assignment to an item of a value made here; name it first",
                    node.lineno,
                )
            node.slice = _call("__key__", as_load(node.value), node.slice)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = node.targets[0]
        if len(node.targets) == 1 and is_new_place(target):
            assert isinstance(target, ast.Subscript)
            value = self.visit(node.value)
            call = _call("__put__", value, self.visit(target.value), self.visit(target.slice))
            return ast.Expr(call, lineno=node.lineno, col_offset=0)
        node.value = self.visit(node.value)
        if any(unpacks(target) for target in node.targets):
            sequences = [target for target in node.targets if isinstance(target, _SEQUENCE)]
            nested = any(isinstance(e, _SEQUENCE) for target in sequences for e in target.elts)
            node.value = self._in_order(node.value, nested)
        node.targets = self._all(node.targets)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        target = node.target
        first: list[ast.stmt] = []
        if (
            isinstance(target, ast.Subscript)
            and not pure(target.value)
            and not isinstance(target.slice, ast.Slice)
        ):
            # dict and key are evaluated once, in front, and then have names
            pair = ast.Tuple([self.visit(target.value), self.visit(target.slice)], ast.Load())
            names = ast.Tuple(
                [ast.Name("__m__", ast.Store()), ast.Name("__n__", ast.Store())], ast.Store()
            )
            assign = ast.Assign([names], pair, lineno=node.lineno, col_offset=0)
            assign.hidden = True  # type: ignore[attr-defined]  # read by the instrumenter
            first.append(assign)
            node.target = ast.Subscript(
                ast.Name("__m__", ast.Load()), ast.Name("__n__", ast.Load()), ast.Store()
            )
        node.target = self.visit(node.target)
        node.value = self.visit(node.value)
        if isinstance(node.op, ast.Add):
            node.value = self._in_order(node.value)
        if self.facts.counts and isinstance(target, ast.Name) and type(node.op) in _COMBINING:
            node.value = self._rare("__alike__", ast.Name(target.id, ast.Load()), node.value)
        return [*first, node] if first else node

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        may_repeat = keys_may_be_equal(node)
        node.keys = [None if k is None else self.visit(k) for k in node.keys]
        node.values = self._all(node.values)
        if not may_repeat:
            return node
        table: ast.expr = ast.Dict([], [])
        pairs: list[ast.expr] = []
        for key, value in zip(node.keys, node.values):
            if key is not None:
                pairs += [key, value]
                continue
            table = self._rare("__unpacked__", self._with_pairs(table, pairs), value)
            pairs = []
        return self._with_pairs(table, pairs)

    def _with_pairs(self, table: ast.expr, pairs: Sequence[ast.expr]) -> ast.expr:
        """A dict with more keys and values, which stand by turns in `pairs`."""
        return self._rare("__pairs__", table, *pairs) if pairs else table

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                raise RefusedProgram(
                    "unsupported", ":= inside a comprehension is not available", part.lineno
                )
        text = is_text(node.key)
        self._generators(node)
        node.key, node.value = self.visit(node.key), self.visit(node.value)
        if text:
            return node
        add = self._rare("__add__", ast.Name("__d__", ast.Load()), node.key, node.value)
        fill = ast.ListComp(add, node.generators, lineno=node.lineno, col_offset=0)
        arguments = ast.arguments([], [ast.arg("__d__")], None, [], [], None, [])
        return self._rare("__build__", ast.Lambda(arguments, fill))

    # -- calls

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = self.library.part(node.func) or node.func
        name = "list" if self.library.walks(function) else self._builtin(function)
        imported = self._imported(function)
        method = function.attr if isinstance(function, ast.Attribute) else ""
        own = method in self.checked.attributes
        if isinstance(function, ast.Attribute):
            function.value = self.visit(function.value)
        else:
            node.func = self.visit(function)
        self._visit_arguments(node, name or imported, method, own)
        if imported == "Counter":
            return self._prelude_call("__counter__", node, node.func)
        if imported == "deque":
            node.args = [_call("__drain__", a) if i == 0 else a for i, a in enumerate(node.args)]
            return node
        if imported == "defaultdict" and len(node.args) > 1:
            return self._prelude_call("__default_dict__", node, node.func)
        if isinstance(function, ast.Attribute) and not own:
            return self._method_call(node, function)
        return self._function_call(node, name)

    def _visit_arguments(self, node: ast.Call, name: str | None, method: str, own: bool) -> None:
        """Visit a call's arguments, and order those that are sets where the call walks them.

        Args:
            node: The call.
            name: The builtin that is called; None for any other function.
            method: The method that is called; "" for a function.
            own: Whether the program's own classes have that method.
        """
        measures = name in _MEASURES and not any(k.arg == "key" for k in node.keywords)
        if measures and node.args and isinstance(node.args[0], ast.Call):
            inner = node.args[0]  # the list in sorted(list(set(xs))) may have any order
            inner.unordered = self._builtin(inner.func) in ("list", "tuple")  # type: ignore[attr-defined]
        node.args = self._all(node.args)
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        if self.facts.sets and not own and not measures and not getattr(node, "unordered", False):
            self._walk_arguments(node, name, method)

    def _walk_arguments(self, node: ast.Call, name: str | None, method: str) -> None:
        deep = makes_text(name, method)
        if deep or name in WALKED or method in WALKED_METHODS:
            deep = _looks_inside(node, name, deep)
            self.facts.flags |= SUMMED * (name == "sum")
            node.args = [self._in_order(a, deep) for a in node.args]
            self.facts.flags &= ~SUMMED
        if isinstance(node.func, ast.Attribute) and method in REMOVERS:
            value = node.func.value
            node.func.value = self._rare("__odd__", value, ast.Constant(REMOVED))
            if method == "pop" and not node.args:
                node.func.value = self._in_order(node.func.value)

    def _function_call(self, node: ast.Call, name: str | None) -> ast.expr:
        """A visited call of a function: a builtin gets its replacement, others stay as they are."""
        if name == "dict" and len(node.args) == 1:
            return self._prelude_call("__dict__", node)
        if name == "map" and node.args and self._builtin(node.args[0]) in SET_TYPES:
            one = self._rare("__set__", node.args[0], ast.Name("x", ast.Load()))
            node.args[0] = ast.Lambda(parameters(["x"]), one)
        if name in SET_TYPES and takes_one(node) and not no_set(node.args[0]):
            return self._rare("__set__", node.func, node.args[0])
        if name == "type" and takes_one(node):
            return self._rare("__type__", *node.args)
        return node

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        """A visited call of a method that is not one of the program's own."""
        value, method = function.value, function.attr
        owner = self._builtin(value)
        if owner in SET_TYPES and method in ("union", "intersection", "difference"):
            first = (ast.Constant(method), ast.Constant(self.facts.flags))
            return self._prelude_call("__several__", node, *first)
        if owner == "dict" and method == "fromkeys":
            return self._prelude_call("__fromkeys__", node)
        if self._module(value) or owner in ("dict", "set", "str"):
            return node
        if method == "groups" and node.args:
            return self._prelude_call("__groups__", node, value)
        return self._value_method_call(node, value, method)

    def _value_method_call(self, node: ast.Call, value: ast.expr, method: str) -> ast.expr:
        """A visited call of a method of a value whose type is not known."""
        receiver = _call("__receiver__", value, ast.Constant(method))
        if method in SET_MAKERS:
            first = (ast.Constant(method), ast.Constant(self.facts.flags), receiver)
            return self._prelude_call("__several__", node, *first)
        if method == "copy" and self.facts.sets and not node.args:
            return self._rare("__copied__", value)
        if method in _RECEIVED:
            return self._prelude_call(_RECEIVED[method], node, receiver)
        if method in SEARCHES and len(node.args) > 1 and not some_text(node.args[0]):
            node.args[0] = self._rare("__within__", node.args[0])
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        return self.library.bound(node)

    def _module(self, node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Name)
            and node.id in self.checked.modules
            and self.checked.is_free(node)
        )

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "__name__" and isinstance(node.ctx, ast.Load):
            return self._rare("__named__", self.visit(node.value))
        if part := self.library.part(node):
            return part
        node.value = self.visit(node.value)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        refuse_in_class(node, ast.DictComp, "dict comprehensions")
        node.body = self._block(node.body)
        return node

    # -- walks

    def _generators(self, node: Any) -> None:
        for part in node.generators:
            part.iter = self._items_in_order(self.visit(part.iter), part.target)
            part.target = self.visit(part.target)
            part.ifs = self._all(part.ifs)

    def _items_in_order(self, node: ast.expr, target: ast.expr) -> ast.expr:
        if self.facts.sets and isinstance(target, ast.Tuple | ast.List):
            name = ""
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
            nested = any(isinstance(e, ast.Tuple | ast.List) for e in target.elts)
            if nested or name not in ("zip", "enumerate", "items"):
                return self._rare("__ord_items__", node, ast.Constant(self.facts.flags))
        return self._in_order(node)

    def _comprehension(self, node: Any) -> ast.expr:
        self._generators(node)
        node.elt = self.visit(node.elt)
        return cast(ast.expr, node)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _comprehension

    def visit_For(self, node: ast.For) -> ast.stmt:
        node.iter = self._items_in_order(self.visit(node.iter), node.target)
        node.target = self.visit(node.target)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        statements: list[ast.stmt] = []
        for node in body:
            new = self.visit(node)
            statements.extend(new if isinstance(new, list) else [new])
        return statements

    def visit_Starred(self, node: ast.Starred) -> ast.expr:
        node.value = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            node.value = self._in_order(node.value)
        return node

    def visit_Set(self, node: ast.Set) -> ast.expr:
        node.elts = self._all(node.elts)
        # of constants only, Python makes one set, a second in the order of the first, and a copy
        constant = not any(isinstance(n, ast.Name | ast.Call) for n in ast.walk(node))
        several = any(isinstance(part, ast.Starred) for part in node.elts)
        if several or (constant and len(node.elts) > 2):
            return self._rare("__odd__", node, ast.Constant(MERGED))
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        node.value = self._in_order(self.visit(node.value), deep=True)
        if node.format_spec is not None:
            node.format_spec = self.visit(node.format_spec)
            if node.conversion == -1:
                node.value = _call("__formatted__", node.value)
        return node

    # -- operators

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Mod):
            node.right = self._in_order(node.right, deep=True)
        elif isinstance(node.op, ast.BitOr):
            return self._rare("__or__", node.left, node.right)
        elif self.facts.sets and isinstance(node.op, ast.Sub | ast.BitAnd):
            name = "__less__" if isinstance(node.op, ast.Sub) else "__and__"
            return self._rare(name, node.left, node.right, ast.Constant(self.facts.flags))
        elif self.facts.sets and isinstance(node.op, ast.BitXor):
            return self._rare("__xor__", node.left, node.right)
        elif self.facts.counts and type(node.op) in _COMBINING:
            op = _COMBINING[type(node.op)]
            return self._rare("__combined__", ast.Constant(op), node.left, node.right)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        node.left, node.comparators = self.visit(node.left), self._all(node.comparators)
        plain = all(
            not isinstance(op, ast.Is | ast.IsNot) or any(single(x) for x in pair)
            for op, pair in zip(node.ops, zip([node.left, *node.comparators], node.comparators))
        )
        if plain:
            return node
        if len(node.ops) > 1:
            raise RefusedProgram("unsupported", "`is` in a chain of comparisons", node.lineno)
        test = _call("__is__", node.left, node.comparators[0])
        return ast.UnaryOp(ast.Not(), test) if isinstance(node.ops[0], ast.IsNot) else test

    # -- errors

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        again = isinstance(node.exc, ast.Name) and node.exc.id in self.error_names
        if node.exc is not None:
            node.exc = self.visit(node.exc)
            if self.facts.reads_errors and not again:
                node.exc = self._rare("__raised__", node.exc)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        node.test = self.visit(node.test)
        if node.msg is not None:
            node.msg = self._in_order(self.visit(node.msg), deep=True)
            if self.facts.reads_errors:
                node.msg = self._rare("__said__", node.msg)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        reads_error = node.name is not None and any(reads(part, node.name) for part in node.body)
        self.error_names.append(node.name)
        node.type = self.visit(node.type) if node.type else None
        node.body = self._block(node.body)
        self.error_names.pop()
        if reads_error and node.name:
            text = self._rare(
                "__text__", ast.Name(node.name, ast.Load()), ast.Constant(node.lineno)
            )
            look = ast.Expr(text, lineno=node.lineno, col_offset=0)
            look.hidden = True  # type: ignore[attr-defined]  # read by the instrumenter
            node.body.insert(0, look)
        return node


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [], lineno=0, col_offset=0)


def _looks_inside(node: ast.Call, name: str | None, deep: bool) -> bool:
    """Whether a call that walks its arguments may walk their items too.

    Args:
        node: the call.
        name: of the builtin or the like that is called.
        deep: whether it does so in any case.
    """
    values = [*node.args, *(k.value for k in node.keywords)]
    if name in _KEYED and len(values) > 1:
        # a function may look inside the items; `len` does not
        deep = not any(isinstance(v, ast.Name) and v.id == "len" for v in values)
    return deep or any(isinstance(a, ast.Starred) for a in node.args)
