"""Promises of the recipes' own extension points, and the nouns that pass through them.

Each Protocol says what goes in and out, with shapes and units; the loop meets each at one place,
which its docstring names.  Objective, tool and the parts of a profile have theirs in
`workbench.ports`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from workbench.records import PartRef

SelectorNeed = Literal["teacher", "student", "nats"]
"""What a selector reads of a row beside its texts; see the fields of `SnapshotRow`."""


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A question that would enter a snapshot, as a selector sees it."""

    task_id: str
    label: str
    """The answer that is taught; empty where there is none."""
    rationale: str | None
    teacher_right: bool | None = None
    """Whether the teacher's own answer is the label; None where it has not answered."""
    student_right: bool | None = None
    """Whether the student's answer before training is the label; None where it has not answered."""
    nats: tuple[float, ...] = ()
    """The student's mean cross-entropy of each lesson's target, in nats per token."""


@dataclass(frozen=True, slots=True)
class RowWeight:
    """What a selector says of one row."""

    weight: float
    """0 or more; 0 leaves the row out.  The loss of its lessons is multiplied by it."""
    reason: str = ""
    """Why it is left out, in words that are the same for all such rows; empty where it stays."""


@runtime_checkable
class Selector(Protocol):
    """Weighs the rows of a snapshot; `pipeline/snapshotting.py` asks it in `preview`."""

    ref: PartRef
    needs: frozenset[SelectorNeed]
    """What the loop has to know of every row before it asks."""

    def weigh(self, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
        """One weight for each row, in the same order.

        The weights above 0 have the mean 1, so that a step is as long as without a selector.
        """
        ...
