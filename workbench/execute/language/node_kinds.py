"""What a syntax node is for sure, whatever the program's values are: the questions that `exact`
asks.
"""

from __future__ import annotations

import ast


def reads(node: ast.AST, name: str) -> bool:
    """Whether the error is looked at otherwise than by its type, or raised again."""
    if isinstance(node, ast.Name):
        return node.id == name
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("type", "isinstance")
    ):
        return any(reads(a, name) for a in node.args[1:])
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
        return False
    return any(reads(child, name) for child in ast.iter_child_nodes(node))


def is_text(node: ast.expr) -> bool:
    """A key that is a text for sure."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def some_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value != ""


def pure(node: ast.expr) -> bool:
    """Evaluating it again changes nothing."""
    if isinstance(node, ast.Attribute):
        return pure(node.value)
    if isinstance(node, ast.Subscript):
        return pure(node.value) and pure(node.slice)
    return isinstance(node, ast.Name | ast.Constant)


def single(node: ast.expr) -> bool:
    """None, True, False or ...: of these there is one each."""
    return isinstance(node, ast.Constant) and (
        node.value is None or node.value is ... or type(node.value) is bool
    )


def no_set(node: ast.expr) -> bool:
    made = ast.List | ast.ListComp | ast.Tuple | ast.GeneratorExp
    if isinstance(node, made):
        return True
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return name in (
        "list",
        "sorted",
        "range",
        "map",
        "filter",
        "zip",
        "enumerate",
        "reversed",
        "str",
        "len",
    )


def as_load(node: ast.expr) -> ast.expr:
    """The same place, read."""
    if isinstance(node, ast.Name):
        return ast.Name(node.id, ast.Load())
    if isinstance(node, ast.Attribute):
        return ast.Attribute(
            as_load(node.value), node.attr, ast.Load(), lineno=node.lineno, col_offset=0
        )
    if isinstance(node, ast.Subscript):
        return ast.Subscript(as_load(node.value), as_load(node.slice), ast.Load())
    return node
