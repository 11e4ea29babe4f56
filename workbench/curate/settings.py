"""The rules of a project's queue, as its admin set them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from msgspec import Meta

from workbench.schema import check

Order = Literal[
    "disagreement", "student", "newest", "random", "acceptance", "suspicion", "picture", "program",
    "rationale",
]  # fmt: skip
"""disagreement   programs of one question that disagree most first
student        where student and programs are furthest apart first
newest         the latest record first
random         the same order for everybody, by seed
acceptance     what a small model expects to be accepted first
suspicion      what the checks speak against most first; unchecked ones last
picture        questions about one picture together, the largest group first
program        questions whose kept program has one shape together, the largest group first
rationale      questions whose rationale has one form together, the largest group first"""

ORDERS: tuple[Order, ...] = get_args(Order)

ORDER_WORDS: Mapping[Order, str] = {
    "disagreement": "programs disagree most first",
    "student": "student and programs furthest apart first",
    "newest": "newest first",
    "random": "at random, the same for everybody",
    "acceptance": "expected to be accepted first",
    "suspicion": "right for the wrong reason first, as the checks see it",
    "picture": "questions about one picture together",
    "program": "programs of one shape together",
    "rationale": "rationales of one form together",
}
"""Each order as people read it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The rules of the queue; the store's last row is in force, so that all processes see it."""

    overlap: Annotated[int, Meta(ge=1, le=20)] = 1
    """Number of reviewers that each item needs."""
    gold_rate: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    """Share of gold items among those that are handed out."""
    hide_verdicts: bool = True
    """Whether the automatic verdict and other people's are hidden until one has decided."""
    lease_minutes: Annotated[float, Meta(ge=0.01, le=24 * 60)] = 5.0
    """Minutes that an item is kept for the reviewer who has it."""
    daily_goal: Annotated[int, Meta(ge=0, le=100_000)] = 100
    """Decisions a day, for each reviewer."""
    order: Order = "disagreement"
    """Order of the queue, where a reviewer chooses none."""

    def __post_init__(self) -> None:
        check(self, "the rules of the queue")
