"""What a transform is given that learns once the student is finished, and how it learns.

`train/workshop.py` gives it; the transform has the student frozen but for its own few numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from workbench.records import Lesson

Row = tuple[str, Lesson]
"""The digest of a picture, and a lesson about it."""


@dataclass(frozen=True, slots=True)
class TaughtExample:
    """An example of the snapshot, as a transform sees it."""

    image: str
    """Digest of the picture."""
    source: str
    family: str
    by_person: bool
    """Whether a person accepted it."""
    things: frozenset[str]
    """What the program's boxes are called, in small letters."""
    lessons: tuple[Lesson, ...]
    """The first one asks for the answer."""

    @property
    def rows(self) -> list[Row]:
        """Its lessons, each with the picture."""
        return [(self.image, lesson) for lesson in self.lessons]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the loop lends a transform."""

    training: Sequence[TaughtExample]
    held_out: Sequence[TaughtExample]
    """In the order in which the held-out side is asked."""
    nats: Callable[[Any, Sequence[Row]], Tensor]
    """The mean cross-entropy of each lesson's target, `(L,)`, with a gradient to the student."""
    right: Callable[[Any, Sequence[Row]], Sequence[float]]
    """How right the student's own answer to each lesson is, 0 to 1."""
    eyes: Callable[[Any], nn.Module]
    """The part of a student that turns what it sees into positions of its text."""
    file: Callable[[str], Path]
    """The file of a name: of the bundled ones, or a path, which may be relative to the job."""
    seed: int


@runtime_checkable
class LearnsFromLessons(Protocol):
    """A transform that learns; `train/training_run.py` lends it a workshop at the start."""

    def enter(self, shop: Workshop) -> None:
        """Look at what there is to learn from.

        Raises:
            InputError: there is nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fit:
    """How a few numbers are learnt."""

    steps: int
    batch: int
    rate: float
    """Learning rate of AdamW."""


def fit(
    model: Any, parameters: Sequence[nn.Parameter], rows: Sequence[Row], shop: Workshop, how: Fit
) -> None:
    """Learn some parameters from lessons, everything else of the model being frozen.

    The same seed takes the same lessons in the same order.

    Args:
        model: the student, with the parameters in it.
        parameters: what is learnt.
        rows: the lessons, at least one.
        shop: computes their losses.
        how: steps, batch and rate.
    """
    model.requires_grad_(False)
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=how.rate, weight_decay=0.0)
    order = in_turn(len(rows), shop.seed)
    for _ in range(how.steps):
        chosen = [rows[next(order)] for _ in range(min(how.batch, len(rows)))]
        optimizer.zero_grad()
        loss: Any = shop.nats(model, chosen).mean()
        loss.backward()
        optimizer.step()
    model.eval().requires_grad_(False)


def in_turn(count: int, seed: int) -> Iterator[int]:
    """Numbers below `count` without end, each once before any comes again, in a drawn order."""
    dice = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(count, generator=dice).tolist()


def share_right(model: Any, rows: Sequence[Row], shop: Workshop) -> dict[str, float | int | None]:
    """How many of some questions a student answers right, as a report has it.

    Args:
        model: the student.
        rows: the questions.
        shop: asks and judges.
    """
    scores = shop.right(model, rows) if rows else []
    right = round(sum(scores), 4)
    return {"right": right, "of": len(rows), "share": round(right / len(rows), 4) if rows else None}
