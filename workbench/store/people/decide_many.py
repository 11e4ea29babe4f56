"""Deciding on many questions at once, as one batch that can be counted before and undone after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.records import Decision, Reason, Role, content_key
from workbench.store.kernel.database import Database, id_list
from workbench.store.people import decisions


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is said of each of many questions, and by whom."""

    author: str
    role: Role
    reason: Reason | None = None
    """Why they are rejected; None accepts them."""
    text: str = ""
    """Words beside it."""
    guideline: str | None = None
    """Version of the guidelines that the author has read."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """What deciding on many questions does, or what it would do."""

    batch: str | None
    """Id of the batch, which an undo needs as its `target`; None for a count."""
    decided: int
    """How many questions are decided on."""
    left_out: Mapping[str, int]
    """How many questions are left as they are, by the reason in words."""


Fate = tuple[str, str | None, str | None, str | None]
"""Question, kept trace, its rationale, and why it is left out; None where it is decided on."""

_FATES = """
WITH given AS (SELECT unnest(from_json($ids, '["VARCHAR"]')) AS id)
SELECT DISTINCT given.id, outcome.chosen, (
    SELECT arg_max(rationale.id, rationale.created_at) FROM rationale
    WHERE rationale.trace_id = outcome.chosen
    AND writer IS NOT DISTINCT FROM (SELECT arg_max(writer, id) FROM run)
) AS told, CASE
    WHEN outcome.id IS NULL THEN 'no such question'
    WHEN chosen IS NULL AND $accepts THEN 'no program was kept'
    WHEN curated.state NOT IN ('pending', 'skipped') THEN 'decided already'
    WHEN said.task_id IS NOT NULL THEN 'decided already'
    WHEN held.task_id IS NOT NULL THEN 'somebody is looking at it'
END AS why
FROM given
LEFT JOIN outcome ON outcome.id = given.id
LEFT JOIN curated ON curated.task_id = given.id
LEFT JOIN (
    SELECT task_id FROM standing WHERE author = $author AND kind IN ('accept', 'reject')
) AS said ON said.task_id = given.id
LEFT JOIN (
    SELECT DISTINCT task_id FROM lease WHERE holder <> $author AND expires_at > $moment
) AS held ON held.task_id = given.id
ORDER BY given.id
"""


def count(
    database: Database, task_ids: Sequence[str], verdicts: Verdicts, moment: datetime
) -> Bulk:
    """What `store` would do now.

    Args:
        database: the store.
        task_ids: the questions.
        verdicts: what would be said of each.
        moment: the time now (UTC).
    """
    fates = [
        (row["id"], row["chosen"], row["told"], row["why"])
        for row in database.rows(_FATES, _parameters(task_ids, verdicts, moment))
    ]
    return Bulk(None, sum(why is None for *_, why in fates), _left_out(fates))


def store(
    cursor: Any, task_ids: Sequence[str], verdicts: Verdicts, batch: str, moment: datetime
) -> Bulk:
    """Accept the kept trace of each question that is open, or reject the question; a batch that is
    stored already stays.

    Args:
        cursor: inside a transaction.
        task_ids: the questions.
        verdicts: what is said of each.
        batch: id of the batch.
        moment: the time now (UTC).
    """
    (number,) = cursor.execute("SELECT count(*) FROM decision WHERE batch = ?", [batch]).fetchone()
    if number:
        return Bulk(batch, number, {})
    parameters = _parameters(task_ids, verdicts, moment)
    fates: list[Fate] = cursor.execute(_FATES, parameters).fetchall()
    events = [
        Decision(
            content_key(batch, task_id),
            "reject" if verdicts.reason else "accept",
            verdicts.author,
            verdicts.role,
            task_id,
            trace_id=trace_id,
            rationale_id=rationale_id,
            reason=verdicts.reason,
            text=verdicts.text,
            batch=batch,
            guideline=verdicts.guideline,
        )
        for task_id, trace_id, rationale_id, why in fates
        if why is None
    ]
    decisions.store(cursor, events)
    return Bulk(batch, len(events), _left_out(fates))


def _parameters(task_ids: Sequence[str], verdicts: Verdicts, moment: datetime) -> Mapping[str, Any]:
    return {
        "ids": id_list(task_ids),
        "author": verdicts.author,
        "accepts": verdicts.reason is None,
        "moment": moment,
    }


def _left_out(fates: Sequence[Fate]) -> dict[str, int]:
    return dict(Counter(why for *_, why in fates if why is not None))
