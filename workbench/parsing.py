"""What other people wrote: a program's source, parsed from any thread; how deep JSON may lie."""

from __future__ import annotations

import ast
import threading
import warnings
from typing import Any

DEEPEST = 100
"""Most lists and objects that may lie in each other.

No data set needs more, and deeper values end every recursive reader and writer on their way.
"""
TOO_DEEP = f"lists and objects lie more than {DEEPEST} deep in each other; write them flatter"

_PARSING = threading.Lock()
"""Python 3.11 before 3.11.8 counts the depth of all threads' parsers together (gh-106905)."""


def parse(source: str | bytes) -> ast.Module:
    """The syntax tree of a source, without warnings; all of the workbench parses here.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse` raises them.
    """
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


class TooDeep(ValueError):
    """A JSON value is nested deeper than any reader should have to go."""


def check_depth(value: object) -> None:
    """Refuse a JSON value that is nested too deep.

    Raises:
        TooDeep: it is.
    """
    level = _inside([value])
    for _ in range(DEEPEST):
        if not level:
            return
        level = _inside([item for one in level for item in _items(one)])
    if level:
        raise TooDeep(TOO_DEEP)


def _inside(values: list[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list | tuple)]


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
