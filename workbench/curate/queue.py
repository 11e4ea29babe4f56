"""Requests to the queue, the items that it hands out, and the turns of gold items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from workbench.curate.settings import ORDERS
from workbench.errors import InputError
from workbench.records import content_key


@dataclass(frozen=True, slots=True)
class QueueRequest:
    """Which items a reviewer wants, and in which order.

    Items that somebody sent to the queue come first.
    """

    order: str | None = None
    """One of `settings.ORDERS`; None takes the project's."""
    status: tuple[str, ...] = ("kept", "agreed")
    """Statuses of questions (`store.STATUSES`); an item that was sent to the queue may have any."""
    split: str | None = None
    family: str | None = None
    text: str = ""
    """A search as in Browse, tokens included."""
    state: Literal["pending", "skipped", "disputed"] = "pending"
    """Items that are `pending` (without those that the reviewer skipped), `skipped` or `disputed`
    (for adjudicators).
    """
    tasks: tuple[str, ...] | None = None
    """Only these questions, whatever their status; None takes all."""
    without: tuple[str, ...] = ()
    """Questions that are not meant, whatever else is."""
    gold: bool = True
    """Whether gold items may come among the others, at the rate of the settings."""
    seed: int = 0
    """Seed of the order `random`."""

    def __post_init__(self) -> None:
        if self.order is not None and self.order not in ORDERS:
            raise InputError(f"no order is called '{self.order}'; there are: {', '.join(ORDERS)}")
        if self.state not in ("pending", "skipped", "disputed"):
            raise InputError(
                f"no queue is called '{self.state}'; there are: pending, skipped, disputed"
            )


@dataclass(frozen=True, slots=True)
class Lease:
    """Who looks at an item, until when (UTC)."""

    task_id: str
    holder: str
    granted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Served:
    """An item handed to a reviewer."""

    task_id: str
    lease: Lease
    why: str
    """Why it comes now, in words; never says that an item is gold."""
    may_show: bool
    """Whether the automatic verdict and other people's may be shown before the reviewer decides."""


@dataclass(frozen=True, slots=True)
class QueueProgress:
    """Where a reviewer and a queue stand."""

    remaining: int
    """Items that the queue will still show the reviewer, gold ones among them, without those that
    others look at.
    """
    held_by_others: int
    disputed: int
    skipped: int
    decided_today: int
    """The reviewer's standing decisions since midnight UTC."""
    daily_goal: int
    median_seconds: float | None
    """Median time of all the reviewer's decisions; None where none was measured."""
    order: str
    """The order in force."""
    order_note: str
    """Why it is not the requested one; else empty."""


def gold_turn(reviewer: str, decided: int, rate: float) -> bool:
    """Whether the next item is to be a gold one.

    A hash decides, so that a reload asks for the same again and nobody can foresee it.

    Args:
        reviewer: name of the reviewer.
        decided: how many decisions the reviewer has made.
        rate: share of items that are gold.
    """
    return int(content_key("gold", reviewer, decided)[:8], 16) < rate * 2**32


def to_come(regular: int, gold: int, reviewer: str, decided: int, rate: float) -> int:
    """How many items a reviewer will see: regular ones to the last, and gold ones at their turns.

    Args:
        regular: items of the queue.
        gold: gold items that the reviewer has not decided on.
        reviewer: name of the reviewer.
        decided: how many decisions the reviewer has made.
        rate: share of items that are gold.
    """
    left, gold_left, turn = regular, gold, decided
    while left and gold_left:
        if gold_turn(reviewer, turn, rate):
            gold_left -= 1
        else:
            left -= 1
        turn += 1
    return regular + gold - gold_left


_ALIKE = {
    "picture": "one of {} about this picture",
    "program": "one of {} whose program has this shape",
    "rationale": "one of {} whose rationale has this form",
}
"""Orders that bring similar items together, with how many there are, in words."""


def why(order: str, row: Mapping[str, Any]) -> str:
    """Why an item comes now, in words.

    Args:
        order: one of `settings.ORDERS`.
        row: `asked`, `asked_by`, `siblings`, `apart` and `alike` of the item.
    """
    if row["asked_by"] is not None:
        return f"sent by {row['asked_by']}" + (f": {row['asked']}" if row["asked"] else "")
    if order == "disagreement" and row["siblings"] is not None:
        return f"{row['siblings']:.0%} of its programs say something else"
    if order == "student" and row["apart"] is not None:
        return f"student and programs are {row['apart']:.0%} apart"
    if order in _ALIKE and (row.get("alike") or 0) > 1:
        return _ALIKE[order].format(row["alike"])
    words = {
        "newest": "new",
        "random": "drawn at random",
        "acceptance": "expected to be accepted",
        "suspicion": "the checks speak against it most",
    }
    return words.get(order, "next")
