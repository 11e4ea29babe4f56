"""Model parity alignment's selection: only what the teacher can do and the student cannot.

A row stays where the teacher's own answer is the label and the student's is not.  What both can
do teaches nothing new, and what the teacher gets wrong would teach a mistake.  Of the four cells
(teacher right or wrong, student right or wrong) one is kept.

Answers are compared as the loop's verifier compares them, whole and normalised.  The released code
looks for one text inside the other, where "4" is right for "14" and an empty label for everything.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.recipes.card import Card
from workbench.recipes.ports import RowWeight, SelectorNeed, SnapshotRow
from workbench.records import PartRef

CARD = Card(
    name="parity_gap",
    port="selector",
    paper="When Big Models Train Small Ones: Label-Free Model Parity Alignment for Efficient "
    "Visual Question Answering using Small VLMs (MPA)",
    year=2025,
    grade="A",
    level="V2",
    provenance="C",
    link="https://github.com/vl2g/MPA",
    idea="Train the student only on what its teacher answers right and it answers wrong.",
    formula="w = 1 if right(teacher, label) and not right(student, label), else 0",
    command="vpd snapshot --automatic --select parity_gap",
    expect="Rows go down to the gap between the two systems; what that is worth in accuracy was "
    "not measured yet.",
    traps=(
        "A substring is no match: '4' stands in '14', and an empty label in every answer.",
        "The released inference stops after its first batch, a leftover of debugging.",
    ),
    not_reproduced=(
        "The large model writes questions of its own for unlabelled pictures; here the questions "
        "are the project's.",
    ),
)


class ParityGap:
    """Keeps the rows that the teacher answers right and the student wrong."""

    needs: frozenset[SelectorNeed] = frozenset({"teacher", "student"})

    def __init__(self) -> None:
        self.ref = PartRef("selector", "parity_gap")

    def weigh(self, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
        """1 for each row in the gap, 0 with the reason for every other."""
        reasons = [_reason(row) for row in rows]
        return [RowWeight(0.0 if reason else 1.0, reason) for reason in reasons]


def _reason(row: SnapshotRow) -> str:
    """Why a row is outside the gap; empty where it is inside."""
    if not row.label.strip():
        return "parity_gap: it has no label"
    if row.teacher_right is None:
        return "parity_gap: the teacher has not answered it"
    if row.student_right is None:
        return "parity_gap: the student has not answered it"
    if row.teacher_right and not row.student_right:
        return ""
    if row.teacher_right:
        return "parity_gap: the student answers it right already"
    if row.student_right:
        return "parity_gap: the student answers it right and the teacher does not"
    return "parity_gap: the teacher does not answer it right either"
