"""A program's statements by line, and what stands inside what."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workbench.parsing import parse


class Source:
    """A program's statements by line, and what stands inside what."""

    def __init__(self, source: str) -> None:
        try:
            self.tree: ast.AST = parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.tree = ast.Module([], [])
        self._at: dict[int, list[ast.stmt]] = {}
        self._parent: dict[ast.stmt, ast.stmt] = {}
        todo: list[tuple[ast.AST, ast.stmt | None]] = [(self.tree, None)]
        while todo:
            node, parent = todo.pop()
            for child in _blocks(node):
                if isinstance(child, ast.stmt):
                    self._at.setdefault(child.lineno, []).append(child)
                    if parent is not None:
                        self._parent[child] = parent
                todo.append((child, child if isinstance(child, ast.stmt) else parent))

    def statement(self, line: int, *kinds: type[ast.stmt]) -> ast.stmt | None:
        """The one statement of these kinds that begins in a line; None for none or several.

        Args:
            line: number of the line, from 1.
            kinds: classes of statements; none for all.
        """
        nodes = [node for node in self._at.get(line, ()) if not kinds or isinstance(node, kinds)]
        return nodes[0] if len(nodes) == 1 else None

    def inside(self, node: ast.stmt) -> list[ast.stmt]:
        """The statements around one, innermost first, up to its function."""
        around: list[ast.stmt] = []
        parent = self._parent.get(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.ClassDef):
            around.append(parent)
            parent = self._parent.get(parent)
        return around

    def function_at(self, line: int) -> str:
        """The name of the function that begins in a line."""
        node = self.statement(line, ast.FunctionDef)
        return node.name if isinstance(node, ast.FunctionDef) else ""

    @staticmethod
    def variables_of(node: ast.If | ast.While) -> list[str]:
        """Variables that the body of a test adds to: `n += 1`, `xs.append(x)`."""
        names = []
        for inner in (part for statement in node.body for part in ast.walk(statement)):
            if isinstance(inner, ast.AugAssign) and isinstance(inner.target, ast.Name):
                names.append(inner.target.id)
            elif (
                isinstance(inner, ast.Attribute)
                and inner.attr == "append"
                and isinstance(inner.value, ast.Name)
            ):
                names.append(inner.value.id)
        return names


def _blocks(node: ast.AST) -> Iterator[ast.AST]:
    """What holds statements, or is one, directly inside a node; expressions hold none."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, name, ())
        if isinstance(inner, list):
            yield from inner
