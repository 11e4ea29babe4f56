"""Which of several pictures a sentence speaks of, and whether it is the right one.

A box belongs to the picture that is named behind it, in the same clause, or to the last one that
is named in front of it: "there are 2 dogs in the second picture, at B and C", "the bus at B in the
first picture is yellow".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.boxes_in_text import boxes_in
from workbench.english import ORDINALS, ordinal, singular
from workbench.rationalize.check.support import Support

_NAMED = re.compile(
    rf"\b(?P<word>{'|'.join(ORDINALS)}|left|right) (?:picture|image|photo)\b", re.IGNORECASE
)
_SIDES = {"left": 0, "right": 1}
"""What sentences about two pictures call them."""
_THE_PICTURE = re.compile(r"\b(?:in|of) the (?:image|picture|photo)\b", re.IGNORECASE)
_THERE = re.compile(
    rf"\bthere (?:is|are) (?P<number>no|\w+) (?P<noun>[\w -]{{1,40}}?) in the "
    rf"(?P<word>{'|'.join(ORDINALS)}) picture\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"([^"]{3,400})"')
_BETWEEN = re.compile(r"(?:\s|,|and|\d)*(?:in|of) the $", re.IGNORECASE)
"""What may stand between a box and the picture that is named behind it: more boxes."""


def pictures_named(text: str) -> list[tuple[int, int]]:
    """The pictures that a text names, from 0, each with the place of its name."""
    named = []
    for match in _NAMED.finditer(text):
        word = match["word"].lower()
        number = _SIDES[word] if word in _SIDES else ORDINALS.index(word)
        named.append((match.start(), number))
    return named


def picture_of_box(text: str, start: int, end: int) -> int | None:
    """The picture in which a text says that a box lies, from 0; None where it does not say.

    Args:
        text: one sentence.
        start: the place of the box in it.
        end: one past its last character.
    """
    named = pictures_named(text)
    behind = next(((at, number) for at, number in named if at >= end), None)
    if behind is not None and _BETWEEN.fullmatch(text[end : behind[0]]):
        return behind[1]
    before = [number for at, number in named if at < start]
    return before[-1] if before else None


def wrong_pictures(text: str, facts: Support) -> Iterator[str]:
    """What is wrong with the pictures that a sentence names, where a question has several.

    Args:
        text: the sentence.
        facts: what its trace supports.
    """
    if facts.number == 1:
        return
    if (match := _THE_PICTURE.search(text)) is not None:
        yield f'"{match[0]}" does not say which of the {facts.number} pictures is meant.'
    for _, at in pictures_named(text):
        if at >= facts.number:
            yield f"There is no {ordinal(at + 1)} picture: the question has {facts.number}."
    yield from _presence(text, facts)
    yield from _quotes(text, facts)
    for box in boxes_in(text):
        own, number = facts.pictures.get(box.text), picture_of_box(text, box.start, box.end)
        if own is None:
            continue
        where = " or ".join(ordinal(one + 1) for one in sorted(own))
        if number is None:
            yield f'The box "{box.text}" needs its picture: it lies in the {where} one.'
        elif number not in own:
            other = ordinal(number + 1)
            yield f'The box "{box.text}" is in the {where} picture, not in the {other} one.'


def _presence(text: str, facts: Support) -> Iterator[str]:
    """What a sentence says to be in one of the pictures, or not, against what tools saw there."""
    for match in _THERE.finditer(text):
        noun = singular(match["noun"].lower())
        if not any(name == noun for name, _ in facts.presence):
            continue
        sights = facts.presence.get((noun, ORDINALS.index(match["word"].lower())))
        if sights is None:
            yield f'"{match[0]}" is wrong: the run looked for {noun} in another picture.'
        elif (match["number"].lower() not in ("no", "0")) not in sights:
            yield f'"{match[0]}" is wrong: the trace found otherwise in that picture.'


def _quotes(text: str, facts: Support) -> Iterator[str]:
    """Texts that tools gave for another picture than the one that the sentence names."""
    named = {number for _, number in pictures_named(text)}
    for match in _QUOTED.finditer(text):
        events = facts.says(" ".join(match[1].split()))
        looked = [facts.seen_in[seq] for seq in events if seq in facts.seen_in]
        if named and looked and not any(named & one for one in looked):
            where = ordinal(min(min(one) for one in looked) + 1)
            yield f'The text "{match[1][:80]}" is of the {where} picture.'
