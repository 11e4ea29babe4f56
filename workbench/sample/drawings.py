"""Drawings of programs, and which of them a question keeps where its programs should differ.

What is drawn again is drawn ahead: drawings that agree are one row of the model while they do, so
that the next drawing of a program costs little beside the first one and a round of its own much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Place = tuple[int, int]
"""Number of a question in the batch, and of one of its programs."""


@dataclass(slots=True)
class Drawing:
    """A program while it is being written."""

    task: int
    """Number of its question in the batch."""
    index: int
    """Number of the program among those of its question."""
    draw: int
    """How many times it was drawn before, because its program was there already."""
    seed: int
    chance: np.ndarray
    """Uniform numbers in [0, 1), one per token."""
    tokens: list[int] = field(default_factory=list)
    logp: float = 0.0
    """Sum of its tokens' log-probabilities at temperature 1."""
    greedy: bool = False
    """Whether it takes the likeliest token each time, whatever the sampler's temperature is."""


def ahead(redraws: int) -> int:
    """How many drawings of a program are made at once, the first one included.

    Args:
        redraws: how many times at most it is drawn again.
    """
    return 1 + min(redraws, 1)


def different(
    places: Sequence[Place],
    redraws: int,
    write: Callable[[Iterable[tuple[Place, int]]], Sequence[Drawing]],
    outline: Callable[[Drawing], str],
) -> list[Drawing]:
    """The drawing that each place keeps: the first, unless an earlier place has its program.

    The place is then drawn again, until its program is a new one or it was drawn so many times; the
    last drawing stays.  What a place keeps follows from the places of its own question before it.

    Args:
        places: grouped by question, the programs of each in order.
        redraws: how many times at most a place is drawn again.
        write: makes drawings, by place and number; called few times, with many.
        outline: what two drawings share that count as the same program.
    """
    drawings = dict[tuple[Place, int], Drawing]()
    outlines = dict[tuple[Place, int], str]()

    def make(keys: Iterable[tuple[Place, int]]) -> None:
        fresh = [key for key in keys if key not in drawings]
        for key, drawing in zip(fresh, write(fresh) if fresh else (), strict=True):
            drawings[key] = drawing
            outlines[key] = outline(drawing)

    # the first program of a question is never drawn again
    make((place, draw) for place in places for draw in range(ahead(redraws) if place[1] else 1))
    kept = dict.fromkeys(places, 0)
    for _ in range(redraws):
        again = _repeated(kept, outlines)
        if not again:
            break
        if any((place, kept[place] + 1) not in drawings for place in again):
            make((place, draw) for place in again for draw in range(kept[place] + 1, redraws + 1))
        for place in again:
            kept[place] += 1
    return [drawings[key] for key in kept.items()]


def _repeated(kept: Mapping[Place, int], outlines: Mapping[tuple[Place, int], str]) -> list[Place]:
    """Places whose program an earlier place of the question has."""
    earlier = set[tuple[int, str]]()
    places = []
    for place, draw in kept.items():
        key = (place[0], outlines[place, draw])
        if key in earlier:
            places.append(place)
        earlier.add(key)
    return places
