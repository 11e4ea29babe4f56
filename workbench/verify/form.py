"""One form for the ways in which a free answer or an option is written, with its signs kept.

The VQA normalisation (`normalise`) makes "C++" and "C", "-5" and "5", "a > b" and "a < b" the same.
For the official scores that is right; for the question which of two options was named it is not.
So the signs that change what a text says pass through it here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from workbench.verify.normalise import normalise

_KEPT = {"+": "\ue000", "-": "\ue001", "<": "\ue002", ">": "\ue003", "=": "\ue004", "/": "\ue005"}
_KEPT |= {",": "\ue006"}
"""Signs that count, and the letters (of the private use area) that they pass as."""
_BACK = {ord(letter): sign for sign, letter in _KEPT.items()}
_PLUS, _MINUS, _LESS, _MORE, _EQUALS, _OVER, _COMMA = _KEPT.values()

_STRAIGHT = str.maketrans("’‘“”−‐‑‒–﹣－", "''\"\"" + "-" * 7)
"""Typographic quotes and minus signs, and the plain ones that mean the same."""
_HAS_SIGN = re.compile(r"[-+<>=/]|\d,\d")
_OPERAND = r"(?:[A-Za-z]|\d[\d.,]*)"

_SIGNS = tuple(
    (re.compile(pattern), sign)
    for pattern, sign in (
        (r"<=|=<", " ≤ "),
        (r">=", " ≥ "),
        (r"!=|<>", " ≠ "),
        (r"-+>|=+>", " → "),
        (r"=+", f" {_EQUALS} "),
        (r"<", f" {_LESS} "),
        (r">", f" {_MORE} "),
        # 3 - 2, x-y, 1990-2000
        (rf"(?<![\w.,])({_OPERAND})\s*-\s*(?={_OPERAND}(?!\w))", rf"\1 {_MINUS} "),
        # -5, -.5, -$5, -x
        (r"(?<![\w)\]])-(?=[$€£]?\.?\d|[A-Za-z](?![\w-]))", _MINUS),
        # A-, AB-: a grade, a blood group
        (r"(?<!\w)([A-Za-z]{1,2})-(?=\s*(?:[.,;:!?)\]]|\Z))", rf"\1{_MINUS}"),
        (r"(?<![\w)+])\+(?=[$€£]?\.?\d)", ""),
        # C++, 5+
        (r"(?<=\w)\++(?!\w)", lambda match: _PLUS * len(match[0])),
        (r"\+", f" {_PLUS} "),
        (r"(?<=\d)\s*/\s*(?=\d)", _OVER),
        # 1,5 is not 15; 1,500 is 1500.
        (r"(?<=\d),(?=\d)(?!\d{3}(?!\d))", _COMMA),
    )
)
"""In this order: what is a sign, and what it passes as."""


def folded(text: str) -> str:
    """A text with one character for all ways of encoding it (Unicode's NFKC), quotes straight.

    Raised digits and fractions stay what they are: 10² is not 102.

    >>> folded("cafe\\u0301") == "caf\\u00e9", folded("\\uff59es"), folded("\\u00b2") == "2"
    (True, 'yes', False)
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    return "".join(map(_letter, text)).translate(_STRAIGHT)


def _letter(letter: str) -> str:
    if letter.isascii():
        return letter
    if unicodedata.decomposition(letter).startswith(("<super>", "<sub>", "<fraction>")):
        return letter
    if unicodedata.category(letter) == "Cf":  # marks without a glyph, as the zero-width space
        return ""
    return unicodedata.normalize("NFKC", letter)


@lru_cache(maxsize=4096)
def form(text: str) -> str:
    """The VQA normalisation of a text with the signs that change what it says.

    A text of which nothing would be left ("the", "?") is its own form.

    >>> form("The Dog."), form("C++"), form("-5"), form("a<b"), form("t-shirt")
    ('dog', 'c++', '-5', '< b', 't shirt')
    """
    text = folded(text)
    plain = text
    if _HAS_SIGN.search(plain):
        for pattern, sign in _SIGNS:
            plain = pattern.sub(sign, plain)
    plain = normalise(plain).translate(_BACK)
    return plain or " ".join(text.lower().split())
