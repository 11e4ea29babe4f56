"""The Dashboard's counts, of the scope in force, in SQL; shares and intervals are made from them by
the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from workbench.store.kernel.database import Database
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records.pending import JUDGED, SAMPLED, TRACED


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many questions got this far."""

    name: str
    """`question`, `sampled`, `executed` (a program ended with an answer), `matched` (a trace is
    kept), `accepted` (by a person).
    """
    tasks: int
    token: str
    """What to search for to see them."""


@dataclass(frozen=True, slots=True)
class ToolFigures:
    """The runs that called a tool."""

    tool: str
    tasks: int
    runs: int
    executed: int
    """Runs that ended with an answer."""
    judged: int
    right: int


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Failures of one kind."""

    kind: str
    day: date | None
    """UTC; None when not asked by day."""
    runs: int
    tasks: int


_TRACED = f"WITH selected AS (FROM task), {SAMPLED}, {TRACED}"


def funnel(database: Database) -> tuple[FunnelStep, ...]:
    """Questions by how far they got."""
    scope = bring_up_to_date(database)
    (row,) = database.rows(
        """
        SELECT count(*) AS question, count(*) FILTER (programs >= $k) AS sampled,
            count(*) FILTER (executed > 0) AS executed, count(*) FILTER (status IN ('kept', 'agreed')) AS matched,
            (SELECT count(*) FROM curated WHERE state = 'accepted' OR (state = 'adjudicated' AND outcome = 'accept'))
                AS accepted
        FROM outcome
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
    return tuple(FunnelStep(name, row[name], tokens[name]) for name in tokens)


def by_tool(database: Database) -> list[ToolFigures]:
    """What came of the runs that called each tool, the most used first."""
    scope = bring_up_to_date(database)
    # Grouped by the text of all tools first: a few hundred of them, each taken apart once.
    found = database.rows(
        f"""
        {_TRACED}, {JUDGED},
        called AS (
            SELECT tools, count(*) AS runs, count(*) FILTER (failure_kind IS NULL) AS executed,
                count(correct) AS judged, count(*) FILTER (correct) AS fits
            FROM traced LEFT JOIN judged ON judged.trace_id = traced.id GROUP BY tools
        ),
        used AS (SELECT tools, count(*) AS tasks FROM outcome GROUP BY tools),
        split AS (
            SELECT unnest(string_split(trim(tools, '|'), '|')) AS tool, *
            FROM (SELECT *, 0 AS tasks FROM called UNION ALL SELECT tools, 0, 0, 0, 0, tasks FROM used)
            WHERE tools <> ''
        )
        SELECT tool, sum(tasks)::BIGINT AS tasks, sum(runs)::BIGINT AS runs, sum(executed)::BIGINT AS executed,
            sum(judged)::BIGINT AS judged, sum(fits)::BIGINT AS right
        FROM split GROUP BY tool ORDER BY runs DESC, tool
        """,
        {
            name: scope.parameters()[name]
            for name in ("sampler", "seed", "k", "executor", "verifier")
        },
    )
    return [ToolFigures(**row) for row in found]


def errors(database: Database, by_day: bool) -> list[ErrorCount]:
    """Failed runs by kind, the most frequent first; by day, the earliest day first."""
    scope = bring_up_to_date(database)
    day = "CAST(created_at AS DATE)" if by_day else "CAST(NULL AS DATE)"
    found = database.rows(
        f"""
        {_TRACED}
        SELECT failure_kind AS kind, {day} AS day, count(*) AS runs, count(DISTINCT task_id) AS tasks
        FROM traced WHERE failure_kind IS NOT NULL GROUP BY kind, day ORDER BY day NULLS FIRST, runs DESC, kind
        """,
        {name: scope.parameters()[name] for name in ("sampler", "seed", "k", "executor")},
    )
    return [ErrorCount(**row) for row in found]
