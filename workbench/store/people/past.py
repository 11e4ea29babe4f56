"""What people decided, by hour, person and batch, and what a rollback would take back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workbench.curate.session import WorkSession, last_session
from workbench.store.kernel.database import Database
from workbench.store.people import decisions

_LAST = 5000
"""Events of a person among which the last session is looked for."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of one person in one hour: those of one batch, or those that were made one by one."""

    hour: datetime
    """Beginning of the hour (UTC)."""
    author: str
    batch: str | None
    first: datetime
    """Time of its first event (UTC), and `last` that of its last one."""
    last: datetime
    kinds: Mapping[str, int]
    """Events by kind."""
    undone: int
    """Events of these that were taken back."""

    @property
    def n(self) -> int:
        """Number of events."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback as it stands."""

    id: str
    author: str
    subject: str
    """Whose events it takes back."""
    since: datetime
    until: datetime
    at: datetime
    """When it was made; all in UTC."""
    undone: bool
    """Whether it was taken back itself."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a rollback would take back now."""

    events: int
    """Events that stand."""
    questions: int
    """Questions that they are about."""
    kinds: Mapping[str, int]
    """The events by kind."""


def stretches(
    database: Database, author: str | None, before: datetime | None, limit: int
) -> list[Stretch]:
    """What was decided, the newest hour first; undos and rollbacks are told by what they took.

    Args:
        database: the store.
        author: only this person's; None for everybody's.
        before: only hours that began before this time (UTC).
        limit: how many at most.
    """
    rows = database.rows(
        """
        WITH counted AS (
            SELECT date_trunc('hour', d.created_at) AS hour, d.author, d.batch, d.kind,
                count(*) AS n, count(*) FILTER (a.seq IS NULL) AS undone,
                min(d.created_at) AS first, max(d.created_at) AS last
            FROM decision AS d LEFT JOIN active_decision AS a ON a.seq = d.seq
            WHERE d.kind NOT IN ('undo', 'rollback')
                AND ($author IS NULL OR d.author = $author)
                AND ($before IS NULL OR d.created_at < $before)
            GROUP BY ALL
        )
        SELECT hour, author, batch, min(first) AS first, max(last) AS last,
            list(kind ORDER BY kind) AS kinds, list(n ORDER BY kind) AS counts,
            sum(undone)::BIGINT AS undone
        FROM counted GROUP BY hour, author, batch
        ORDER BY hour DESC, author, last DESC, batch LIMIT $limit
        """,
        {"author": author, "before": before, "limit": limit},
    )
    return [
        Stretch(
            row["hour"],
            row["author"],
            row["batch"],
            row["first"],
            row["last"],
            dict(zip(row["kinds"], row["counts"], strict=True)),
            row["undone"],
        )
        for row in rows
    ]


def authors(database: Database) -> list[str]:
    """Everybody who decided anything, by name."""
    rows = database.rows("SELECT DISTINCT author FROM decision ORDER BY author")
    return [row["author"] for row in rows]


def rollbacks(database: Database, limit: int) -> list[Rollback]:
    """The last rollbacks, the newest first.

    Args:
        database: the store.
        limit: how many at most.
    """
    rows = database.rows(
        """
        SELECT r.id, r.author, r.subject, r.since, r.until, r.created_at AS at, EXISTS (
            SELECT 1 FROM decision AS u
            WHERE u.kind = 'undo' AND u.target = r.id AND u.seq > r.seq
        ) AS undone
        FROM decision AS r WHERE r.kind = 'rollback' ORDER BY r.seq DESC LIMIT $limit
        """,
        {"limit": limit},
    )
    return [Rollback(**row) for row in rows]


def reach(database: Database, subject: str, since: datetime, until: datetime) -> Reach:
    """What a rollback would take back now.

    Args:
        database: the store.
        subject: whose events.
        since: from when (UTC).
        until: until when (UTC), itself excluded.
    """
    rows = database.rows(
        """
        SELECT kind, count(*) AS n, list(DISTINCT task_id) AS tasks FROM active_decision
        WHERE author = $subject AND created_at >= $since AND created_at < $until
            AND kind NOT IN ('undo', 'rollback')
        GROUP BY kind ORDER BY kind
        """,
        {"subject": subject, "since": since, "until": until},
    )
    kinds = {row["kind"]: row["n"] for row in rows}
    tasks = {task for row in rows for task in row["tasks"]}
    return Reach(sum(kinds.values()), len(tasks), kinds)


def session(database: Database, author: str) -> WorkSession | None:
    """A person's last stretch of work; None where there is none.

    Args:
        database: the store.
        author: the person's name.
    """
    rows = database.rows(
        """
        SELECT * FROM (
            SELECT d.*, a.seq IS NOT NULL AS stands
            FROM decision AS d LEFT JOIN active_decision AS a ON a.seq = d.seq
            WHERE d.author = $author ORDER BY d.seq DESC LIMIT $limit
        ) ORDER BY seq
        """,
        {"author": author, "limit": _LAST},
    )
    return last_session([(decisions.to_decision(row), bool(row["stands"])) for row in rows])
