"""Runs as a critic reads them, those that people decided on and those that wait, and its scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from workbench.recipes.ports import ReviewedRow
from workbench.records import PartRef, plain
from workbench.store.kernel.database import Database, now
from workbench.store.people.facts import FACTS, SETTLED
from workbench.store.reading.summary import bring_up_to_date


@dataclass(frozen=True, slots=True)
class CriticInForce:
    """The critic whose scores order the queue."""

    part: Mapping[str, Any]
    """Role, name, version and arguments."""
    decisions: int
    """Number of decided items that it has learnt from."""
    scores: int
    """Number of runs that it has scored."""


_COLUMNS = ", ".join(f"{sql} AS {name}" for name, sql in FACTS.items())

_TEXTS = f"""
    facts AS (SELECT id, chosen, {_COLUMNS} FROM outcome),
    told AS (
        SELECT trace_id, arg_max(text, created_at) AS text FROM rationale GROUP BY trace_id
    )"""


def decided(database: Database) -> tuple[list[ReviewedRow], list[bool]]:
    """Runs that people decided on one by one, and whether they accepted each."""
    bring_up_to_date(database)
    rows = database.rows(
        f"""
        WITH {_TEXTS},
        ruling AS (
            SELECT task_id, trace_id, coalesce(outcome, state) IN ('accept', 'accepted') AS yes
            FROM curated WHERE {SETTLED}
        )
        SELECT facts.*, yes, task.image, task.question, coalesce(trace.answer, '') AS answer,
            coalesce(program.source, '') AS program, coalesce(told.text, '') AS rationale
        FROM ruling JOIN facts ON facts.id = ruling.task_id JOIN task ON task.id = facts.id
            LEFT JOIN trace ON trace.id = coalesce(ruling.trace_id, facts.chosen)
            LEFT JOIN program ON program.id = trace.program_id
            LEFT JOIN told ON told.trace_id = trace.id
        ORDER BY facts.id
        """
    )
    return [_row(row) for row in rows], [bool(row["yes"]) for row in rows]


def kept_runs(database: Database) -> tuple[list[ReviewedRow], list[str]]:
    """The kept run of every question that has one, and the id of its trace."""
    bring_up_to_date(database)
    rows = database.rows(
        f"""
        WITH {_TEXTS}
        SELECT facts.*, task.image, task.question, coalesce(trace.answer, '') AS answer,
            coalesce(program.source, '') AS program, coalesce(told.text, '') AS rationale
        FROM facts JOIN task ON task.id = facts.id JOIN trace ON trace.id = facts.chosen
            LEFT JOIN program ON program.id = trace.program_id
            LEFT JOIN told ON told.trace_id = trace.id
        ORDER BY facts.id
        """
    )
    return [_row(row) for row in rows], [str(row["chosen"]) for row in rows]


def _row(row: Mapping[str, Any]) -> ReviewedRow:
    return ReviewedRow(
        row["id"],
        row["image"],
        row["question"],
        row["answer"],
        row["program"],
        row["rationale"],
        {name: float(row[name]) for name in FACTS},
    )


def put_scores(
    database: Database,
    critic: PartRef,
    decisions: int,
    rows: Sequence[ReviewedRow],
    scores: Mapping[str, float],
) -> None:
    """Replace all scores by those of one critic; without rows the queue has no critic.

    Args:
        database: the store.
        critic: who gives the scores.
        decisions: number of decided items that it has learnt from.
        rows: the scored runs.
        scores: by id of the trace, in the order of the rows.
    """
    stamp, text = now(), json.dumps(plain(critic))
    table = pa.Table.from_pylist(
        [
            {
                "trace_id": trace,
                "task_id": row.task_id,
                "score": score,
                "critic": text,
                "decisions": decisions,
                "created_at": stamp,
            }
            for row, (trace, score) in zip(rows, scores.items(), strict=True)
        ],
        schema=pa.schema(
            [
                ("trace_id", pa.string()),
                ("task_id", pa.string()),
                ("score", pa.float64()),
                ("critic", pa.string()),
                ("decisions", pa.int64()),
                ("created_at", pa.timestamp("us")),
            ]
        ),
    )
    database.transaction(lambda cursor: cursor.execute("DELETE FROM critic_score"))
    if len(table):
        database.insert({"critic_score": table})


def in_force(database: Database) -> CriticInForce | None:
    """The critic that orders the queue; None where the model of plain facts does."""
    rows = database.rows(
        "SELECT any_value(critic) AS critic, any_value(decisions) AS decisions, count(*) AS n "
        "FROM critic_score"
    )
    (row,) = rows
    if not row["n"]:
        return None
    return CriticInForce(json.loads(row["critic"]), row["decisions"], row["n"])
