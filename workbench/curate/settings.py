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
    """Kept in the store (the last row is in force), so that every process sees a change at once."""

    overlap: Annotated[int, Meta(ge=1, le=20)] = 1
    """Reviewers per item."""
    gold_rate: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    """Share of served items whose right verdict is known already."""
    hide_verdicts: bool = True
    """Hide the automatic verdict and other people's until one has decided."""
    lease_minutes: Annotated[float, Meta(ge=0.01, le=24 * 60)] = 5.0
    """How long an item is kept for the reviewer who has it."""
    daily_goal: Annotated[int, Meta(ge=0, le=100_000)] = 100
    """Decisions a day, for each reviewer."""
    order: Order = "disagreement"
    """Order of the queue, where a reviewer chooses none."""

    def __post_init__(self) -> None:
        check(self, "the rules of the queue")
