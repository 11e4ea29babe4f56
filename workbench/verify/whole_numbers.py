"""The one whole number that a text states, in digits or in words.

Words are read as a sentence says them: "two hundred and five", "ten thousand", "half a dozen",
"minus three".  What is no count (a share, a price, an ordinal, "more than five") is no whole number
here, so that a wrong answer never becomes a right one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.english import value

_NONE = frozenset({"none", "nothing", "no", "nobody"})
_SIGNS = {"minus": -1, "negative": -1, "plus": 1}
HUNDRED, DOZEN = "hundred", "dozen"
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_MANY = frozenset({"hundreds", "thousands", "millions", "billions", "dozens"})
"""Plurals that say no number: "hundreds of birds"."""
_INDEFINITE = frozenset({"percent", "point"})
_PARTS = frozenset((
    "first", "half", "third", "quarter", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
    "tenth", "hundredth",
))  # fmt: skip
"""After "one" a share of a thing, after "twenty" the end of an ordinal."""
_BOUND = frozenset({"than", "least", "most"})
"""The last word of "more than", "at least" and "at most", which bound a number."""

_TOKEN = re.compile(
    r"(?<![\w.,/:])(?P<digits>[-−–]?\d{1,3}(?:,\d{3})+(?:\.0+)?|[-−–]?\d{1,18}(?:\.0+)?)"
    r"(?![\w%:/+]|[.,]\d)"
    r"|(?P<number>[-−–]?\d[\w.,:/]*)"
    r"|(?P<word>[a-z']+(?:-[a-z]+)*)"
    r"|(?P<mark>[^\w\s])",
    re.ASCII,
)
"""A count in digits; any other number (3.5, 12:30, 2nd, 1/2, 5+); a word; a mark between them."""

_Token = str | int | None
"""A word, a count in digits, or None for a mark."""


def integer(text: str) -> int | None:
    """The one whole number in a plain lower-case text; None where there is not exactly one.

    >>> integer("3 dogs"), integer("3.0"), integer("twenty-one"), integer("no dogs")
    (3, 3, 21, 0)
    >>> integer("two hundred and five"), integer("a dozen"), integer("minus three")
    (205, 12, -3)
    >>> integer("3 of 5") is None, integer("one hundredth") is None, integer("<5") is None
    (True, True, True)
    """
    tokens = _tokens(text)
    if tokens is None or any(token in _MANY or token in _INDEFINITE for token in tokens):
        return None
    numbers: set[int] = set()
    at = 0
    while at < len(tokens):
        phrase = _phrase(tokens, at)
        if phrase is None:
            if tokens[at] in _NONE:
                numbers.add(0)
            at += 1
            continue
        if not phrase.counts(tokens, at):
            return None
        numbers.add(phrase.value)
        at = phrase.end
    return numbers.pop() if len(numbers) == 1 else None


def _tokens(text: str) -> list[_Token] | None:
    """The words, counts and marks of a text; None where it holds a number that is no count."""
    if any(_raised(letter) for letter in text):
        return None
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text):
        if match["number"] or match["mark"] in ("<", ">", "≤", "≥", "%"):
            return None
        if match["digits"]:
            tokens.append(int(re.sub("[−–]", "-", match["digits"]).replace(",", "").split(".")[0]))
        elif match["word"]:
            parts = match["word"].split("-")
            tokens += parts if all(map(_is_numeral, parts)) else [match["word"]]
        else:
            tokens.append(None)
    return tokens


def _raised(letter: str) -> bool:
    """Whether a letter is a raised number or a fraction: 3² and ½ are no counts."""
    return not letter.isascii() and unicodedata.decomposition(letter).startswith(
        ("<super>", "<sub>", "<fraction>")
    )


def _is_numeral(word: str) -> bool:
    return word in (HUNDRED, DOZEN, "and") or word in _SCALES or value(word) is not None


@dataclass(slots=True)
class _Phrase:
    """A number as it is said, while it is read."""

    value: int = 0
    """What is complete: everything up to the last thousand, million or billion."""
    part: int | None = None
    """What is being said, below the next scale."""
    last: int = 0
    """The value of the last word below hundred; 0 after any other word."""
    scale: int = 10**12
    """The last scale; a later one must be smaller."""
    end: int = 0
    """The place behind the phrase."""

    def counts(self, tokens: Sequence[_Token], start: int) -> bool:
        """Whether the words around the phrase leave it the count of something.

        Args:
            tokens: of the whole text.
            start: the place of the phrase in them.
        """
        before = tokens[start - 1] if start else None
        if before in _BOUND or before == "not" or str(before).endswith("n't"):
            return False
        after = list(tokens[self.end : self.end + 3])
        if after[:1] == ["and"]:
            return not (after[1:2] in (["a"], ["one"]) and after[2:3] and after[2] in _PARTS)
        ordinal = self.value == 1 or (self.last >= 20 and self.last % 10 == 0)
        return not (ordinal and after and after[0] in _PARTS)

    def take(self, token: _Token) -> bool:
        """Add the next word where it goes on with the number; says whether it did."""
        if isinstance(token, int):
            return self._digits(token)
        if token is None:
            return False
        small = value(token)
        if small is not None:
            return self._small(small)
        if token == HUNDRED:
            return self._times(100, most=99)
        if token == DOZEN:
            return self._times(12, most=10**6)
        return token in _SCALES and self._scaled(_SCALES[token])

    def _digits(self, number: int) -> bool:
        if self.part is not None or self.value:
            return False
        self.part, self.last = number, 0
        return True

    def _small(self, number: int) -> bool:
        if self.part is None:
            self.part, self.last = number, number
            return True
        tens = self.last >= 20 and self.last % 10 == 0 and 1 <= number <= 9
        hundreds = self.last == 0 and self.part >= 100 and self.part % 100 == 0
        if not (tens or hundreds):
            return False
        self.part, self.last = self.part + number, number
        return True

    def _times(self, factor: int, most: int) -> bool:
        if self.part is not None and not 1 <= self.part <= most:
            return False
        self.part, self.last = (1 if self.part is None else self.part) * factor, 0
        return True

    def _scaled(self, scale: int) -> bool:
        if scale >= self.scale or (self.part is None and self.value):
            return False
        self.value += (1 if self.part is None else self.part) * scale
        self.part, self.last, self.scale = None, 0, scale
        return True


def _phrase(tokens: Sequence[_Token], start: int) -> _Phrase | None:
    """The number that begins at a place; None where none does."""
    begin, sign, half = _opening(tokens, start)
    if half and not _is_unit(tokens[begin : begin + 1]):
        return None
    phrase = _Phrase()
    at = begin
    while at < len(tokens):
        joins = tokens[at] == "and" and phrase.last == 0 and _is_small(tokens[at + 1 : at + 2])
        if joins and at > begin:
            at += 1
        if not phrase.take(tokens[at]):
            break
        at += 1
    if at == begin:
        return None
    whole = phrase.value + (phrase.part or 0)
    phrase.value, phrase.end = sign * (whole // 2 if half else whole), at
    return phrase


def _opening(tokens: Sequence[_Token], start: int) -> tuple[int, int, bool]:
    """Where the number itself begins behind "minus", "half" and "a", its sign, and whether half."""
    at, sign, half = start, 1, tokens[start] == "half"
    first = tokens[start]
    if isinstance(first, str) and first in _SIGNS:
        at, sign = at + 1, _SIGNS[first]
    elif half:
        at += 1
    if at < len(tokens) and tokens[at] in ("a", "an") and _is_unit(tokens[at + 1 : at + 2]):
        at += 1
    return at, sign, half


def _is_unit(tokens: Sequence[_Token]) -> bool:
    """Whether a word is one that "a" and "half a" may stand before."""
    return bool(tokens) and (tokens[0] in (HUNDRED, DOZEN) or tokens[0] in _SCALES)


def _is_small(tokens: Sequence[_Token]) -> bool:
    return bool(tokens) and isinstance(tokens[0], str) and value(tokens[0]) is not None
