"""Nodes that the rewriting puts into a program."""

from __future__ import annotations

import ast


def nothing(node: ast.stmt) -> ast.stmt:
    """A statement of ours in the place of one that is left out."""
    return hidden(ast.Pass(), node)


def hidden(node: ast.stmt, where: ast.stmt) -> ast.stmt:
    """A statement of ours, which is not reported, on the line of another one."""
    node.lineno, node.col_offset = where.lineno, 0
    node.hidden = True  # type: ignore[attr-defined]
    return node


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """A call of one of the prelude's functions."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
