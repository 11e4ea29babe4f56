"""What is certain of a syntax node, whatever the program's values are; `same_as_python` asks it."""

from __future__ import annotations

import ast

from workbench.execute.language.tables import TEXT_OF


def reads(node: ast.AST, name: str) -> bool:
    """True if a node uses the error `name` for anything but its type or raising it again."""
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
    """Whether an expression is certainly a text."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def makes_text(name: str | None, method: str) -> bool:
    """Whether a call of a builtin or method writes its arguments as text, sets inside them too."""
    error = (name or "").endswith("Error") or name == "Exception"
    return error or name in TEXT_OF or method == "format"


def some_text(node: ast.expr) -> bool:
    """Whether an expression is a constant other than the empty text."""
    return isinstance(node, ast.Constant) and node.value != ""


def pure(node: ast.expr) -> bool:
    """Whether an expression can be evaluated a second time without any effect."""
    if isinstance(node, ast.Attribute):
        return pure(node.value)
    if isinstance(node, ast.Subscript):
        return pure(node.value) and pure(node.slice)
    return isinstance(node, ast.Name | ast.Constant)


def single(node: ast.expr) -> bool:
    """Whether an expression is None, True, False or `...`, of which there is one object each."""
    return isinstance(node, ast.Constant) and (
        node.value is None or node.value is ... or type(node.value) is bool
    )


_NO_SETS = frozenset(
    {"list", "sorted", "range", "map", "filter", "zip", "enumerate", "reversed", "str", "len"}
)
"""Builtins whose result is not a set."""


def no_set(node: ast.expr) -> bool:
    """Whether an expression is certainly not a set."""
    if isinstance(node, ast.List | ast.ListComp | ast.Tuple | ast.GeneratorExp):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _NO_SETS
    return False


def as_load(node: ast.expr) -> ast.expr:
    """The place of an assignment as an expression that reads it."""
    if isinstance(node, ast.Name):
        return ast.Name(node.id, ast.Load())
    if isinstance(node, ast.Attribute):
        return ast.Attribute(
            as_load(node.value), node.attr, ast.Load(), lineno=node.lineno, col_offset=0
        )
    if isinstance(node, ast.Subscript):
        return ast.Subscript(as_load(node.value), as_load(node.slice), ast.Load())
    return node


def is_new_place(target: ast.expr) -> bool:
    """Whether a target is an item, under a key, of a value that the target itself makes."""
    if not isinstance(target, ast.Subscript):
        return False
    plain_key = isinstance(target.slice, ast.Slice) or is_text(target.slice)
    return not (plain_key or pure(target.value))


def unpacks(target: ast.expr) -> bool:
    """Whether an assignment to a target walks the value."""
    if isinstance(target, ast.Subscript):
        return isinstance(target.slice, ast.Slice)
    return isinstance(target, ast.Tuple | ast.List)


def keys_may_be_equal(node: ast.Dict) -> bool:
    """Whether two keys of a dict in braces may be equal and yet different, such as 1 and True.

    Constants of one type are equal only if they are the same, so they are left alone.
    """
    keys = [key for key in node.keys if key is not None and not is_text(key)]
    unpackings = sum(key is None for key in node.keys)
    if len(keys) + unpackings < 2:
        return False
    kinds = {type(key.value) if isinstance(key, ast.Constant) else None for key in keys}
    return unpackings > 0 or len(kinds) != 1 or None in kinds


def arguments_call(node: ast.Call) -> bool:
    """Whether an argument of a call holds a call."""
    parts = [*node.args, *node.keywords]
    return any(isinstance(n, ast.Call) for part in parts for n in ast.walk(part))


def takes_one(node: ast.Call) -> bool:
    """Whether a call has one argument, which is written out."""
    return len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
