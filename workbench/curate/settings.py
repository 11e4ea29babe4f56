"""The rules of a project's queue, as its admin set them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import InputError

ORDERS = ("disagreement", "student", "newest", "random", "acceptance", "suspicion")
"""disagreement   programs of one question that disagree most first
student        where student and programs are furthest apart first
newest         the latest record first
random         the same order for everybody, by seed
acceptance     what a small model expects to be accepted first
suspicion      what the checks speak against most first; unchecked ones last"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Kept in the store (the last row is in force), so that every process sees a change at once."""

    overlap: int = 1
    """Reviewers per item."""
    gold_rate: float = 0.0
    """Share of served items whose right verdict is known already, 0 to 0.5."""
    hide_verdicts: bool = True
    """Hide the automatic verdict and other people's until one has decided."""
    lease_minutes: float = 5.0
    daily_goal: int = 100
    """Decisions a day, for each reviewer."""
    order: str = "disagreement"
    """One of `ORDERS`, where a queue asks for none."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("overlap", self.overlap, 1, 20), ("gold_rate", self.gold_rate, 0, 0.5),
            ("lease_minutes", self.lease_minutes, 0.01, 24 * 60), ("daily_goal", self.daily_goal, 0, 100_000),
        ):  # fmt: skip
            if not low <= value <= high:
                raise InputError(f"{name} must be {low} to {high}, found {value}")
        if self.order not in ORDERS:
            raise InputError(f"no order is called '{self.order}'; there are: {', '.join(ORDERS)}")
