"""Programs that were written again after a failure or an empty answer, and what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.evidence import FLAGGED
from workbench.store.kernel.database import Database
from workbench.store.records.pending import COUNTED, SAMPLED, UNANSWERED
from workbench.store.records.scope import Scope, Selection


@dataclass(frozen=True, slots=True)
class RepairRow:
    """A program that was written again, or one that it goes back to."""

    program: str
    parent: str | None
    """Id of the program that it was written after; None for a sampled one."""
    task_id: str
    labelled: bool
    answered: bool | None
    """Whether it ended with an answer that is not empty; None before it has run."""
    correct: bool | None
    """Whether its answer is right; None without a verdict."""
    flagged: bool | None
    """Whether the checks for wrong reasons flag its run; None where it was not checked."""


@dataclass(frozen=True, slots=True)
class CheckedRuns:
    """Right sampled runs that the checks for wrong reasons looked at."""

    checked: int
    flagged: int


def repair_rows(
    database: Database, scope: Scope, selection: Selection, empty: Sequence[str]
) -> list[RepairRow]:
    """The programs of the scope's sampler that were written again, and their sampled forebears.

    Args:
        database: the store.
        scope: the parts whose records count.
        selection: the tasks; visitors' questions only where their source or split is named.
        empty: answers that say nothing.
    """
    sql = f"""
    WITH {COUNTED}, {SAMPLED},
    again AS (
        SELECT id, parent, task_id FROM program
        WHERE parent IS NOT NULL AND sampler = $sampler AND base_seed = $seed
    ),
    everyone AS (
        SELECT id, parent, task_id FROM again WHERE task_id IN (SELECT id FROM selected)
        UNION ALL
        SELECT id, NULL, task_id FROM sampled WHERE id IN (SELECT parent FROM again)
    )
    SELECT everyone.id AS program, everyone.parent, everyone.task_id,
        len(selected.answers) > 0 AS labelled,
        CASE WHEN trace.id IS NOT NULL AND trace.failure_kind IS DISTINCT FROM 'infra'
            THEN NOT {UNANSWERED} END AS answered,
        opinion.correct, suspicion >= $flagged AS flagged
    FROM everyone JOIN selected ON selected.id = everyone.task_id
    LEFT JOIN trace ON trace.program_id = everyone.id AND trace.executor = $executor
    LEFT JOIN (
        SELECT trace_id, bool_or(correct) AS correct FROM verdict WHERE verifier = $verifier
        GROUP BY trace_id
    ) AS opinion ON opinion.trace_id = trace.id
    LEFT JOIN trace_check ON trace_check.trace_id = trace.id
    ORDER BY selected.seq, everyone.id
    """
    values = {
        **{n: scope.parameters()[n] for n in ("sampler", "seed", "k", "executor", "verifier")},
        **selection.parameters(),
        "empty": list(empty),
        "flagged": FLAGGED,
    }
    return [RepairRow(**row) for row in database.rows(sql, values)]


def checked_runs(database: Database, scope: Scope, selection: Selection) -> CheckedRuns:
    """How many right sampled runs of labelled tasks were checked, and how many are flagged.

    Args:
        database: the store.
        scope: the parts whose records count.
        selection: as of `repair_rows`.
    """
    sql = f"""
    WITH {COUNTED}, {SAMPLED}
    SELECT count(DISTINCT trace.id) AS checked,
        count(DISTINCT trace.id) FILTER (suspicion >= $flagged) AS flagged
    FROM sampled JOIN selected ON selected.id = sampled.task_id AND len(selected.answers) > 0
    JOIN trace ON trace.program_id = sampled.id AND trace.executor = $executor
    JOIN verdict ON verdict.trace_id = trace.id AND verdict.verifier = $verifier
        AND verdict.runs = $k AND verdict.correct
    JOIN trace_check ON trace_check.trace_id = trace.id
    """
    values = {
        **{n: scope.parameters()[n] for n in ("sampler", "seed", "k", "executor", "verifier")},
        **selection.parameters(),
        "flagged": FLAGGED,
    }
    return CheckedRuns(**database.rows(sql, values)[0])
