"""Builtins and functions of the API of one argument, as a followed program calls them.

Each gives None for an argument that it is not followed with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workbench.rationalize.claims.claims import UNKNOWN, Count, Group, Truth, Untellable, Val
from workbench.rationalize.follow.narrowing import items_of

NUMBERS = (int, float)
"""Types of a number of a program; a bool is one."""


def boolean(value: Any) -> bool:
    """The truth of a value.

    Raises:
        Untellable: the value is not known.
    """
    if value is UNKNOWN:
        raise Untellable("unknown value")
    return bool(value)


def format_answer(value: bool | int | float | str) -> str:
    """An answer as `formatting_answer` writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _len(first: Val, rests: frozenset[int]) -> Val | None:
    if not isinstance(first.value, list | str | tuple):
        return None
    about = Count(first.about) if isinstance(first.about, Group) else None
    return Val(len(first.value), about, rests)


def _answer_text(first: Val, rests: frozenset[int]) -> Val | None:
    """The trace shows the text; its meaning is the argument's."""
    return replace(first, value=UNKNOWN) if first.value is not UNKNOWN else None


def _yes_or_no(first: Val, rests: frozenset[int]) -> Val:
    return replace(_bool(first, rests), value="yes" if boolean(first.value) else "no")


def _bool(first: Val, rests: frozenset[int]) -> Val:
    return Val(boolean(first.value), Truth(tuple(items_of(first))), rests)


def _items(first: Val, rests: frozenset[int]) -> Val | None:
    return first if isinstance(first.value, list | tuple) else None


def _abs(first: Val, rests: frozenset[int]) -> Val | None:
    return Val(abs(first.value), None, rests) if isinstance(first.value, NUMBERS) else None


def _int(first: Val, rests: frozenset[int]) -> Val | None:
    return Val(int(first.value), first.about, rests) if isinstance(first.value, NUMBERS) else None


def _sum(first: Val, rests: frozenset[int]) -> Val | None:
    values = first.value
    if not isinstance(values, list) or not all(isinstance(item, NUMBERS) for item in values):
        return None
    group = first.about
    # A sum of ones, or of bools, counts the things that it went through.
    is_count = isinstance(group, Group) and sum(values) == len(group.patches)
    about = Count(group) if is_count and isinstance(group, Group) else None
    return Val(sum(values), about, rests)


def _any(first: Val, rests: frozenset[int]) -> Val | None:
    if not isinstance(first.value, list):
        return None
    return Val(any(map(boolean, first.value)), None, rests)


def _all(first: Val, rests: frozenset[int]) -> Val | None:
    if not isinstance(first.value, list):
        return None
    return Val(all(map(boolean, first.value)), None, rests)


TEXTS_OF: Mapping[str, Callable[[Any], str]] = {"formatting_answer": format_answer, "str": str}
"""What makes a text of a number, a bool or a text."""

BUILTINS: Mapping[str, Callable[[Val, frozenset[int]], Val | None]] = {
    "len": _len,
    "formatting_answer": _answer_text,
    "coerce_to_numeric": _answer_text,
    "process_guesses": _answer_text,
    "bool_to_yesno": _yes_or_no,
    "bool": _bool,
    **dict.fromkeys(("list", "tuple", "set"), _items),
    "abs": _abs,
    "int": _int,
    "sum": _sum,
    "any": _any,
    "all": _all,
}
"""What builtins and functions of the API make of their first argument."""
