"""Rationales made wrong on purpose, one slip each, as a model that rewrites traces makes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.boxes_in_text import boxes_in, split_at_boxes

SIDES = (
    ("left", "right"),
    ("leftmost", "rightmost"),
    ("above", "below"),
    ("highest", "lowest"),
    ("higher", "lower"),
    ("topmost", "bottommost"),
)
SIZES = (
    ("largest", "smallest"),
    ("larger", "smaller"),
    ("nearest", "farthest"),
    ("nearer", "farther"),
    ("more", "fewer"),
    ("tallest", "shortest"),
    ("widest", "narrowest"),
)
_NEGATIONS = (
    (r"\bis not\b", "is"),
    (r"\bare not\b", "are"),
    (r"\bcannot\b", "can"),
    (r"\bcan (?!not)", "cannot "),
    (r"\bdoes not have\b", "has"),
    (r"\bdo not have\b", "have"),
    (r"(?<!not )\bhas (?=[a-z]+ legs|wheels)", "does not have "),
    (r"(?<!not )\bhave (?=[a-z]+ legs|wheels)", "do not have "),
    (r"\bdoes not lay\b", "lays"),
    (r"\bdo not lay\b", "lay"),
    (r"\blays (?=eggs)", "does not lay "),
    (r"\b[Tt]here is no ", "There is a "),
    (r"\b[Tt]here is (?:1|an?) ", "There is no "),
    (r"\b[Tt]here are (?=more|fewer|as many)", "There are not "),
    (r"(?<!either)(?<!one) \b(is|are) (?=left of|right of|above|below)", r" \1 not "),
    (r"\b[Nn](?:either|one) of the \d+ (\w+)", r"All the \1"),
    (r"\b(?:Both|All \d+|All the) (\w+)", r"None of the \1"),
    (r"the answer is yes\.", "the answer is no."),
    (r"the answer is no\.", "the answer is yes."),
    (r'" is "yes"', '" is "no"'),
    (r'" is "no"', '" is "yes"'),
)
KINDS = ("side", "size", "negation", "left out", "box", "number")


def _outside_quotes(text: str, place: int) -> bool:
    return text.count('"', 0, place) % 2 == 0


def _swapped(text: str, pairs: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for one, other in pairs:
        for word, instead in ((one, other), (other, one)):
            for match in re.finditer(rf"\b{word}\b", text):
                if _outside_quotes(text, match.start()):
                    yield text[: match.start()] + instead + text[match.end() :]


def _negated(text: str) -> Iterator[str]:
    for pattern, instead in _NEGATIONS:
        for match in re.finditer(pattern, text):
            if '"' in pattern or _outside_quotes(text, match.start()):
                yield text[: match.start()] + match.expand(instead) + text[match.end() :]


def _shorter(text: str) -> Iterator[str]:
    sentences = re.findall(r"[A-Z](?:[^.\"]|\"[^\"]*\")*\.(?=\s|$)", text)
    for at in range(len(sentences) - 1):
        rest = " ".join((*sentences[:at], *sentences[at + 1 :]))
        if not _words(sentences[at]) <= _words(rest):
            yield rest  # a sentence that others repeat is not missed


def _words(text: str) -> set[str]:
    """Words, numbers and boxes of a text, the form of its sentences aside."""
    plain = re.sub(r"\bthe answer is .*", "", text.lower())
    boxes = {box.text for box in boxes_in(text)}
    form = {"there", "is", "are", "in", "the", "image", "thus", "at", "and", "a", "an", "one"}
    words = re.findall(r"[a-z]+|\d+", " ".join(split_at_boxes(plain)[::2]))
    return boxes | {word.rstrip("s") for word in words if word not in form}


def _moved(text: str) -> Iterator[str]:
    for box in boxes_in(text):
        yield f"{text[: box.start]}{(box.ymin + 37) % 400} {text[box.start :].split(' ', 1)[1]}"


def _numbered(text: str, off: int) -> Iterator[str]:
    pieces = split_at_boxes(text)
    for at in range(0, len(pieces), 2):
        for match in re.finditer(r"(?<![\w.,])\d{1,2}(?![\w.,])", pieces[at]):
            number = str(int(match[0]) + off)
            piece = pieces[at][: match.start()] + number + pieces[at][match.end() :]
            yield "".join((*pieces[:at], piece, *pieces[at + 1 :]))


def slips(text: str, off: int = 37) -> Iterator[tuple[str, str]]:
    """Every slip of a rationale: its kind and the text with it.

    Args:
        text: the rationale.
        off: by how much a number is wrong.
    """
    for kind, texts in (
        ("side", _swapped(text, SIDES)),
        ("size", _swapped(text, SIZES)),
        ("negation", _negated(text)),
        ("left out", _shorter(text)),
        ("box", _moved(text)),
        ("number", _numbered(text, off)),
    ):
        yield from ((kind, wrong) for wrong in texts if wrong != text)
