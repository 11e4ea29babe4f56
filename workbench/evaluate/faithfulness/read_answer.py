"""Where the reasons of a rationale end, and the short answer that it states.

The paper's rationales end in "Thus, there is 1 bus that is not yellow." (Hu et al. 2024, section
3.2), and those of `rationalize.say` do too.  A text without such a sign ends in its last
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
"""Number of characters of a text that are read, the last ones: they hold the answer."""

_SIGN = re.compile(r"(Thus|Therefore|Hence|So)\b,?\s*")
_THE_ANSWER = re.compile(r"\banswer(?: to the question)? is:?\s+(.+)", re.IGNORECASE | re.DOTALL)
_DIGITS = re.compile(r"(?<![\w.,-])\d+(?!\w|[.,]\d)", re.ASCII)
_IS = re.compile(
    r".*\b(?:is|are|was|were)\s+(?:an?\s+|the\s+)?(?:(?:piece|pair)s?\s+of\s+)?(.+)",
    re.IGNORECASE | re.DOTALL,
)
_SHORT = 4
"""Most words of a short answer without a verb of being."""


@dataclass(frozen=True, slots=True)
class RationaleParts:
    """The three parts of a rationale."""

    body: str
    """The reasons; empty where nothing stands before the answer."""
    lead: str
    """The sign of the ending with its comma, for example `Thus,`; empty where there is none."""
    ending: str
    """The text after the sign, or the last sentence where there is no sign."""


def sentences(text: str) -> list[str]:
    """A text's sentences, in order."""
    return [part.strip() for part in SENTENCE_END.split(text[-MAX_TEXT:]) if part.strip()]


def split(text: str) -> RationaleParts:
    """A rationale's reasons and its ending; the last sign counts.

    >>> split("There are 3 buses. Thus, there are 3 buses.")
    RationaleParts(body='There are 3 buses.', lead='Thus,', ending='there are 3 buses.')
    """
    all_sentences = sentences(text)
    for at in range(len(all_sentences) - 1, -1, -1):
        if sign := _SIGN.match(all_sentences[at]):
            ending = " ".join([all_sentences[at][sign.end() :], *all_sentences[at + 1 :]])
            return RationaleParts(" ".join(all_sentences[:at]), f"{sign[1]},", ending)
    return RationaleParts(
        " ".join(all_sentences[:-1]), "", all_sentences[-1] if all_sentences else ""
    )


def read_answer(task: Task, text: str) -> str | None:
    """The short answer that a rationale ends in; None where it cannot be read.

    "the answer is X" counts word for word.  Any other ending is read by the type of answer: a first
    yes or no, the first number outside boxes, the one option named, or what the subject is called.
    """
    ending = split(text).ending
    if match := _THE_ANSWER.search(ending):
        return _bare(match[1]) or None
    plain = _bare(without_boxes(ending))
    if task.answer_type == "yesno":
        return {True: "yes", False: "no", None: None}[yes_no(plain)]
    if task.answer_type == "integer":
        return _number(plain)
    if task.answer_type == "choice" and task.choices:
        index = choice(plain, task.choices)
        return None if index is None else task.choices[index]
    if match := _IS.match(plain):
        return match[1]
    return plain if 0 < len(plain.split()) <= _SHORT else None


def _number(text: str) -> str | None:
    """The first number in digits ("2 of the 3 dogs"), or the only one in words."""
    if digits := _DIGITS.search(text):
        return digits[0]
    number = integer(text)
    return None if number is None else str(number)


def _bare(text: str) -> str:
    return " ".join(text.split()).strip(" .!\"'“”")
