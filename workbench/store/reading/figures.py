"""The Dashboard's counts for the parts in force; callers make shares and intervals of them.

Questions that visitors asked in Compare are in none of them but `visitor_tasks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from workbench.evidence import LOOKED
from workbench.store.kernel.database import Database, now
from workbench.store.kernel.days import DAYS, local_days
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records.pending import JUDGED, PICTURES, SAMPLED, TRACED, VISITOR


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many questions got as far as one step of the loop."""

    name: str
    """One of `question`, `sampled`, `executed` (a program ended with an answer), `matched` (a
    trace is kept) and `accepted` (by a person).
    """
    tasks: int
    token: str
    """The search that finds these questions; empty for all."""


@dataclass(frozen=True, slots=True)
class ToolFigures:
    """Counts of the runs that called one tool."""

    tool: str
    tasks: int
    runs: int
    executed: int
    """Runs that ended with an answer."""
    judged: int
    right: int


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Failed runs of one kind."""

    kind: str
    day: date | None
    """Day in the zone that was asked for; None where those of all days are counted together."""
    runs: int
    tasks: int


@dataclass(frozen=True, slots=True)
class OutcomeTotals:
    """Sums over all questions of the project."""

    tasks: int
    programs: int
    traces: int
    executed: int
    """Traces that ended with an answer."""
    judged: int
    """Labelled questions with verdicts."""
    kept: int
    """Labelled questions with a right trace kept."""
    looked: int
    """Those of them whose program looked for the parts of its answer."""
    answered: int
    """Labelled questions that the student in force has answered."""
    student: int
    """Those of them that it answered rightly."""


@dataclass(frozen=True, slots=True)
class JudgedGroup:
    """Labelled questions with equally many verdicts and right ones among them."""

    judged: int
    """Programs judged for each of these questions."""
    correct: int
    """Right ones among them."""
    n: int
    """Number of questions in the group."""


@dataclass(frozen=True, slots=True)
class FamilyGroup:
    """Questions of one family with equally many verdicts and right ones among them."""

    family: str
    done: bool
    """They are labelled and judged."""
    judged: int
    """Programs judged for each of these questions."""
    correct: int
    """Right ones among them."""
    n: int
    """Number of questions in the group."""
    answered: int
    """Labelled questions of the group that the student in force has answered."""
    student: int
    """Those of them that it answered rightly."""


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """A run of the loop that writes now."""

    id: int
    stage: str
    rows: int
    """Rows that it has written in this stage."""


_TRACED = f"WITH selected AS (FROM task WHERE NOT {VISITOR}), {SAMPLED}, {TRACED}"


def visitor_tasks(database: Database) -> int:
    """How many questions of visitors the project holds."""
    return int(database.rows(f"SELECT count(*) AS n FROM task WHERE {VISITOR}")[0]["n"])


def pictures(database: Database) -> int:
    """How many pictures the project's own questions are about."""
    sql = f"""
    SELECT count(DISTINCT image) AS n
    FROM (SELECT unnest({PICTURES}) AS image FROM task WHERE NOT {VISITOR})
    """
    return int(database.rows(sql)[0]["n"])


def funnel(database: Database) -> tuple[FunnelStep, ...]:
    """How many questions got how far, from the import to a person's accept."""
    scope = bring_up_to_date(database)
    (row,) = database.rows(
        f"""
        SELECT count(*) AS question, count(*) FILTER (programs >= $k) AS sampled,
            count(*) FILTER (executed > 0) AS executed,
            count(*) FILTER (status IN ('kept', 'agreed')) AS matched,
            (SELECT count(*) FROM curated WHERE (state = 'accepted'
                OR (state = 'adjudicated' AND outcome = 'accept'))
                AND task_id NOT IN (SELECT id FROM task WHERE {VISITOR})) AS accepted
        FROM outcome WHERE NOT {VISITOR}
        """,
        {"k": scope.k},
    )
    tokens = {
        "question": "",
        "sampled": f"programs>={scope.k}",
        "executed": "executed>=1",
        "matched": "status:kept status:agreed",
        "accepted": "review:accepted",
    }
    ours = "origin:imported" if visitor_tasks(database) else ""
    return tuple(FunnelStep(name, row[name], f"{tokens[name]} {ours}".strip()) for name in tokens)


def outcome_totals(database: Database, right: float) -> OutcomeTotals:
    """Sums over all questions; a student's answer counts as right from the score `right` on."""
    (row,) = database.rows(
        f"""
        SELECT count(*) AS tasks, coalesce(sum(programs), 0)::BIGINT AS programs,
            coalesce(sum(traces), 0)::BIGINT AS traces,
            coalesce(sum(executed), 0)::BIGINT AS executed,
            count(*) FILTER (labelled AND status <> 'waiting') AS judged,
            count(*) FILTER (status = 'kept') AS kept,
            count(*) FILTER (status = 'kept' AND list_contains($looked, evidence)) AS looked,
            count(student_score) AS answered,
            count(*) FILTER (student_score >= $right) AS student
        FROM outcome WHERE NOT {VISITOR}
        """,
        {"right": right, "looked": list(LOOKED)},
    )
    return OutcomeTotals(**row)


def judged_groups(database: Database) -> list[JudgedGroup]:
    """The labelled and judged questions, counted by their verdicts."""
    sql = f"""
    SELECT judged, correct, count(*) AS n FROM outcome
    WHERE labelled AND status <> 'waiting' AND NOT {VISITOR} GROUP BY ALL
    """
    return [JudgedGroup(**row) for row in database.rows(sql)]


def family_groups(database: Database, right: float) -> list[FamilyGroup]:
    """All questions, counted by family and verdicts, in the alphabetical order of the families; a
    student's answer counts as right from the score `right` on.
    """
    sql = f"""
    SELECT family, labelled AND status <> 'waiting' AS done, judged, correct, count(*) AS n,
        count(student_score) AS answered, count(*) FILTER (student_score >= $right) AS student
    FROM outcome WHERE NOT {VISITOR} GROUP BY ALL ORDER BY family
    """
    return [FamilyGroup(**row) for row in database.rows(sql, {"right": right})]


def current_run(database: Database, fresh: float) -> CurrentRun | None:
    """The run of the loop that wrote last and has not ended, in whatever process.

    Args:
        database: the store.
        fresh: seconds within which it has to have written a batch.
    """
    rows = database.rows(
        """
        SELECT run.id, stage, sum(rows)::BIGINT AS rows
        FROM run JOIN timing ON timing.run = run.id WHERE run.ended_at IS NULL
        GROUP BY run.id, stage HAVING max(timing.created_at) > $since
        ORDER BY max(timing.created_at) DESC LIMIT 1
        """,
        {"since": now() - timedelta(seconds=fresh)},
    )
    return CurrentRun(**rows[0]) if rows else None


def evidence_stamp(database: Database) -> tuple[object, ...]:
    """A value that changes when an evaluation, a rating, a check or a figure of checks is added."""
    (row,) = database.rows(
        """
        SELECT (SELECT max(created_at) FROM evaluation) AS evaluated,
            (SELECT count(*) FROM evaluation) AS n,
            (SELECT count(*) FROM decision WHERE rating IS NOT NULL OR kind = 'undo') AS rated,
            (SELECT max(created_at) FROM trace_check) AS checked,
            (SELECT max(created_at) FROM check_figure) AS measured
        """
    )
    return tuple(row.values())


def by_tool(database: Database) -> list[ToolFigures]:
    """Counts of the runs that called each tool, the most used tool first."""
    scope = bring_up_to_date(database)
    # Grouped by the text of all tools first: a few hundred of them, each taken apart once.
    rows = database.rows(
        f"""
        {_TRACED}, {JUDGED},
        called AS (
            SELECT tools, count(*) AS runs, count(*) FILTER (failure_kind IS NULL) AS executed,
                count(correct) AS judged, count(*) FILTER (correct) AS fits
            FROM traced LEFT JOIN judged ON judged.trace_id = traced.id GROUP BY tools
        ),
        used AS (SELECT tools, count(*) AS tasks FROM outcome WHERE NOT {VISITOR} GROUP BY tools),
        split AS (
            SELECT unnest(string_split(trim(tools, '|'), '|')) AS tool, *
            FROM (SELECT *, 0 AS tasks FROM called UNION ALL SELECT tools, 0, 0, 0, 0, tasks
                FROM used)
            WHERE tools <> ''
        )
        SELECT tool, sum(tasks)::BIGINT AS tasks, sum(runs)::BIGINT AS runs,
            sum(executed)::BIGINT AS executed,
            sum(judged)::BIGINT AS judged, sum(fits)::BIGINT AS right
        FROM split GROUP BY tool ORDER BY runs DESC, tool
        """,
        {
            name: scope.parameters()[name]
            for name in ("sampler", "seed", "k", "executor", "verifier")
        },
    )
    return [ToolFigures(**row) for row in rows]


def errors(database: Database, by_day: bool, zone: tzinfo | None = None) -> list[ErrorCount]:
    """Failed runs by kind, the most frequent first; by day, the earliest day first.

    Args:
        database: the store.
        by_day: count each day for itself.
        zone: whose days they are; None for this machine's own zone.
    """
    scope = bring_up_to_date(database)
    day = "day" if by_day else "CAST(NULL AS DATE)"
    dated = f"traced ASOF JOIN {DAYS} AS local_day ON traced.created_at >= local_day.begin"
    days = local_days(database, "trace", zone) if by_day else {}
    rows = database.rows(
        f"""
        {_TRACED}
        SELECT failure_kind AS kind, {day} AS day, count(*) AS runs,
            count(DISTINCT task_id) AS tasks
        FROM {dated if by_day else "traced"} WHERE failure_kind IS NOT NULL GROUP BY ALL
            ORDER BY day NULLS FIRST, runs DESC, kind
        """,
        {name: scope.parameters()[name] for name in ("sampler", "seed", "k", "executor")} | days,
    )
    return [ErrorCount(**row) for row in rows]
