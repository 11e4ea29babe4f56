"""Modules of Python's standard library whose functions are the prelude's, under names of its own.

re.sub(p, r, s)                 __re_sub__(p, r, s)
from heapq import nlargest      nlargest = __heapq_nlargest__
chain.from_iterable(xs)         __itertools_chain_from_iterable__(xs)
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from workbench.execute.language.check import CheckedSource
from workbench.execute.language.tables import OF_FUNCTIONS, OF_THE_PRELUDE


@dataclass(slots=True)
class Library:
    """What a program uses of these modules."""

    checked: CheckedSource
    renamed: dict[str, str] = field(default_factory=dict)
    """The prelude's names by those under which the program imported functions."""

    def part(self, node: ast.expr) -> ast.Name | None:
        """The prelude's name for a part of a module, as in `re.sub`; None for anything else."""
        name = self._name(node) if isinstance(node, ast.Attribute) else ""
        if not name:
            return None
        self._note(name)
        return ast.Name(name, ast.Load())

    def _note(self, name: str) -> None:
        """Note which parts of the prelude a name needs."""
        self.checked.rare = True
        self.checked.library |= not name.startswith("__re_")

    def _name(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self.renamed.get(node.id, "")
        if not isinstance(node, ast.Attribute):
            return ""
        owner = node.value
        outer = self._name(owner)
        if outer:
            return f"{outer[:-2]}_{node.attr}__" if OF_FUNCTIONS.get(outer) == node.attr else ""
        if not isinstance(owner, ast.Name) or not self.checked.is_free(owner):
            return ""
        module = self.checked.modules.get(owner.id, "")
        return f"__{module}_{node.attr}__" if node.attr in OF_THE_PRELUDE.get(module, ()) else ""

    def walks(self, function: ast.expr) -> bool:
        """Whether a function of a module may go through its arguments in their order."""
        if not isinstance(function, ast.Name):
            return False
        name = self.renamed.get(function.id, function.id)
        if name == "__operator_mod__":  # it may write its argument as text
            return True
        return name.startswith("__") and not name.startswith(("__re_", "__operator_"))

    def bound(self, node: ast.ImportFrom) -> Any:
        """An import with the prelude's functions in place of the module's."""
        ours = OF_THE_PRELUDE.get(node.module or "", frozenset())
        own = [alias for alias in node.names if alias.name in ours]
        if not own:
            return node
        node.names = [alias for alias in node.names if alias.name not in ours]
        statements: list[ast.stmt] = [node] if node.names else []
        for alias in own:
            name, hidden = alias.asname or alias.name, f"__{node.module}_{alias.name}__"
            self.renamed[name] = hidden
            self._note(hidden)
            target, value = ast.Name(name, ast.Store()), ast.Name(hidden, ast.Load())
            bind = ast.Assign([target], value, lineno=node.lineno, col_offset=0)
            bind.hidden = True  # type: ignore[attr-defined]  # read by the instrumenter
            statements.append(bind)
        return statements
