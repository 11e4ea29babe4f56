"""Fields of a data set's rows: each reader gives the value, or a ValueError with what was found and
expected.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.records import AnswerType

Row = Mapping[str, Any]

VOTES = 10
"""From so many answers on they are annotators' votes; fewer are alternatives."""


def describe(value: Any) -> str:
    """A value as an error message names it."""
    return "missing" if value is None else f"{type(value).__name__} {value!r:.60}"


def text(row: Row, name: str, empty: bool = False) -> str:
    """A text, taken as it is, HTML and all; `empty` allows one without anything in it."""
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


def texts(row: Row, name: str) -> tuple[str, ...]:
    """A list of texts; missing is none."""
    found = row.get(name)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise ValueError(f"the {name} are {describe(found)}; expected a list of texts")
    return tuple(_text(entry, f"an entry of {name}", False) for entry in found)


def whole(row: Row, name: str) -> int:
    """A whole number."""
    found = row.get(name)
    if isinstance(found, bool) or not isinstance(found, int):
        raise ValueError(f"the {name} is {describe(found)}; expected a whole number")
    if abs(found) >= 1 << 63:
        raise ValueError(f"the {name} has {len(str(found))} digits; expected at most 18")
    return found


def flag(row: Row, name: str) -> bool:
    """True or false."""
    found = row.get(name)
    if not isinstance(found, bool):
        raise ValueError(f"the {name} is {describe(found)}; expected true or false")
    return found


def choices(row: Row, name: str, count: int) -> tuple[str, ...]:
    """The options of a multiple-choice question, all different."""
    found = texts(row, name)
    if len(set(found)) != count or len(found) != count:
        raise ValueError(f"the {name} are {list(found)!r:.200}; expected {count} different texts")
    return found


def text_or_number(value: Any, what: str) -> str:
    """A text or number as text; refuses everything else, NaN, and nothing but spaces."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{what} is {describe(value)}; expected text or a number")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{what} is {value}; expected text or a number, or leave it out")
        return str(int(value)) if value.is_integer() else str(value)
    said = str(value)
    if not said.strip():
        raise ValueError(f"{what} is empty; expected text, or leave it out")
    return said


def answer_type(answers: Sequence[str], options: Sequence[str] = ()) -> AnswerType:
    """How answers are compared, from the options, or from what all answers (of ten votes: the most
    frequent) are.
    """
    if options:
        return "choice"
    if len(answers) >= VOTES:
        answers = [Counter(answers).most_common(1)[0][0]]
    if answers and all(answer.strip().lower() in ("yes", "no") for answer in answers):
        return "yesno"
    if answers and all(answer.strip().isdecimal() for answer in answers):
        return "integer"
    return "open"
