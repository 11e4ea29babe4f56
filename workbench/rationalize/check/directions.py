"""Words that point one way: `left of`, `largest`, `nearer to`; each with axis and direction.

A sentence in which such a word is turned round is wrong although every name, number and box in it
occurs in the trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.rationalize.check.stop_words import STOCK
from workbench.rationalize.check.support import WORD, stem

_LEAST: dict[str, tuple[str, ...]] = {
    "across": ("left", "leftmost", "left-hand"),
    "up": ("below", "beneath", "under", "lower", "lowest", "bottommost", "lower down"),
    "area": ("smaller", "smallest"),
    "width": ("narrower", "narrowest"),
    "height": ("shorter", "shortest"),
    "distance": ("nearer", "nearest", "closer", "closest"),
}
_MOST: dict[str, tuple[str, ...]] = {
    "across": ("right", "rightmost", "right-hand"),
    "up": ("above", "over", "higher", "highest", "topmost", "higher up"),
    "area": ("larger", "largest", "bigger", "biggest"),
    "width": ("wider", "widest"),
    "height": ("taller", "tallest"),
    "distance": ("farther", "farthest", "further", "furthest"),
}
WAYS: dict[str, tuple[str, int]] = {
    **{word: (axis, -1) for axis, words in _LEAST.items() for word in words},
    **{word: (axis, 1) for axis, words in _MOST.items() for word in words},
}
"""Axis and direction of each word."""

_SUPERLATIVES = frozenset(
    word for words in (*_LEAST.values(), *_MOST.values()) for word in words if word.endswith("st")
)
_POINTING = re.compile(
    r"\b(?P<word>(?:left|right)(?:-hand)?(?= (?:side )?of\b)"
    r"|(?:above|below|beneath|under|over)(?= (?:the|a|an|it|that|both|any|all)\b)"
    r"|(?:larger|smaller|bigger|wider|narrower|taller|shorter|higher|lower)(?= (?:than|of the 2)\b)"
    r"|(?:nearer|closer|farther|further)(?= (?:to|from|of)\b)"
    r"|[a-z]+most|largest|smallest|biggest|widest|narrowest|tallest|shortest|highest|lowest"
    r"|nearest|closest|farthest|furthest)\b"
)
_END = re.compile(r"[,.;]| (?:is|are|and the answer|can|cannot|does|do|has|have)\b|\Z")
_NONE = re.compile(r"\b(?:no|none|neither|nor)\b")
_NOT = re.compile(r"\b(?:not|cannot|never)\b|n't\b")
BOX = re.compile(r"§(\d+)")
"""A box in the text of a clause; the number is its place among the clause's boxes."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """One word of a clause that points one way."""

    word: str
    axis: str
    way: int
    """-1 for the least (left, below, smallest, nearest), 1 for the most."""
    denied: bool
    """Whether a negation stands before it in its clause."""
    superlative: bool
    before: frozenset[str]
    """Stems of the words before it in its clause."""
    after: frozenset[str]
    """Stems of the words behind it, up to the next verb or comma."""
    boxes: tuple[int, ...]
    """Places of the boxes before it; of a superlative, of all the clause's."""


def pointings(clause: str) -> Iterator[Pointing]:
    """The words of a clause that point one way.

    Args:
        clause: in lower case, with boxes as `§0`, `§1`, ... and without quoted text.
    """
    for match in _POINTING.finditer(clause):
        word = match["word"]
        if word not in WAYS:
            continue
        axis, way = WAYS[word]
        if "camera" in clause[match.end() : match.end() + 16]:
            axis = "depth"
        end = _END.search(clause, match.end())
        behind = clause[match.end() : end.start() if end else len(clause)]
        before = clause[: match.start()]
        superlative = word in _SUPERLATIVES or word.endswith("most")
        superlative |= behind.startswith(" of the 2") or before.endswith(" is the ")
        where = clause if superlative else before
        yield Pointing(
            word,
            axis,
            way,
            denies(before),
            superlative,
            stems_of(before),
            stems_of(behind),
            tuple(int(box[1]) for box in BOX.finditer(where)),
        )


def stems_of(text: str) -> frozenset[str]:
    """Stems of the words that name something."""
    words = {word.lower() for word in WORD.findall(text)}
    return frozenset(stem(word) for word in words if word not in STOCK or word in _THINGS)


_THINGS = frozenset(
    ("object", "objects", "thing", "things", "item", "items", "middle", "text", "picture")
)
"""Words of the form itself that may be what a sentence is about."""


def denies(text: str) -> bool:
    """Whether a clause is negative: `none is red`, `it is not red`, but not `none is not red`."""
    return (_NONE.search(text) is None) != (_NOT.search(text) is None)
