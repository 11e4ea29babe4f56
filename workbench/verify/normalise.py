"""The VQA normalisation of an answer, for the comparators and the VQA score.

Source: `vqaEval.py` of GT-Vision-Lab/VQA (`processPunctuation`, `processDigitArticle`), described
in our own words.
"""

from __future__ import annotations

import re
from typing import Literal

from workbench.english import NUMBERS

Mode = Literal["always", "official"]
"""`official` normalises ONLY IF the annotators' answers are not all identical.

`always`, as most other implementations do, normalises every answer.
"""

MARKS = ';/[]"{}()=+\\_-><@`,?!'
"""Marks that are deleted or become a space; the colon, the apostrophe, `&`, `%` and `$` stay."""

_NUMBERS = {word: str(value) for value, word in enumerate(NUMBERS[:11])} | {"none": "0"}
_ARTICLES = frozenset({"a", "an", "the"})

_CONTRACTED = (
    "ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've "
    "hasn't haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am "
    "mightn't mightn't've might've mustn't must've needn't not've o'clock oughtn't 'ow's'at "
    "shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's "
    "someone'd someone'd've someone'll someone's something'd something'd've something'll "
    "that's there'd there'd've there're there's they'd they'd've they'll they're they've "
    "'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd where's "
    "where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't "
    "wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've"
)


def _contraction_table() -> dict[str, str]:
    # The official table lists each word with any ONE apostrophe left out, and has one slip, kept
    # for equality: "somebody'd" loses its apostrophe.
    table = {"somebody'd": "somebodyd"}
    for word in _CONTRACTED.split():
        for at, letter in enumerate(word):
            if letter == "'":
                table[word[:at] + word[at + 1 :]] = word
    return table


_CONTRACTIONS = _contraction_table()
_PERIOD = re.compile(r"\.(?!\d)")
_COMMA = re.compile(r"\d,\d")
_PERIODS = 32
"""Most periods dropped: the official script passes `re.UNICODE` (32) where `sub` takes a count."""


def clean(text: str) -> str:
    """An answer with newlines and tabs as spaces, without space around it; so in every mode."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def normalise(text: str) -> str:
    """The official normalisation of one answer.

    >>> normalise("The Dog"), normalise("1, 000"), normalise("t-shirt")
    ('dog', '1 000', 't shirt')
    """
    text = clean(text)
    digits = _COMMA.search(text) is not None
    out = text
    for mark in MARKS:
        beside_space = mark + " " in text or " " + mark in text
        out = out.replace(mark, "" if beside_space or digits else " ")
    out = _PERIOD.sub("", out, count=_PERIODS)
    words = (_NUMBERS.get(word, word) for word in out.lower().split())
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)
