"""Where a rationale's reasons end and its answer begins, and what that answer is in short.

The paper's rationales end in "Thus, there is 1 bus that is not yellow." (Hu et al. 2024, section
3.2); those of `rationalize.conclude` end so too.  A text without such a sign ends in its last
sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.boxes_in_text import without_boxes
from workbench.english import SENTENCE_END
from workbench.records import Task
from workbench.verify.answers import choice, integer, yes_no

MAX_TEXT = 4000
"""Characters of a text that are read."""

_SIGN = re.compile(r"(Thus|Therefore|Hence|So)\b,?\s*")
_THE_ANSWER = re.compile(r"\banswer(?: to the question)? is:?\s+(.+)", re.IGNORECASE | re.DOTALL)
_DIGITS = re.compile(r"(?<![\w.,-])\d+(?!\w|[.,]\d)", re.ASCII)
_IS = re.compile(
    r".*\b(?:is|are|was|were)\s+(?:an?\s+|the\s+)?(?:(?:piece|pair)s?\s+of\s+)?(.+)",
    re.IGNORECASE | re.DOTALL,
)
_SHORT = 4
"""Words; a longer text without a verb of being is no short answer."""


@dataclass(frozen=True, slots=True)
class RationaleParts:
    """A rationale in three."""

    body: str
    """The reasons; empty where nothing stands before the answer."""
    lead: str
    """The sign of the ending, with its comma: `Thus,`; empty where there is none."""
    ending: str
    """What follows the sign, else the last sentence."""


def sentences(text: str) -> list[str]:
    """A text's sentences, in order."""
    return [part.strip() for part in SENTENCE_END.split(text[:MAX_TEXT]) if part.strip()]


def split(text: str) -> RationaleParts:
    """A rationale's reasons and its ending; the last sign counts.

    >>> split("There are 3 buses. Thus, there are 3 buses.")
    Parts(body='There are 3 buses.', lead='Thus,', ending='there are 3 buses.')
    """
    said = sentences(text)
    for at in range(len(said) - 1, -1, -1):
        if sign := _SIGN.match(said[at]):
            ending = " ".join([said[at][sign.end() :], *said[at + 1 :]])
            return RationaleParts(" ".join(said[:at]), f"{sign[1]},", ending)
    return RationaleParts(" ".join(said[:-1]), "", said[-1] if said else "")


def read_answer(task: Task, text: str) -> str | None:
    """The short answer that a rationale ends in; None where it cannot be read.

    "the answer is X" is taken word for word; else the ending is read as the task's type: a first
    yes or no, the first number outside boxes, the one option named, what the subject is said to be.
    """
    ending = split(text).ending
    if named := _THE_ANSWER.search(ending):
        return _bare(named[1]) or None
    plain = _bare(without_boxes(ending))
    if task.answer_type == "yesno":
        said = yes_no(plain)
        return None if said is None else "yes" if said else "no"
    if task.answer_type == "integer":
        return _number(plain)
    if task.answer_type == "choice" and task.choices:
        index = choice(plain, task.choices)
        return None if index is None else task.choices[index]
    if told := _IS.match(plain):
        return told[1]
    return plain if 0 < len(plain.split()) <= _SHORT else None


def _number(text: str) -> str | None:
    """The first number in digits ("2 of the 3 dogs", "2 that walk on four feet"), else the one in
    words.
    """
    if digits := _DIGITS.search(text):
        return digits[0]
    said = integer(text)
    return None if said is None else str(said)


def _bare(text: str) -> str:
    return " ".join(text.split()).strip(" .!\"'“”")
