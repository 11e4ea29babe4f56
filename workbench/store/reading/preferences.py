"""What may be preferred to what: runs with what people and the verifier say of them, rationales
with what people and the check say, and what people edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.evidence import FLAGGED
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.records.scope import Scope

WRONG_RUN = ("wrong_tool_output", "wrong_program", "wrong_reason")
"""Reasons of a rejection that speak against the run itself."""


@dataclass(frozen=True, slots=True)
class PreferredRun:
    """A run, and who says what of it."""

    task_id: str
    program_id: str
    parent: str | None
    program: str
    trace_id: str
    failed: str | None
    """Kind of its failure; None where it ended with an answer."""
    answer: str | None
    correct: bool | None
    """The verifier's word, where the task has a label."""
    chosen: bool
    """Whether it is the one that is kept."""
    flagged: bool
    """Whether the checks for wrong reasons flag it."""
    score: float
    accepted: tuple[str, ...]
    """Who accepts it now."""
    refused: tuple[str, ...]
    """Who rejects it now, for what the run itself did, or marks a wrong step in it."""
    unfaithful: tuple[str, ...]
    """Who rejects it now because its rationale is not what happened."""


@dataclass(frozen=True, slots=True)
class PreferredRationale:
    """A rationale, and what the check says of it."""

    id: str
    task_id: str
    trace_id: str
    text: str
    issues: tuple[str, ...]
    bare: bool
    unchecked: bool
    accepted: tuple[str, ...]
    """Who accepts it now as what is taught."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A standing edit: the record before it and the record behind it."""

    task_id: str
    author: str
    kind: str
    """`program` or `rationale`."""
    before: str
    """Id of the record that was edited."""
    made: str


def preferred_runs(database: Database, scope: Scope) -> list[PreferredRun]:
    """Every run of the scope's executor, by task: sampled ones, and those that were edited or
    written again.
    """
    sql = """
    WITH opinion AS (
        SELECT trace_id, bool_or(correct) AS correct, bool_or(chosen) AS chosen FROM verdict
        WHERE verifier = $verifier AND method = 'gold' GROUP BY trace_id
    ),
    word AS (
        SELECT standing.trace_id, author, kind = 'accept' AS accepts,
            coalesce(standing.reason, '') AS reason
        FROM standing JOIN curated USING (task_id)
        WHERE kind IN ('accept', 'reject') AND standing.trace_id IS NOT NULL
            -- an adjudicator's word stands in place of those that it settles
            AND (state <> 'adjudicated' OR outcome = kind)
        UNION ALL
        SELECT trace_id, author, false, 'wrong_program' FROM active_decision
        WHERE kind = 'wrong_step' AND trace_id IS NOT NULL
        UNION ALL
        SELECT curated.trace_id, decision.author, true, '' FROM curated JOIN decision USING (seq)
        WHERE curated.state = 'adjudicated' AND curated.outcome = 'accept'
            AND curated.trace_id IS NOT NULL AND decision.kind = 'adjudicate'
    ),
    words AS (
        SELECT trace_id, list_sort(list_distinct(list(author) FILTER (accepts))) AS accepted,
            list_sort(list_distinct(list(author) FILTER (
                NOT accepts AND list_contains($wrong_run, reason)))) AS refused,
            list_sort(list_distinct(list(author) FILTER (reason = 'unfaithful'))) AS unfaithful
        FROM word GROUP BY trace_id
    )
    SELECT trace.task_id, program.id AS program_id, program.parent, program.source AS program,
        trace.id AS trace_id, trace.failure_kind AS failed, trace.answer, opinion.correct,
        coalesce(opinion.chosen, false) AS chosen,
        coalesce(suspicion >= $flagged, false) AS flagged, program.score,
        coalesce(accepted, []) AS accepted, coalesce(refused, []) AS refused,
        coalesce(unfaithful, []) AS unfaithful
    FROM trace JOIN program ON program.id = trace.program_id JOIN task ON task.id = trace.task_id
    LEFT JOIN opinion ON opinion.trace_id = trace.id
    LEFT JOIN trace_check ON trace_check.trace_id = trace.id
    LEFT JOIN words ON words.trace_id = trace.id
    WHERE trace.executor = $executor AND trace.failure_kind IS DISTINCT FROM 'infra'
        AND coalesce(program.problem, '') = ''
    ORDER BY task.seq, program.index, program.created_at, program.id
    """
    values = {
        "executor": scope.executor,
        "verifier": scope.verifier,
        "flagged": FLAGGED,
        "wrong_run": list(WRONG_RUN),
    }
    lists = ("accepted", "refused", "unfaithful")
    return [
        PreferredRun(**{**row, **{name: tuple(row[name]) for name in lists}})
        for row in database.rows(sql, values)
    ]


@dataclass(frozen=True, slots=True)
class RunWord:
    """Whether a run counts as right: by people where they spoke, else by the verifier."""

    trace_id: str
    right: bool | None
    """None where nobody knows, or people contradict each other."""


def run_words(database: Database, scope: Scope, trace_ids: Sequence[str]) -> dict[str, RunWord]:
    """Whether each of these runs counts as right, by trace; unknown ones are left out.

    Args:
        database: the store.
        scope: gives the verifier.
        trace_ids: of the runs.
    """
    sql = f"""
    WITH opinion AS (
        SELECT trace_id, bool_or(correct) AS correct FROM verdict
        WHERE verifier = $verifier AND method = 'gold' AND trace_id IN {IDS} GROUP BY trace_id
    ),
    word AS (
        SELECT trace_id, bool_or(kind = 'accept') AS accepted,
            bool_or(kind = 'reject' AND list_contains($wrong_run, coalesce(reason, ''))) AS refused
        FROM standing WHERE trace_id IN {IDS} GROUP BY trace_id
    )
    SELECT trace.id AS trace_id,
        CASE WHEN accepted AND refused THEN NULL WHEN accepted THEN true WHEN refused THEN false
             WHEN trace.failure_kind IS NOT NULL THEN false ELSE correct END AS right
    FROM trace LEFT JOIN opinion ON opinion.trace_id = trace.id
    LEFT JOIN word ON word.trace_id = trace.id
    WHERE trace.id IN {IDS}
    """
    values = {
        "ids": id_list(trace_ids),
        "verifier": scope.verifier,
        "wrong_run": list(WRONG_RUN),
    }
    return {row["trace_id"]: RunWord(**row) for row in database.rows(sql, values)}


def marked_traces(database: Database) -> list[str]:
    """Ids of the traces in which a person marked the first wrong step, in order of import."""
    sql = """
    SELECT trace_id AS id FROM active_decision JOIN task ON task.id = task_id
    WHERE step IS NOT NULL AND trace_id IS NOT NULL GROUP BY trace_id, task.seq
    ORDER BY task.seq, trace_id
    """
    return [row["id"] for row in database.rows(sql)]


def preferred_rationales(database: Database) -> list[PreferredRationale]:
    """Every rationale, by task, the newest first."""
    sql = """
    WITH word AS (
        SELECT rationale_id, list_sort(list_distinct(list(author))) AS accepted FROM (
            SELECT rationale_id, author FROM standing WHERE kind = 'accept'
            UNION ALL
            SELECT curated.rationale_id, decision.author FROM curated JOIN decision USING (seq)
            WHERE curated.state = 'adjudicated' AND curated.outcome = 'accept'
                AND decision.kind = 'adjudicate'
        ) WHERE rationale_id IS NOT NULL GROUP BY rationale_id
    )
    SELECT rationale.id, rationale.task_id, trace_id, rationale.text, issues,
        coalesce(bare, false) AS bare, coalesce(len(unchecked), 0) > 0 AS unchecked,
        coalesce(accepted, []) AS accepted
    FROM rationale LEFT JOIN word ON word.rationale_id = rationale.id
    ORDER BY rationale.task_id, rationale.created_at DESC, rationale.id
    """
    return [
        PreferredRationale(
            **{**row, "issues": tuple(row["issues"]), "accepted": tuple(row["accepted"])}
        )
        for row in database.rows(sql)
    ]


def standing_edits(database: Database) -> list[Edit]:
    """The edits that were not taken back, in their order."""
    sql = """
    SELECT task_id, author,
        CASE WHEN rationale_id IS NOT NULL THEN 'rationale' ELSE 'program' END AS kind,
        coalesce(rationale_id, program_id) AS before, made
    FROM active_decision
    WHERE kind = 'edit' AND made IS NOT NULL AND made <> coalesce(rationale_id, program_id)
    ORDER BY seq
    """
    return [Edit(**row) for row in database.rows(sql)]
