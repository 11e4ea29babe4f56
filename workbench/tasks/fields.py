"""Readers for the fields of a data set's rows.

Each gives the value, or raises ValueError with what was found and what was expected.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.records import AnswerType

Row = Mapping[str, Any]

VOTES = 10
"""From this number of answers on they are annotators' votes; fewer are alternatives."""


def describe(value: Any) -> str:
    """A value as an error message names it."""
    return "missing" if value is None else f"{type(value).__name__} {value!r:.60}"


def text(row: Row, name: str, empty: bool = False) -> str:
    """A text, unchanged, HTML and all.

    Args:
        row: the row.
        name: of the field.
        empty: whether a text without anything in it is allowed.
    """
    return _text(row.get(name), f"the {name}", empty)


def _text(value: Any, what: str, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} is {describe(value)}; expected text")
    if not empty and not value.strip():
        raise ValueError(f"{what} is empty; expected text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{what} is not UTF-8 or has half of a surrogate pair; expected text"
        ) from error
    return value


def texts(row: Row, name: str, empty: bool = False) -> tuple[str, ...]:
    """A list of texts; no texts where the field is missing.

    Args:
        row: the row.
        name: of the field.
        empty: whether a text without anything in it is allowed.
    """
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"the {name} are {describe(value)}; expected a list of texts")
    return tuple(_text(entry, f"an entry of {name}", empty) for entry in value)


def whole(row: Row, name: str) -> int:
    """A whole number."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"the {name} is {describe(value)}; expected a whole number")
    if abs(value) >= 1 << 63:
        raise ValueError(f"the {name} has {len(str(value))} digits; expected at most 18")
    return value


def flag(row: Row, name: str) -> bool:
    """True or false."""
    value = row.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"the {name} is {describe(value)}; expected true or false")
    return value


def choices(row: Row, name: str, count: int) -> tuple[str, ...]:
    """The options of a multiple-choice question; official files hold equal and empty ones.

    Args:
        row: the row.
        name: of the field.
        count: how many options there must be.
    """
    options = texts(row, name, empty=True)
    if len(options) != count:
        raise ValueError(f"the {name} are {list(options)!r:.200}; expected {count} texts")
    return options


def number_or_digits(row: Row, name: str) -> int | str:
    """A whole number, or the digits of one as text, which stay as they are: an id such as 08291."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return value
    return whole(row, name)


def text_or_number(value: Any, what: str) -> str:
    """A text or number as text; everything else, NaN and mere spaces are refused."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{what} is {describe(value)}; expected text or a number")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{what} is {value}; expected text or a number, or leave it out")
        return str(int(value)) if value.is_integer() else str(value)
    letters = str(value)
    if not letters.strip():
        raise ValueError(f"{what} is empty; expected text, or leave it out")
    return letters


_TRUTHS = frozenset({"yes", "no", "true", "false"})
_WHOLE = re.compile(r"[-\u2212+]?\d+(?:\.0+)?")


def answer_type(answers: Sequence[str], options: Sequence[str] = ()) -> AnswerType:
    """How answers are compared, judged by the options and the gold answers.

    All answers decide together; of ten votes or more, the most frequent one decides.
    """
    if options:
        return "choice"
    if len(answers) >= VOTES:
        answers = [Counter(answers).most_common(1)[0][0]]
    if answers and all(answer.strip().lower() in _TRUTHS for answer in answers):
        return "yesno"
    if answers and all(_WHOLE.fullmatch(answer.strip()) for answer in answers):
        return "integer"
    return "open"
