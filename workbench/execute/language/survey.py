"""What `same_as_python` has to know of a whole program before it rewrites any of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.execute.language.node_kinds import reads
from workbench.execute.language.tables import SET_MAKERS, SET_REMOVERS


@dataclass(slots=True)
class Survey:
    """What is known of a program; each `note` method adds what one node tells."""

    counters: set[str] = field(default_factory=set)
    """Names under which the program imported Counter."""
    defaults: set[str] = field(default_factory=set)
    """Names under which the program imported defaultdict."""
    sets: bool = False
    """True if the program may make a set."""
    reads_errors: bool = False
    """True if some handler reads the text of an error."""
    flags: int = 0
    """The last argument of `__ord__`, a sum of the following.

    1: members are removed from sets; 2: the program's classes have hashes of their own; 4: the
    items are about to be summed.
    """
    _views: bool = False
    """The program takes the keys or items of a dict, between which operators make sets."""
    _set_operators: bool = False

    def note_import(self, node: ast.ImportFrom) -> None:
        """Learn the program's names of `Counter` and `defaultdict`."""
        if node.module == "collections":
            for alias in node.names:
                names = self.counters if alias.name == "Counter" else self.defaults
                names.add(alias.asname or alias.name)

    def note_set(self, node: ast.Set | ast.SetComp) -> None:
        """Note a set in braces."""
        self.sets = True

    def note_name(self, node: ast.Name) -> None:
        """Note the name `set` or `frozenset`."""
        self.sets |= node.id in ("set", "frozenset")

    def note_attribute(self, node: ast.Attribute) -> None:
        """Note a method that makes a set, changes one, or gives a view of a dict."""
        self.sets |= node.attr in SET_MAKERS
        self._views |= node.attr in ("keys", "items")
        self.flags |= node.attr in SET_REMOVERS

    def note_handler(self, node: ast.ExceptHandler) -> None:
        """Note a handler that reads the text of its error."""
        if node.name:
            self.reads_errors |= any(reads(part, node.name) for part in node.body)

    def note_function(self, node: ast.FunctionDef) -> None:
        """Note a hash that the program defines itself."""
        if node.name == "__hash__":
            self.flags |= 2

    def note_operator(self, node: ast.BinOp | ast.AugAssign) -> None:
        """Note an operator that may make a set, or remove members from one."""
        self._set_operators |= isinstance(node.op, ast.Sub | ast.BitAnd | ast.BitOr | ast.BitXor)
        removes = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub)
        self.flags |= removes or isinstance(node.op, ast.BitXor)

    def conclude(self) -> None:
        """Draw the conclusion from dict views beside operators, after the last node."""
        self.sets |= self._views and self._set_operators


_NOTES: Mapping[type[ast.AST], Callable[[Survey, Any], None]] = {
    ast.ImportFrom: Survey.note_import,
    ast.Set: Survey.note_set,
    ast.SetComp: Survey.note_set,
    ast.Name: Survey.note_name,
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
