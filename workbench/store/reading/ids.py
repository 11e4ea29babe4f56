"""Which questions, programs and traces fit a condition, as ids; the records are then read by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.store.kernel.database import IDS, Database, id_list

_EXAMPLES = """
WITH sorted AS (
    SELECT id, status || student || coalesce(faithful, false) AS cell, family, seq
    FROM outcome WHERE status <> 'waiting'
),
apart AS (
    SELECT *, row_number() OVER (PARTITION BY cell, family ORDER BY seq) AS nth FROM sorted
),
turned AS (
    SELECT *, row_number() OVER (PARTITION BY cell ORDER BY nth, md5(cell || family)) AS turn
    FROM apart
)
SELECT id FROM turned ORDER BY turn, cell LIKE 'kept%' DESC, cell DESC LIMIT $limit
"""


def example_ids(database: Database, limit: int) -> list[str]:
    """A few questions of each way that a question can go, each of another family where there are
    several; the same ones each time.  Questions that are not judged yet are left out.
    """
    return _ids(database.rows(_EXAMPLES, {"limit": limit}))


def labelled_ids(database: Database, but: str, limit: int) -> list[str]:
    """Labelled questions, drawn anew each time.

    Args:
        but: id of a question that comes last, so that it is drawn only where there are few.
        limit: how many ids at most.
    """
    sql = "SELECT id FROM task WHERE len(answers) > 0 ORDER BY id = $but, random() LIMIT $limit"
    return _ids(database.rows(sql, {"but": but, "limit": limit}))


def sample_ids(database: Database, split: str | None, limit: int | None, seed: int) -> list[str]:
    """A random sample of the questions; a larger one with the same seed contains the smaller.

    Args:
        split: only questions of this split; None takes all.
        limit: how many at most; None takes all, in the order of the sample.
        seed: another number gives another sample.
    """
    sql = """
    SELECT id FROM task WHERE $split IS NULL OR split = $split
    ORDER BY md5(concat($seed, '/', id)) LIMIT coalesce($limit, 9223372036854775807)
    """
    return _ids(database.rows(sql, {"split": split, "seed": str(seed), "limit": limit}))


def task_ids_of_traces(database: Database, trace_ids: Sequence[str]) -> list[str]:
    """Ids of the questions that these traces are about, each once."""
    sql = f"SELECT DISTINCT task_id AS id FROM trace WHERE id IN {IDS}"
    return _ids(database.rows(sql, {"ids": id_list(trace_ids)}))


def program_indexes(database: Database, task_id: str) -> dict[str, int]:
    """The index of every program of a question, by id, whatever made it."""
    rows = database.rows("SELECT id, index FROM program WHERE task_id = ?", [task_id])
    return {row["id"]: row["index"] for row in rows}


def decision_ids(database: Database, ids: Sequence[str]) -> set[str]:
    """Which of these decisions are stored already."""
    sql = f"SELECT id FROM decision WHERE id IN {IDS}"
    return set(_ids(database.rows(sql, {"ids": id_list(ids)})))


def sources_and_splits(database: Database) -> list[tuple[str, str]]:
    """Every pair of a source and a split that a question has, in alphabetical order."""
    rows = database.rows("SELECT DISTINCT source, split FROM task ORDER BY source, split")
    return [(row["source"], row["split"]) for row in rows]


def _ids(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]
