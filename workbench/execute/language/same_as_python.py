"""Rewrites what Monty gives another value than Python, without an error: before the desugaring.

    d[k] = v                   d[__key__(d, k)] = v              of equal keys Python keeps the first, Monty the last
    {k: v for k in ks}         __build__(lambda __d__: [__add__(__d__, k, v) for k in ks])
    for x in s: A              for x in __ord__(s, 0): A         Python's order of a set, or a refusal
    a is b                     __is__(a, b)                      identity of equal texts and numbers is refused
    f"{x:>5}"                  f"{__formatted__(x):>5}"          Python formats texts and numbers only
    except E as e: print(e)    except E as e: __text__(e); print(e)    the text must be Python's

The prelude's last two parts have these functions.  A call of one costs 0.2 us; sets are looked
after only in programs that make one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from workbench.execute.language.check import CheckedSource, RefusedProgram
from workbench.execute.language.node_kinds import (
    as_load,
    is_text,
    no_set,
    pure,
    reads,
    single,
    some_text,
)
from workbench.execute.language.tables import (
    SEARCHES,
    SET_MAKERS,
    SET_REMOVERS,
    TEXT_OF,
    WALKED,
    WALKED_METHODS,
)

_SCALAR = (ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.Compare, ast.Lambda)
_MEASURES = ("sorted", "len", "min", "max", "set", "frozenset")


@dataclass(slots=True)
class Exact(ast.NodeTransformer):
    """Rewrites one checked program in place; call `run`."""

    checked: CheckedSource
    counters: set[str] = field(default_factory=set)
    """Names under which the program imported Counter."""
    defaults: set[str] = field(default_factory=set)
    """The same of defaultdict."""
    sets: bool = False
    read: bool = False
    """Some handler reads the text of an error."""
    flags: int = 0
    """1: members are removed from sets; 2: the program's classes have hashes of their own; 4: a sum
    is made.
    """
    caught: list[str | None] = field(default_factory=list)
    """Names of the errors that the handlers around hold."""

    def run(self) -> ast.Module:
        views = operators = False
        for node in self.checked.nodes:
            if isinstance(node, ast.ImportFrom) and node.module == "collections":
                for alias in node.names:
                    names = self.counters if alias.name == "Counter" else self.defaults
                    names.add(alias.asname or alias.name)
            elif isinstance(node, ast.Set | ast.SetComp):
                self.sets = True
            elif isinstance(node, ast.Name):
                self.sets |= node.id in ("set", "frozenset")
            elif isinstance(node, ast.Attribute):
                self.sets |= node.attr in SET_MAKERS
                views |= node.attr in ("keys", "items")
                self.flags |= node.attr in SET_REMOVERS
            elif isinstance(node, ast.ExceptHandler) and node.name:
                self.read |= any(reads(part, node.name) for part in node.body)
            elif isinstance(node, ast.FunctionDef) and node.name == "__hash__":
                self.flags |= 2
            elif isinstance(node, ast.BinOp | ast.AugAssign):
                operators |= isinstance(node.op, ast.Sub | ast.BitAnd | ast.BitOr | ast.BitXor)
                self.flags |= isinstance(node.op, ast.BitXor) or (
                    isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub)
                )
        self.sets |= views and operators
        return cast(ast.Module, self.visit(self.checked.tree))

    def visit(self, node: ast.AST) -> Any:
        if not node._fields or isinstance(node, ast.Name | ast.Constant):
            return node  # most nodes, and nothing to do
        return super(Exact, self).visit(node)

    # -- helpers

    def _free(self, name: str) -> bool:
        return name not in self.checked.bound

    def _builtin(self, node: ast.expr) -> str | None:
        return node.id if isinstance(node, ast.Name) and self._free(node.id) else None

    def _collection(self, node: ast.expr, name: str, names: set[str]) -> bool:
        if isinstance(node, ast.Name):
            return node.id in names
        return (
            isinstance(node, ast.Attribute)
            and node.attr == name
            and isinstance(node.value, ast.Name)
            and node.value.id in self.checked.modules
            and self._free(node.value.id)
        )

    def _all(self, nodes: Sequence[Any]) -> list[Any]:
        return [self.visit(node) for node in nodes]

    def _walked(self, node: ast.expr, deep: bool = False) -> ast.expr:
        """An expression, visited already, whose members are about to be walked."""
        if not self.sets or isinstance(node, _SCALAR) or (not deep and no_set(node)):
            return node
        if isinstance(node, ast.Starred):
            node.value = self._walked(node.value, deep)
            return node
        return self._rare("__ordd__" if deep else "__ord__", node, ast.Constant(self.flags))

    def _rare(self, name: str, *arguments: ast.expr) -> ast.Call:
        self.checked.rare = True
        return _call(name, *arguments)

    def _renamed(self, name: str, node: ast.Call, *first: ast.expr) -> ast.Call:
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
        if (
            len(node.targets) == 1
            and isinstance(target, ast.Subscript)
            and not (
                isinstance(target.slice, ast.Slice) or is_text(target.slice) or pure(target.value)
            )
        ):
            value = self.visit(node.value)
            call = _call("__put__", value, self.visit(target.value), self.visit(target.slice))
            return ast.Expr(call, lineno=node.lineno, col_offset=0)
        node.value = self.visit(node.value)
        taken = ast.Tuple | ast.List
        if any(
            isinstance(t, taken)
            or (isinstance(t, ast.Subscript) and isinstance(t.slice, ast.Slice))
            for t in node.targets
        ):
            nested = any(
                isinstance(t, taken) and any(isinstance(e, taken) for e in t.elts)
                for t in node.targets
            )
            node.value = self._walked(node.value, nested)
        node.targets = self._all(node.targets)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        target = node.target
        made: list[ast.stmt] = []
        if (
            isinstance(target, ast.Subscript)
            and not pure(target.value)
            and not isinstance(target.slice, ast.Slice)
        ):
            pair = ast.Tuple([self.visit(target.value), self.visit(target.slice)], ast.Load())
            names = ast.Tuple(
                [ast.Name("__m__", ast.Store()), ast.Name("__n__", ast.Store())], ast.Store()
            )
            first = ast.Assign([names], pair, lineno=node.lineno, col_offset=0)
            first.hidden = True  # type: ignore[attr-defined]  # read by the instrumenter
            made.append(first)
            node.target = ast.Subscript(
                ast.Name("__m__", ast.Load()), ast.Name("__n__", ast.Load()), ast.Store()
            )
        node.target = self.visit(node.target)
        node.value = (
            self._walked(self.visit(node.value))
            if isinstance(node.op, ast.Add)
            else self.visit(node.value)
        )
        if (
            self.counters
            and isinstance(target, ast.Name)
            and isinstance(node.op, ast.Add | ast.Sub | ast.BitAnd)
        ):
            node.value = self._rare("__alike__", ast.Name(target.id, ast.Load()), node.value)
        return [*made, node] if made else node

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        keys = [k for k in node.keys if k is not None and not is_text(k)]
        merged = len(node.keys) - sum(1 for k in node.keys if k is not None)
        node.keys = [None if k is None else self.visit(k) for k in node.keys]
        node.values = self._all(node.values)
        kinds = {type(k.value) if isinstance(k, ast.Constant) else None for k in keys}
        if len(keys) + merged < 2 or (not merged and len(kinds) == 1 and None not in kinds):
            return node
        made: ast.expr = ast.Dict([], [])
        pairs: list[ast.expr] = []
        for key, value in zip(node.keys, node.values):
            if key is not None:
                pairs += [key, value]
                continue
            made = self._rare(
                "__unpacked__", self._rare("__pairs__", made, *pairs) if pairs else made, value
            )
            pairs = []
        return self._rare("__pairs__", made, *pairs) if pairs else made

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
        function = node.func
        name = self._builtin(function)
        counted = self._collection(function, "Counter", self.counters)
        defaulted = self._collection(function, "defaultdict", self.defaults)
        method = function.attr if isinstance(function, ast.Attribute) else ""
        own = method in self.checked.attributes
        if isinstance(function, ast.Attribute):
            function.value = self.visit(function.value)
        else:
            node.func = self.visit(function)
        open_order = name in _MEASURES and not any(k.arg == "key" for k in node.keywords)
        if open_order and node.args and isinstance(node.args[0], ast.Call):  # sorted(list(set(xs)))
            inner = node.args[0]
            inner.unordered = self._builtin(inner.func) in ("list", "tuple")  # type: ignore[attr-defined]
        node.args = self._all(node.args)
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        if self.sets and not own and not open_order and not getattr(node, "unordered", False):
            self._walk_arguments(node, name or ("Counter" if counted else None), method)
        if counted:
            return self._renamed("__counter__", node, node.func)
        if defaulted and len(node.args) > 1:
            return self._renamed("__default_dict__", node, node.func)
        if name == "dict" and len(node.args) == 1:
            return self._renamed("__dict__", node)
        if name == "type" and len(node.args) == 1 and not node.keywords:
            return self._rare("__type__", *node.args)
        if isinstance(function, ast.Attribute) and not own:
            value = function.value
            if self._builtin(value) in ("set", "frozenset") and method in (
                "union",
                "intersection",
                "difference",
            ):
                return self._renamed("__several__", node, ast.Constant(method))
            if method == "fromkeys" and self._builtin(value) == "dict":
                return self._renamed("__fromkeys__", node)
            if self._module(value):
                if method in ("findall", "split"):
                    return self._renamed("__regular__", node, value, ast.Constant(method))
            elif self._builtin(value) is None or self._builtin(value) not in ("dict", "set", "str"):
                one = len(node.args) == 1 and not isinstance(node.args[0], ast.Starred)
                if method == "intersection" or (method in ("union", "difference") and not one):
                    receiver = _call("__receiver__", value, ast.Constant(method))
                    return self._renamed("__several__", node, ast.Constant(method), receiver)
                if method == "update":
                    return self._renamed(
                        "__update__", node, _call("__receiver__", value, ast.Constant(method))
                    )
                if method in SEARCHES and len(node.args) > 1 and not some_text(node.args[0]):
                    node.args[0] = self._rare("__within__", node.args[0])
                if method == "format":
                    return self._renamed(
                        "__format__", node, _call("__receiver__", value, ast.Constant(method))
                    )
        return node

    def _walk_arguments(self, node: ast.Call, name: str | None, method: str) -> None:
        deep = (
            name in TEXT_OF
            or method == "format"
            or (name or "").endswith("Error")
            or name == "Exception"
        )
        if deep or name in WALKED or method in WALKED_METHODS:
            values = [*node.args, *(k.value for k in node.keywords)]
            if name in ("map", "filter", "sorted", "min", "max") and len(values) > 1:
                deep = not any(isinstance(v, ast.Name) and v.id == "len" for v in values)
            self.flags |= 4 * (name == "sum")
            node.args = [self._walked(a, deep) for a in node.args]
            self.flags &= 3
        if method == "pop" and not node.args:
            assert isinstance(node.func, ast.Attribute)
            node.func.value = self._walked(node.func.value)

    def _module(self, node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Name) and node.id in self.checked.modules and self._free(node.id)
        )

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "__name__" and isinstance(node.ctx, ast.Load):
            return self._rare("__named__", self.visit(node.value))
        if self._module(node.value) and node.attr in ("findall", "split", "sub"):
            raise RefusedProgram(
                "unsupported", f"re.{node.attr} as a value; call it directly", node.lineno
            )
        node.value = self.visit(node.value)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        for item in node.body:
            if not isinstance(item, ast.FunctionDef) and any(
                isinstance(n, ast.DictComp) for n in ast.walk(item)
            ):
                raise RefusedProgram(
                    "unsupported",
                    "dict comprehensions in a class body are not available",
                    item.lineno,
                )
        node.body = self._block(node.body)
        return node

    # -- walks

    def _generators(self, node: Any) -> None:
        for part in node.generators:
            part.iter = self._iterated(self.visit(part.iter), part.target)
            part.target = self.visit(part.target)
            part.ifs = self._all(part.ifs)

    def _iterated(self, node: ast.expr, target: ast.expr) -> ast.expr:
        if self.sets and isinstance(target, ast.Tuple | ast.List):
            name = ""
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
            nested = any(isinstance(e, ast.Tuple | ast.List) for e in target.elts)
            if nested or name not in ("zip", "enumerate", "items"):
                return self._rare("__ord_items__", node, ast.Constant(self.flags))
        return self._walked(node)

    def _comprehension(self, node: Any) -> ast.expr:
        self._generators(node)
        node.elt = self.visit(node.elt)
        return cast(ast.expr, node)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _comprehension

    def visit_For(self, node: ast.For) -> ast.stmt:
        node.iter = self._iterated(self.visit(node.iter), node.target)
        node.target = self.visit(node.target)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for node in body:
            new = self.visit(node)
            made.extend(new if isinstance(new, list) else [new])
        return made

    def visit_Starred(self, node: ast.Starred) -> ast.expr:
        node.value = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            node.value = self._walked(node.value)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        node.value = self._walked(self.visit(node.value), deep=True)
        if node.format_spec is not None:
            node.format_spec = self.visit(node.format_spec)
            if node.conversion == -1:
                node.value = _call("__formatted__", node.value)
        return node

    # -- operators

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Mod):
            node.right = self._walked(node.right, deep=True)
        elif isinstance(node.op, ast.BitOr):
            return self._rare("__or__", node.left, node.right)
        elif self.sets and isinstance(node.op, ast.Sub):
            return self._rare("__less__", node.left, node.right)
        elif self.counters and isinstance(node.op, ast.Add | ast.Sub | ast.BitAnd):
            op = (
                "+"
                if isinstance(node.op, ast.Add)
                else "-"
                if isinstance(node.op, ast.Sub)
                else "&"
            )
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
        made = _call("__is__", node.left, node.comparators[0])
        return ast.UnaryOp(ast.Not(), made) if isinstance(node.ops[0], ast.IsNot) else made

    # -- errors

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        again = isinstance(node.exc, ast.Name) and node.exc.id in self.caught
        if node.exc is not None:
            node.exc = self.visit(node.exc)
            if self.read and not again:
                node.exc = self._rare("__raised__", node.exc)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        node.test = self.visit(node.test)
        if node.msg is not None:
            node.msg = self._walked(self.visit(node.msg), deep=True)
            if self.read:
                node.msg = self._rare("__said__", node.msg)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        read = node.name is not None and any(reads(part, node.name) for part in node.body)
        self.caught.append(node.name)
        node.type = self.visit(node.type) if node.type else None
        node.body = self._block(node.body)
        self.caught.pop()
        if read and node.name:
            text = self._rare(
                "__text__", ast.Name(node.name, ast.Load()), ast.Constant(node.lineno)
            )
            look = ast.Expr(text, lineno=node.lineno, col_offset=0)
            look.hidden = True  # type: ignore[attr-defined]  # read by the instrumenter
            node.body.insert(0, look)
        return node


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [], lineno=0, col_offset=0)
