"""Parsing a program's source, from any thread."""

from __future__ import annotations

import ast
import threading
import warnings

_PARSING = threading.Lock()
"""Python 3.11 before 3.11.8 counts the depth of all threads' parsers together (gh-106905)."""


def parse(source: str) -> ast.Module:
    """The syntax tree of untrusted source, without warnings.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse` raises them.
    """
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)
