"""Wrong programs made of right ones: one edit each, of the kinds that people and models slip into.

Some edits change nothing, so a mutant need not be wrong; `transfer.elsewhere` tells.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import cast

from workbench.parsing import parse

_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_FIELDS = {
    "horizontal_center": "vertical_center",
    "vertical_center": "horizontal_center",
    "left": "lower",
    "right": "upper",
    "lower": "left",
    "upper": "right",
    "width": "left",
    "height": "lower",
}
_WORDS = {
    "left": "right",
    "right": "left",
    "above": "below",
    "below": "above",
    "more": "fewer",
    "fewer": "more",
    "leftmost": "rightmost",
    "rightmost": "leftmost",
    "topmost": "bottommost",
    "bottommost": "topmost",
    "largest": "smallest",
    "smallest": "largest",
    "nearest": "farthest",
    "farthest": "nearest",
}
_TAKES_NAME = ("find", "exists", "verify_property")
_ASKS = ("visual_question_answering", "simple_query")

Edit = Callable[[ast.AST], ast.AST | None]
"""Gives the node that stands in place of another; None where that one is left alone."""


def mutants(source: str, answer: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Edited programs, each with the kind of its edit; the same source comes once.

    Args:
        source: the program; untrusted.
        answer: what the kind `constant` returns.
        names: words that the kind `swapped` puts in place of the name of a thing.
    """
    try:
        tree = parse(source)
        plain = ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    sources = {plain}
    for kind, edit in _edits(answer, names):
        for mutant in _each(tree, edit):
            if mutant not in sources:
                sources.add(mutant)
                yield kind, mutant + "\n"


def _each(tree: ast.Module, edit: Edit) -> Iterator[str]:
    """The program with the edit applied at one place, for each place where it applies."""
    for at, node in enumerate(ast.walk(tree)):
        if edit(copy.deepcopy(node)) is None:
            continue
        edited = copy.deepcopy(tree)
        target = next(
            candidate for number, candidate in enumerate(ast.walk(edited)) if number == at
        )
        new = edit(target)
        if new is not None:
            swap = _Swap(target, new)
            yield ast.unparse(ast.fix_missing_locations(swap.visit(edited)))


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else cast(ast.AST, super().visit(node))


def _edits(answer: str, names: Sequence[str]) -> Iterator[tuple[str, Edit]]:
    yield "constant answer", lambda node: _constant(node, answer)
    yield "dropped filter", _drop
    yield "flipped comparison", _flip
    yield "half a comparison", _half
    yield "other extreme", _extreme
    yield "other direction", _direction
    yield "other element", _element
    yield "other word", _word
    for name in names:
        yield "swapped name", partial(_with_name, name=name)


def _constant(node: ast.AST, answer: str) -> ast.AST | None:
    return (
        ast.Return(ast.Constant(answer))
        if isinstance(node, ast.Return) and node.value is not None
        else None
    )


def _drop(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.comprehension) and node.ifs:
        return ast.comprehension(node.target, node.iter, [], node.is_async)
    if isinstance(node, ast.If):
        return ast.If(ast.Constant(True), node.body, node.orelse)
    return None


def _flip(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _FLIPPED:
        return ast.Compare(node.left, [_FLIPPED[type(node.ops[0])]()], node.comparators)
    return None


def _half(node: ast.AST) -> ast.AST | None:
    """`len(a) > len(b)` becomes `len(a) > 0`."""
    if (
        isinstance(node, ast.Compare)
        and len(node.ops) == 1
        and isinstance(node.comparators[0], ast.Call)
    ):
        return ast.Compare(node.left, node.ops, [ast.Constant(0)])
    return None


def _extreme(node: ast.AST) -> ast.AST | None:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("min", "max")
    ):
        return ast.Call(
            ast.Name("max" if node.func.id == "min" else "min", ast.Load()),
            node.args,
            node.keywords,
        )
    if isinstance(node, ast.keyword) and node.arg == "reverse":
        return ast.keyword("reverse", ast.UnaryOp(ast.Not(), node.value))
    return None


def _direction(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Attribute) and node.attr in _FIELDS:
        return ast.Attribute(node.value, _FIELDS[node.attr], node.ctx)
    return None


def _element(node: ast.AST) -> ast.AST | None:
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value == 0
    ):
        return ast.Subscript(node.value, ast.Constant(-1), node.ctx)
    return None


def _word(node: ast.AST) -> ast.AST | None:
    """A question to a tool with the first word that has an opposite replaced by it."""
    if not (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _ASKS
    ):
        return None
    if not (
        node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    ):
        return None
    pattern = rf"\b({'|'.join(_WORDS)})\b"
    text, count = re.subn(
        pattern, lambda match: _WORDS[match[0].lower()], node.args[0].value, count=1, flags=re.I
    )
    return (
        ast.Call(node.func, [ast.Constant(text), *node.args[1:]], node.keywords) if count else None
    )


def _with_name(node: ast.AST, name: str) -> ast.AST | None:
    if not (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _TAKES_NAME
    ):
        return None
    if not (
        node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    ):
        return None
    return ast.Call(node.func, [ast.Constant(name), *node.args[1:]], node.keywords)
