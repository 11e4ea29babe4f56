"""Which names of a program are its own, by Python's rules of scope.

`mark` leaves its answer on every name of a tree, and `scope_of` reads it.  A name that the program
binds in one function is still the builtin everywhere else, so that a variable called `max` does not
change what `max(...)` means in another function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Literal

Scope = Literal["local", "module", "builtin"]
"""Where a name is bound: in a function or comprehension, in the module, or nowhere."""

Bindings = Callable[[ast.AST], tuple[str, ...]]
"""Gives the names that one node binds by itself."""

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_INNER = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def scope_of(node: ast.Name) -> Scope | None:
    """Where a name of a marked tree is bound; None for a name that was put in later."""
    return getattr(node, "scope", None)


def mark(tree: ast.Module, bindings: Bindings) -> None:
    """Mark every name of a module.

    Args:
        tree: The module; its names get an attribute that `scope_of` reads.
        bindings: Gives the names that one node binds by itself.
    """
    module = _bound_here(tree.body, bindings)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            module.update(node.names)
    _Marker(frozenset(module), bindings).statements(tree.body, frozenset())


def _bound_here(nodes: list[ast.stmt] | list[ast.expr], bindings: Bindings) -> set[str]:
    """The names that statements bind in their own scope, those of inner functions left out."""
    names: set[str] = set()
    outer: set[str] = set()
    for top in nodes:
        for node in _of_this_scope(top):
            if isinstance(node, ast.Global | ast.Nonlocal):
                outer.update(node.names)
            else:
                names.update(bindings(node))
    return names - outer


def _of_this_scope(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, _INNER):
        for child in ast.iter_child_nodes(node):
            yield from _of_this_scope(child)


class _Marker:
    """Walks a module; `local` are the names of the functions around a node."""

    def __init__(self, module: frozenset[str], bindings: Bindings) -> None:
        self._module = module
        self._bindings = bindings

    def statements(self, body: list[ast.stmt], local: frozenset[str]) -> None:
        for node in body:
            self._visit(node, local)

    def _visit(self, node: ast.AST, local: frozenset[str]) -> None:
        if isinstance(node, ast.Name):
            scope: Scope = "module" if node.id in self._module else "builtin"
            node.scope = "local" if node.id in local else scope  # type: ignore[attr-defined]
        elif isinstance(node, _FUNCTIONS):
            self._function(node, local)
        elif isinstance(node, ast.ClassDef):
            self._class(node, local)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, local)
        else:
            for child in ast.iter_child_nodes(node):
                self._visit(child, local)

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, local: frozenset[str]
    ) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self._visit(default, local)
        body: list[ast.stmt] = [] if isinstance(node, ast.Lambda) else node.body
        names = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
        names |= _bound_here(body, self._bindings)
        if isinstance(node, ast.Lambda):
            names |= _bound_here([node.body], self._bindings)
            self._visit(node.body, local | names)
            return
        of_module = {
            name
            for top in body
            for part in _of_this_scope(top)
            if isinstance(part, ast.Global)
            for name in part.names
        }
        self.statements(body, (local | names) - of_module)

    def _class(self, node: ast.ClassDef, local: frozenset[str]) -> None:
        inside = local | _bound_here(node.body, self._bindings)
        for base in node.bases:
            self._visit(base, local)
        for item in node.body:  # methods do not see the names of their class
            self._visit(item, local if isinstance(item, ast.FunctionDef) else inside)

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        local: frozenset[str],
    ) -> None:
        self._visit(node.generators[0].iter, local)
        targets = {
            part.id
            for generator in node.generators
            for part in ast.walk(generator.target)
            if isinstance(part, ast.Name)
        }
        inside = local | targets
        for i, generator in enumerate(node.generators):
            parts = [generator.target, *generator.ifs]
            for part in parts if i == 0 else [*parts, generator.iter]:
                self._visit(part, inside)
        for field in ("elt", "key", "value"):
            if (value := getattr(node, field, None)) is not None:
                self._visit(value, inside)
