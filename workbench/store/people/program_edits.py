"""Programs that people corrected: what memories recall, and how many corrections a round took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.recipes.ports import ProgramCorrection
from workbench.store.kernel.database import Database


@dataclass(frozen=True, slots=True)
class StoredCorrection:
    """A correction, with what decides whether it may be recalled."""

    correction: ProgramCorrection
    split: str
    """Split of its question."""
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrectionRound:
    """The programs of one state of the sampler, prompt and memory included."""

    sampler: str
    """Key of the part."""
    questions: int
    """Number of questions that it wrote programs for."""
    corrected: int
    """Number of these of which a person corrected a program."""


_EDITS = """
    edit AS (
        SELECT DISTINCT made FROM active_decision
        WHERE kind = 'edit' AND program_id IS NOT NULL AND made IS NOT NULL
    ),
    edited AS (
        SELECT program.* FROM program JOIN edit ON edit.made = program.id
        WHERE program.parent IS NOT NULL
    )"""


def corrections(database: Database) -> list[StoredCorrection]:
    """The corrections that stand, in the order of their making.

    Of a program that was corrected twice the last form counts.  One whose run was judged wrong is
    none.
    """
    rows = database.rows(
        f"""
        WITH {_EDITS}
        SELECT edited.id, edited.task_id, edited.source, edited.parent,
            earlier.source AS earlier, task.question, task.choices, task.split
        FROM edited JOIN program AS earlier ON earlier.id = edited.parent
            JOIN task ON task.id = edited.task_id
        WHERE edited.id NOT IN (SELECT parent FROM edited)
            AND edited.id NOT IN (
                SELECT trace.program_id FROM verdict JOIN trace ON trace.id = verdict.trace_id
                WHERE NOT verdict.correct
            )
        ORDER BY edited.created_at, edited.id
        """
    )
    return [_stored(row) for row in rows]


def _stored(row: dict[str, Any]) -> StoredCorrection:
    correction = ProgramCorrection(
        row["id"], row["task_id"], row["question"], row["earlier"], row["source"]
    )
    return StoredCorrection(correction, row["split"], tuple(row["choices"]))


def rounds(database: Database) -> list[CorrectionRound]:
    """How many questions of each state of the sampler a person corrected, the earliest first."""
    rows = database.rows(
        f"""
        WITH {_EDITS}
        SELECT program.sampler, count(DISTINCT program.task_id) AS questions,
            count(DISTINCT program.task_id) FILTER (
                program.id IN (SELECT parent FROM edited)
            ) AS corrected
        FROM program WHERE program.parent IS NULL
        GROUP BY program.sampler ORDER BY min(program.created_at), program.sampler
        """
    )
    return [CorrectionRound(**row) for row in rows]
