"""The text that Monty runs before any program: `monty/`, with the limits and tools filled in."""

from __future__ import annotations

import ast
import collections
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from workbench.api import METHODS as PATCH_METHODS
from workbench.api import PARAMETER_ALIASES, Api
from workbench.execute.language.scopes import mark, scope_of
from workbench.execute.language.tables import ALL_BUILTINS
from workbench.limits import Limits
from workbench.parsing import parse
from workbench.records import ToolSpec

_FIRST_OF = ("7_rare.monty", "9_iterators.monty")
"""The first file of what few programs need, and of what those need that use the library."""
_BUILTIN_TYPES: tuple[type, ...] = (
    *(bool, int, float, str, list, tuple, dict, set, frozenset, collections.deque),
)

PROBE: Any = 0
"""A tuple nested deeper than any message of the prelude; see `sandbox._step`."""
for _ in range(32):
    PROBE = (PROBE,)

_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    kind.__name__: tuple(name for name in dir(kind) if not name.startswith("_"))
    for kind in _BUILTIN_TYPES
}


def prelude_text(api: Api, limits: Limits) -> tuple[str, ...]:
    """The prelude with the API's tools in it, in three parts; each needs those before it.

    All programs need the first, few the second, and the third those that use the library.
    """
    methods = sorted(api.methods)
    lines = [
        f"    def {n}(self, *args, **kwargs):\n"
        f"        return __tool__({n!r}, None, self, args, kwargs)\n"
        for n in methods
    ]
    parts = sorted((Path(__file__).parent / "monty").glob("*.monty"))
    texts = {part.name: part.read_text(encoding="utf-8") for part in parts}
    places = [0, *map(list(texts).index, _FIRST_OF), len(texts)]
    text, *others = ("\n".join(list(texts.values())[start:end]) for start, end in pairwise(places))
    text = text.replace("    # __TOOL_METHODS__\n", "\n".join(lines))
    table = {name: _spec_row(spec) for name in methods if (spec := api.spec(name)) is not None}
    head = (
        f"__TOOLS__ = {table!r}\n"
        f"__METHODS__ = {sorted({*methods, *PATCH_METHODS})!r}\n"
        f"__MAX_STEPS__ = {limits.steps}\n"
        f"__MAX_OUTPUT__ = {limits.output}\n"
        f"__MAX_TEXT__ = {limits.text}\n"
        f"__MAX_ITEMS__ = {limits.items}\n"
        f"__MAX_DEPTH__ = {limits.depth}\n"
        "__EVERY__ = 64\n"
        "__picture__ = None\n"
        f"__PROBE__ = {PROBE!r}\n"
        f"__ATTRIBUTES__ = {_ATTRIBUTES!r}\n"
    )
    functions = [
        f"def {n}(*args, **kwargs):\n    return __tool__({n!r}, None, None, args, kwargs)\n"
        for n in sorted(api.functions)
    ]
    return _with_own_names(head + text + "\n" + "\n".join(functions), *others)


def own_name(name: str) -> str:
    """The prelude's own reference to a builtin, or to one of its functions and classes."""
    return f"__own_{name}__"


@lru_cache(maxsize=8)  # a process starts many sandboxes with the same few sets of tools
def _with_own_names(*texts: str) -> tuple[str, ...]:
    """The prelude's parts, in which no global name can be bound again by a program.

    A program shares its module with the prelude, so that `len = ...` or `def generator` would
    change what the prelude does.  Hence the prelude refers to builtins, and to functions and
    classes of its own, by hidden names.
    """
    trees = [parse(text) for text in texts]
    mark(ast.Module([node for tree in trees for node in tree.body], []), _bindings)
    names = _Renamer()
    parts = [names.visit(tree) for tree in trees]
    for tree in parts:
        tree.body = [
            line
            for node in tree.body
            for line in [node, *(_alias(node.name) if _is_named(node) else ())]
        ]
    head = [line for name in sorted(names.builtins) for line in _alias(name)]
    parts[0].body = [*head, *parts[0].body]
    return tuple(map(ast.unparse, parts))


def _bindings(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return (node.name,)
    return (node.name,) if isinstance(node, ast.ExceptHandler) and node.name else ()


def _is_named(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("__")


def _alias(name: str) -> list[ast.stmt]:
    return parse(f"{own_name(name)} = {name}").body


class _Renamer(ast.NodeTransformer):
    """Puts hidden names in place of the global ones that a program could bind."""

    def __init__(self) -> None:
        self.builtins: set[str] = set()
        """Builtins that the prelude uses."""

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if scope_of(node) == "local" or node.id.startswith("__"):
            return node
        if node.id in ALL_BUILTINS:
            self.builtins.add(node.id)
        return ast.Name(own_name(node.id), node.ctx)


def _spec_row(spec: ToolSpec) -> tuple[Any, ...]:
    """A tool's declaration in the form that the prelude reads."""
    parameters = [
        (
            p.name,
            p.type.removesuffix(" | None"),
            p.default,
            p.required,
            PARAMETER_ALIASES.get(p.name, ()),
            p.type.endswith("| None"),
        )
        for p in spec.parameters
    ]
    return (spec.name, parameters, spec.method)
