"""What `same_as_python` has to know of a whole program before it rewrites any of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.execute.language.node_kinds import reads
from workbench.execute.language.tables import (
    MERGED,
    OWN_HASHES,
    REMOVED,
    SET_CHANGERS,
    SET_MAKERS,
    SET_TYPES,
)


@dataclass(slots=True)
class Survey:
    """What is known of a program; each `note` method adds what one node tells."""

    imported: dict[str, str] = field(default_factory=dict)
    """What the program imported from collections and math, by its names for it."""
    sets: bool = False
    """True if the program may make a set."""
    reads_errors: bool = False
    """True if some handler reads the text of an error."""
    flags: int = 0
    """The last argument of `__ord__`, a sum of the following.

    REMOVED, MERGED: members may be removed from sets, or sets put together, where the prelude does
    not see it; OWN_HASHES: the program's classes have hashes of their own; SUMMED: the items are
    about to be summed.
    """
    _changers: int = 0
    """Mentions of methods that change sets, less those that are called at once."""
    _makers: int = 0
    """Mentions of `set` and `frozenset`, less those that are called or whose method is."""
    _views: bool = False
    """The program takes the keys or items of a dict, between which operators make sets."""
    _set_operators: bool = False

    def note_import(self, node: ast.ImportFrom) -> None:
        """Learn the program's names of what it imports."""
        if node.module in ("collections", "math"):
            self.imported.update({alias.asname or alias.name: alias.name for alias in node.names})

    @property
    def counts(self) -> bool:
        """Whether the program imported Counter by its name."""
        return "Counter" in self.imported.values()

    def note_set(self, node: ast.Set | ast.SetComp) -> None:
        """Note a set in braces."""
        self.sets = True

    def note_name(self, node: ast.Name) -> None:
        """Note the name `set` or `frozenset`."""
        if node.id in SET_TYPES:
            self.sets = True
            self._makers += 1

    def note_attribute(self, node: ast.Attribute) -> None:
        """Note a method that makes a set, changes one, or gives a view of a dict."""
        self.sets |= node.attr in SET_MAKERS
        self._views |= node.attr in ("keys", "items")
        self._changers += node.attr in SET_CHANGERS

    def note_call(self, node: ast.Call) -> None:
        """Note what is called at once: the prelude sees what it does to sets."""
        function = node.func
        if isinstance(function, ast.Name):
            self._makers -= function.id in SET_TYPES
            called = self.imported.get(function.id, function.id)
            if called in ("isinstance", "map", "defaultdict"):
                names = [a.id for a in node.args if isinstance(a, ast.Name)]
                self._makers -= sum(name in SET_TYPES for name in names)
        elif isinstance(function, ast.Attribute):
            of_type = isinstance(function.value, ast.Name) and function.value.id in SET_TYPES
            if not of_type or function.attr in ("union", "intersection", "difference"):
                self._changers -= function.attr in SET_CHANGERS
                self._makers -= of_type

    def note_handler(self, node: ast.ExceptHandler) -> None:
        """Note a handler that reads the text of its error."""
        if node.name:
            self.reads_errors |= any(reads(part, node.name) for part in node.body)

    def note_function(self, node: ast.FunctionDef) -> None:
        """Note a hash that the program defines itself."""
        if node.name == "__hash__":
            self.flags |= OWN_HASHES

    def note_operator(self, node: ast.BinOp | ast.AugAssign) -> None:
        """Note an operator that may make a set."""
        self._set_operators |= isinstance(node.op, ast.Sub | ast.BitAnd | ast.BitOr | ast.BitXor)

    def conclude(self) -> None:
        """Draw the conclusions that need all nodes, after the last one."""
        self.sets |= self._views and self._set_operators
        if self._changers > 0:
            self.flags |= REMOVED | MERGED
        if self._makers > 0:
            self.flags |= MERGED


_NOTES: Mapping[type[ast.AST], Callable[[Survey, Any], None]] = {
    ast.ImportFrom: Survey.note_import,
    ast.Set: Survey.note_set,
    ast.SetComp: Survey.note_set,
    ast.Name: Survey.note_name,
    ast.Call: Survey.note_call,
    ast.Attribute: Survey.note_attribute,
    ast.ExceptHandler: Survey.note_handler,
    ast.FunctionDef: Survey.note_function,
    ast.BinOp: Survey.note_operator,
    ast.AugAssign: Survey.note_operator,
}
"""The method that notes what matters of a node, by the node's type."""


def survey(nodes: Sequence[ast.AST]) -> Survey:
    """What is known of a program whose nodes these are."""
    facts = Survey()
    for node in nodes:
        if note := _NOTES.get(type(node)):
            note(facts, node)
    facts.conclude()
    return facts
