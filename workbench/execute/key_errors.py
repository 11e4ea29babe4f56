"""The text of a KeyError as Python prints it: a text in quotes, anything else as it is written.

Monty keeps only how a key is written, `2` for the number and for the text alike.  Which of both it
was is told by the program: by the keys that stand at the line of the error, and by the last values
of the names among them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from workbench.parsing import parse
from workbench.records import JSON

Values = Callable[[str], Iterable[JSON]]
"""Gives the last values of a name, one for each call of a function that has it."""

_NO_TEXT = re.compile(
    r"['\"].*|[-+]?[.]?\d.*|[-+]?(inf|nan)|[(\[{<].*|None|True|False|Ellipsis|[A-Za-z_]\w*\(.*",
    re.DOTALL,
)
"""How keys are written that may be no texts."""
_TAKERS = frozenset({"pop", "remove", "KeyError"})
"""Functions whose first argument becomes the key of their error."""
_TEXTS = frozenset({"str", "repr", "format", "lower", "upper", "strip", "join", "replace"})
"""Functions whose result is a text."""


def key_error_text(key: str, source: str, line: int | None, values: Values) -> str:
    """The text of a KeyError.

    Args:
        key: What Monty keeps of the key.
        source: The program.
        line: Where the error arose; None where that is not known.
        values: The last values of the program's names.
    """
    if key.startswith("popitem(") or not _NO_TEXT.fullmatch(key):
        return repr(key)
    kinds = {kind for node in _keys(source, line) for kind in _kinds(node, key, values)}
    return repr(key) if kinds == {str} else key


@lru_cache(maxsize=64)
def _keys(source: str, line: int | None) -> tuple[ast.expr, ...]:
    """The expressions at a line whose value may be a key that is missing."""
    try:
        return tuple(_keys_in(parse(source), line))
    except (SyntaxError, ValueError, RecursionError):
        return ()


def _keys_in(tree: ast.Module, line: int | None) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        at = getattr(node, "lineno", None)
        if at is None or line is None or not at <= line <= (getattr(node, "end_lineno", at) or at):
            continue
        if isinstance(node, ast.Subscript):
            yield node.slice
        elif isinstance(node, ast.Call) and node.args and _function(node) in _TAKERS:
            yield node.args[0]


def _function(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _kinds(node: ast.expr, key: str, values: Values) -> Iterator[type]:
    """The type of each value that an expression may have and that is written like the key."""
    if isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Call) and _function(node) in _TEXTS
    ):
        yield str
        return
    if isinstance(node, ast.Constant):
        candidates: Iterable[object] = [node.value]
    elif isinstance(node, ast.Name):
        candidates = values(node.id)
    else:
        candidates = []
    for value in candidates:
        if (value if isinstance(value, str) else repr(value)) == key:
            yield type(value)
