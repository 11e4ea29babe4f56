"""What is left of a program when names of variables and prints are set aside.

Two programs with one outline do the same; the second one costs a run and brings nothing.
"""

from __future__ import annotations

import ast

from workbench.parsing import parse


def outline(source: str) -> str:
    """The text that programs share that differ in names of variables and in prints alone.

    It serves comparing and is no program.  What is no Python is its own outline.
    """
    try:
        tree = parse(source)
        return ast.unparse(_Plain(_own_names(tree)).visit(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def _own_names(tree: ast.AST) -> set[str]:
    """The names that a program gives, to variables and to parameters."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


class _Plain(ast.NodeTransformer):
    """Numbers a program's own names by their first appearance and leaves its prints out."""

    def __init__(self, own: set[str]) -> None:
        self._own = own
        self._numbers: dict[str, int] = {}

    def _plain(self, name: str) -> str:
        if name not in self._own:
            return name
        return f"v{self._numbers.setdefault(name, len(self._numbers))}"

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._plain(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self._plain(node.arg))

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        match node.value:
            case ast.Call(func=ast.Name(id="print")):
                return None
        return self.generic_visit(node)
