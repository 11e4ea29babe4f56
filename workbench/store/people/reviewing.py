"""Figures of the people who decide: pace, acceptance, agreement, gold and what they blame.

A verdict that was given in a batch was not looked at by itself: where all of a batch are accepted,
the verifier's own choice is.  Such verdicts count in `ReviewerFigures.bulk` and in nothing else
that says how far people agree, with each other, with the verifier or with a gold item.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from workbench.curate.agreement import Agreement, VerdictConfusion, agreements
from workbench.curate.fold import VERDICTS
from workbench.shares import Share
from workbench.store.kernel.database import Database
from workbench.store.kernel.days import DAYS, local_days
from workbench.store.records.pending import VISITOR

_OURS = f"task_id NOT IN (SELECT id FROM task WHERE {VISITOR})"
"""Whether a row is about a question of the project's own, not about one that a visitor asked."""


def _dated(table: str) -> str:
    """A table of decisions, each with its `day` by the parameter of `local_days`."""
    return f"{table} ASOF JOIN {DAYS} AS local_day ON {table}.created_at >= local_day.begin"


ALONE = "(SELECT seq FROM decision WHERE batch IS NULL)"
"""Places of the events that were no part of a batch."""


@dataclass(frozen=True, slots=True)
class ReviewerFigures:
    """One reviewer's decisions in a span of time, without those that were taken back."""

    name: str
    decided: int
    """Items that were accepted, rejected or skipped."""
    skipped: int
    accepted: Share
    """Accepts, of accepts and rejects, each given by itself."""
    gold: Share
    """Gold items with the right decision, of the gold items that were accepted or rejected, each by
    itself.
    """
    days: int
    """Number of days (UTC) with a decision by itself."""
    median_seconds: float | None
    """Median time of one decision; None where none was measured."""
    bulk: int = 0
    """Items of these that were decided in a batch."""

    @property
    def per_day(self) -> float:
        """Items decided one by one on a day with any."""
        return (self.decided - self.bulk) / self.days if self.days else 0.0


@dataclass(frozen=True, slots=True)
class ToolBlame:
    """First wrong steps that people marked in one tool's calls."""

    tool: str
    """Name of the tool; empty for a step of the program itself."""
    wrong: int
    """First wrong steps in its calls."""
    of: Share
    """Its share of all first wrong steps."""


@dataclass(frozen=True, slots=True)
class ToolRulings:
    """Standing accepts and rejects of traces that called one tool."""

    tool: str
    n: int
    """Accepts and rejects."""
    accepted: int


@dataclass(frozen=True, slots=True)
class DayOfDecisions:
    """The standing decisions of one person on one day, one by one."""

    day: str
    """In the zone that was asked for, as 2026-01-31."""
    author: str
    n: int


@dataclass(frozen=True, slots=True)
class LastDecisions:
    """The standing decisions of one person on one of the last days."""

    author: str
    n: int
    at: datetime
    """When the last of them was made, UTC."""


def reviewers(
    database: Database,
    since: datetime | None,
    until: datetime | None,
    zone: tzinfo | None = None,
) -> list[ReviewerFigures]:
    """Figures of everybody who decided in a span of time, by name.

    Args:
        database: the store.
        since: UTC, included; None for the beginning.
        until: UTC, not included; None for now.
        zone: whose days are counted; None for this machine's own zone.
    """
    rows = database.rows(
        f"""
        WITH said AS (
            SELECT * FROM active_decision WHERE kind IN {VERDICTS}
            AND ($since IS NULL OR created_at >= $since) AND ($until IS NULL OR created_at < $until)
        ),
        last AS (
            SELECT * FROM said
            QUALIFY row_number() OVER (PARTITION BY task_id, author ORDER BY seq DESC) = 1
        )
        SELECT last.author AS name, count(*) AS decided, count(*) FILTER (kind = 'skip') AS skipped,
            count(*) FILTER (kind = 'accept' AND batch IS NULL) AS accepted,
            count(*) FILTER (kind = 'reject' AND batch IS NULL) AS rejected,
            count(gold) FILTER (kind <> 'skip' AND batch IS NULL) AS judged,
            count(*) FILTER (kind = gold AND batch IS NULL) AS fitting,
            count(DISTINCT day) FILTER (batch IS NULL) AS days,
            median(last.seconds) FILTER (batch IS NULL) AS seconds,
            count(*) FILTER (batch IS NOT NULL) AS bulk
        FROM {_dated("last")} LEFT JOIN curated ON curated.task_id = last.task_id
        GROUP BY last.author ORDER BY name
        """,
        {"since": since, "until": until, **local_days(database, "decision", zone)},
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
            row["bulk"],
        )
        for row in rows
    ]


def agreement(database: Database, until: datetime | None = None) -> list[Agreement]:
    """The agreement of every pair of reviewers with items in common, now or at a time (UTC).

    Gold items count as well: reviewers decide on them without knowing of each other.
    """
    table, parameters = _standing(until)
    rows = database.rows(
        f"""
        SELECT task_id, author, kind FROM {table}
        WHERE kind IN ('accept', 'reject') AND seq IN {ALONE}
        """,
        parameters,
    )
    return agreements((row["task_id"], row["author"], row["kind"]) for row in rows)


def _standing(until: datetime | None) -> tuple[str, list[Any]]:
    return ("standing", []) if until is None else ("standing_at(?)", [until])


def confusion(database: Database) -> VerdictConfusion:
    """Automatic verdicts, at the moment of the decision, against what people decided."""
    row = database.rows(
        """
        SELECT count(*) FILTER (automatic AND d.kind = 'accept') AS right_accepted,
            count(*) FILTER (automatic AND d.kind = 'reject') AS right_rejected,
            count(*) FILTER (NOT automatic AND d.kind = 'accept') AS wrong_accepted,
            count(*) FILTER (NOT automatic AND d.kind = 'reject') AS wrong_rejected
        FROM decision AS d JOIN standing AS s ON s.seq = d.seq AND s.kind <> 'none'
        WHERE d.batch IS NULL
        """
    )[0]
    return VerdictConfusion(**row)


def blame(database: Database) -> list[ToolBlame]:
    """First wrong steps by tool, the most blamed tool first; one step for a trace and person."""
    rows = database.rows(
        f"""
        WITH marked AS (
            SELECT tool FROM active_decision WHERE step IS NOT NULL AND {_OURS}
            QUALIFY row_number() OVER (PARTITION BY trace_id, author ORDER BY seq DESC) = 1
        )
        SELECT tool, count(*) AS wrong, sum(count(*)) OVER ()::BIGINT AS every FROM marked
        GROUP BY tool ORDER BY wrong DESC, tool
        """
    )
    return [ToolBlame(row["tool"], row["wrong"], Share(row["wrong"], row["every"])) for row in rows]


def reasons(database: Database) -> dict[str, int]:
    """Standing rejects by reason, the most frequent first."""
    rows = database.rows(
        f"""
        SELECT reason, count(*) AS n FROM standing WHERE kind = 'reject' AND {_OURS}
        GROUP BY reason ORDER BY n DESC, reason
        """
    )
    return {row["reason"]: row["n"] for row in rows}


def tool_rulings(database: Database) -> list[ToolRulings]:
    """What people say now of the traces that called each tool, one by one; a trace counts for every
    tool that it called.
    """
    rows = database.rows(
        f"""
        SELECT tool, count(*) AS n, count(*) FILTER (kind = 'accept') AS accepted
        FROM (SELECT kind, unnest(string_split(trim(tools, '|'), '|')) AS tool
              FROM standing JOIN trace ON trace.id = standing.trace_id
              WHERE kind IN ('accept', 'reject') AND tools <> '' AND standing.{_OURS}
                AND seq IN {ALONE})
        GROUP BY tool
        """
    )
    return [ToolRulings(**row) for row in rows]


def pace(database: Database, zone: tzinfo | None = None) -> list[DayOfDecisions]:
    """Standing decisions by day and person, those of batches left out, the earliest day first.

    The days are those of a zone; None takes this machine's own zone.
    """
    rows = database.rows(
        f"""
        SELECT day::VARCHAR AS day, author, count(*) AS n
        FROM {_dated("standing")} WHERE kind <> 'none' AND seq IN {ALONE}
        GROUP BY ALL ORDER BY day, author
        """,
        local_days(database, "decision", zone),
    )
    return [DayOfDecisions(**row) for row in rows]


def last_decisions(
    database: Database, limit: int, zone: tzinfo | None = None
) -> list[LastDecisions]:
    """Who decided lately, by day, the newest first.

    Args:
        database: the store.
        limit: how many at most.
        zone: whose days they are; None for this machine's own zone.
    """
    rows = database.rows(
        f"""
        SELECT author, count(*) AS n, max(created_at) AS at
        FROM {_dated("standing")} WHERE kind <> 'none'
        GROUP BY author, day ORDER BY max(created_at) DESC, author LIMIT $limit
        """,
        {"limit": limit, **local_days(database, "decision", zone)},
    )
    return [LastDecisions(**row) for row in rows]


def decision_days(database: Database, limit: int, zone: tzinfo | None = None) -> list[date]:
    """The last days on which anybody decided, the earliest first.

    Args:
        database: the store.
        limit: how many at most.
        zone: whose days they are; None for this machine's own zone.
    """
    rows = database.rows(
        f"SELECT DISTINCT day FROM {_dated('decision')} ORDER BY day DESC LIMIT $limit",
        {"limit": limit, **local_days(database, "decision", zone)},
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
