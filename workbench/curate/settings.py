"""The rules of a project's queue, as its admin set them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from msgspec import Meta

from workbench.schema import check

Order = Literal["disagreement", "student", "newest", "random", "acceptance", "suspicion"]
"""disagreement   programs of one question that disagree most first
student        where student and programs are furthest apart first
newest         the latest record first
random         the same order for everybody, by seed
acceptance     what a small model expects to be accepted first
suspicion      what the checks speak against most first; unchecked ones last"""

ORDERS: tuple[Order, ...] = get_args(Order)


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
