"""Figures of the people who decide: pace, acceptance, agreement, gold; and what they blame.  Each
with its n.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from workbench.curate.agreement import Agreement, VerdictConfusion, agreements
from workbench.curate.fold import VERDICTS
from workbench.shares import Share
from workbench.store.kernel.database import Database


@dataclass(frozen=True, slots=True)
class ReviewerFigures:
    """One reviewer's decisions of a span of time; what was taken back since does not count."""

    name: str
    decided: int
    """Items that were accepted, rejected or skipped."""
    skipped: int
    accepted: Share
    """Of those accepted or rejected."""
    gold: Share
    """Gold items judged as known to be right, of those judged."""
    days: int
    """Days (UTC) with a decision."""
    median_seconds: float | None
    """Per decision, where it was measured."""

    @property
    def per_day(self) -> float:
        return self.decided / self.days if self.days else 0.0


@dataclass(frozen=True, slots=True)
class ToolBlame:
    """First wrong steps that people marked in one tool's calls."""

    tool: str
    """Empty: a step of the program itself."""
    wrong: int
    of: Share
    """Of all first wrong steps."""


@dataclass(frozen=True, slots=True)
class ToolRulings:
    """Standing accepts and rejects of traces that called one tool."""

    tool: str
    n: int
    """Accepts and rejects."""
    accepted: int


@dataclass(frozen=True, slots=True)
class DayOfDecisions:
    """The standing decisions of one person on one day."""

    day: str
    """UTC, as 2026-01-31."""
    author: str
    n: int


def reviewers(
    database: Database, since: datetime | None, until: datetime | None
) -> list[ReviewerFigures]:
    """Everybody who decided in a span of time (UTC), by name."""
    found = database.rows(
        f"""
        WITH said AS (
            SELECT * FROM active_decision WHERE kind IN {VERDICTS}
            AND ($since IS NULL OR created_at >= $since) AND ($until IS NULL OR created_at < $until)
        ),
        last AS (SELECT * FROM said QUALIFY row_number() OVER (PARTITION BY task_id, author ORDER BY seq DESC) = 1)
        SELECT last.author AS name, count(*) AS decided, count(*) FILTER (kind = 'skip') AS skipped,
            count(*) FILTER (kind = 'accept') AS accepted, count(*) FILTER (kind = 'reject') AS rejected,
            count(gold) FILTER (kind <> 'skip') AS judged, count(*) FILTER (kind = gold) AS fitting,
            count(DISTINCT last.created_at::DATE) AS days, median(last.seconds) AS seconds
        FROM last LEFT JOIN curated ON curated.task_id = last.task_id GROUP BY last.author ORDER BY name
        """,
        {"since": since, "until": until},
    )
    return [
        ReviewerFigures(
            row["name"],
            row["decided"],
            row["skipped"],
            Share(row["accepted"], row["accepted"] + row["rejected"]),
            Share(row["fitting"], row["judged"]),
            row["days"],
            row["seconds"],
        )
        for row in found
    ]


def agreement(database: Database, until: datetime | None = None) -> list[Agreement]:
    """Every pair of reviewers with items in common, from what stands (at a time).

    What they decide on gold items counts, too: they decide it without knowing of each other.
    """
    table, given = _standing(until)
    rows = database.rows(
        f"SELECT task_id, author, kind FROM {table} WHERE kind IN ('accept', 'reject')", given
    )
    return agreements((row["task_id"], row["author"], row["kind"]) for row in rows)


def _standing(until: datetime | None) -> tuple[str, list[Any]]:
    return ("standing", []) if until is None else ("standing_at(?)", [until])


def confusion(database: Database) -> VerdictConfusion:
    """The automatic verdict, at the moment of the decision, against the person's."""
    row = database.rows(
        """
        SELECT count(*) FILTER (automatic AND d.kind = 'accept') AS right_accepted,
            count(*) FILTER (automatic AND d.kind = 'reject') AS right_rejected,
            count(*) FILTER (NOT automatic AND d.kind = 'accept') AS wrong_accepted,
            count(*) FILTER (NOT automatic AND d.kind = 'reject') AS wrong_rejected
        FROM decision AS d JOIN standing AS s ON s.seq = d.seq AND s.kind <> 'none'
        """
    )[0]
    return VerdictConfusion(**row)


def blame(database: Database) -> list[ToolBlame]:
    """First wrong steps by tool, the most blamed first; one for a trace and person."""
    found = database.rows(
        """
        WITH marked AS (
            SELECT tool FROM active_decision WHERE step IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY trace_id, author ORDER BY seq DESC) = 1
        )
        SELECT tool, count(*) AS wrong, sum(count(*)) OVER ()::BIGINT AS every FROM marked
        GROUP BY tool ORDER BY wrong DESC, tool
        """
    )
    return [
        ToolBlame(row["tool"], row["wrong"], Share(row["wrong"], row["every"])) for row in found
    ]


def reasons(database: Database) -> dict[str, int]:
    """Standing rejects by reason, the most frequent first."""
    found = database.rows(
        "SELECT reason, count(*) AS n FROM standing WHERE kind = 'reject' GROUP BY reason ORDER BY n DESC, reason"
    )
    return {row["reason"]: row["n"] for row in found}


def tool_rulings(database: Database) -> list[ToolRulings]:
    """What people say now of the traces that called each tool; a trace counts for every tool that
    it called.
    """
    rows = database.rows(
        """
        SELECT tool, count(*) AS n, count(*) FILTER (kind = 'accept') AS accepted
        FROM (SELECT kind, unnest(string_split(trim(tools, '|'), '|')) AS tool
              FROM standing JOIN trace ON trace.id = standing.trace_id
              WHERE kind IN ('accept', 'reject') AND tools <> '')
        GROUP BY tool
        """
    )
    return [ToolRulings(**row) for row in rows]


def pace(database: Database) -> list[DayOfDecisions]:
    """Standing decisions by day and person, the earliest day first."""
    rows = database.rows(
        """
        SELECT created_at::DATE::VARCHAR AS day, author, count(*) AS n
        FROM standing WHERE kind <> 'none' GROUP BY ALL ORDER BY day, author
        """
    )
    return [DayOfDecisions(**row) for row in rows]


def decision_days(database: Database, limit: int) -> list[date]:
    """The last days (UTC) on which anybody decided, the earliest first."""
    rows = database.rows(
        """
        SELECT DISTINCT created_at::DATE AS day FROM decision ORDER BY day DESC LIMIT $limit
        """,
        {"limit": limit},
    )
    return sorted(row["day"] for row in rows)


def standing_since(database: Database, author: str, moment: datetime) -> int:
    """How many standing decisions of a person were made at a moment (UTC) or after it.

    Args:
        database: the store.
        author: the person's name.
        moment: without a zone.
    """
    sql = """
    SELECT count(*) AS n FROM standing
    WHERE author = ? AND kind <> 'none' AND created_at >= ?
    """
    return int(database.rows(sql, [author, moment])[0]["n"])


def state_counts(database: Database) -> dict[str, int]:
    """Questions that anybody has said something of, by state, the most frequent state first."""
    rows = database.rows(
        "SELECT state, count(*) AS n FROM curated GROUP BY state ORDER BY n DESC, state"
    )
    return {row["state"]: row["n"] for row in rows}
