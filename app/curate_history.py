"""What was decided, by hour, person and batch, taking it back, and what one did in a session.

A batch, an hour and any span of time are taken back by a rollback, which is an event too and can be
taken back itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import Request, Response

from app.people import Curator, Viewer
from app.site import Site
from workbench.curate.agreement import ENOUGH
from workbench.errors import InputError
from workbench.records import REASON_WORDS
from workbench.screen.decide import person_event
from workbench.store.people import past

MOST = 200
"""Rows on one page of the history."""

KINDS = {
    "accept": "accepted",
    "reject": "rejected",
    "skip": "skipped",
    "adjudicate": "ruled",
    "gold": "made gold",
    "edit": "edited",
    "note": "noted",
    "wrong_step": "marked",
    "queue": "sent to the queue",
    "rating": "rated",
    "tag": "tagged",
}
"""What was done, in words, by the kind of the event."""


@dataclass(frozen=True)
class RollbackRequest:
    """Whose events are to be taken back, from when until when."""

    id: str
    subject: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class PastRow:
    """Events of one person in one hour: those of a batch, or those that were made one by one."""

    hour: str
    """Beginning of the hour; all times are in ISO 8601."""
    author: str
    batch: str | None
    since: str
    """Time of the first event, and `until` a moment after the last one."""
    until: str
    words: Sequence[tuple[int, str]]
    """How many events were what, in words."""
    n: int
    undone: int
    mine: bool
    """Whether they are of the person who looks."""


@dataclass(frozen=True, slots=True)
class RollbackRow:
    """A rollback, and whether it stands."""

    id: str
    author: str
    subject: str
    since: str
    until: str
    at: str
    undone: bool
    may: bool
    """Whether the person who looks may take it back."""


@dataclass(frozen=True, slots=True)
class PastPage:
    """A page of the history."""

    rows: Sequence[PastRow]
    before: str | None
    """Where the next page begins; None behind the last one."""
    rollbacks: Sequence[RollbackRow]
    people: Sequence[str]
    """Everybody who decided anything."""


@dataclass(frozen=True, slots=True)
class RollbackReach:
    """What a rollback would take back now."""

    events: int
    questions: int
    words: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class StoredRollback:
    """A rollback that was stored."""

    id: str
    events: int
    """Events that it took back."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """What the person did in the last stretch of work."""

    begin: str
    end: str
    minutes: float
    decided: int
    """Questions, one by one."""
    verdicts: Mapping[str, int]
    bulk: int
    reasons: Mapping[str, int]
    """Rejects by reason, in words."""
    edits: int
    undone: int
    seconds: float | None
    """Median time of a decision."""
    same: int
    judged: int
    """Of this many accepts and rejects `same` say what the verifier says."""
    few: int
    """Fewer say too little."""


def page(site: Site, request: Request) -> Response:
    """The page of the history."""
    return site.page(request, "curate_history.html", "curate", {})


def add(site: Site) -> None:
    """Register what the pages call."""
    database, server, curation = site.project.database, site.server, site.project.curation

    @server.get("/data/curate/history")
    def history(person: Viewer, author: str = "", before: datetime | None = None) -> PastPage:
        """What was decided, the newest hour first.

        Args:
            person: who looks.
            author: only this person's; empty: everybody's.
            before: only what was decided before this time.
        """
        limit = _utc(before) if before is not None else None
        rows = past.stretches(database, author or None, limit, MOST + 1)
        more = None
        if len(rows) > MOST:  # whole hours alone, so that the next page splits none
            last = rows[MOST].hour
            whole = [row for row in rows if row.hour > last]
            rows = whole or rows[:MOST]
            more = _iso(rows[-1].hour)
        return PastPage(
            [_row(one, person.name) for one in rows],
            more,
            [
                _rollback(one, person.name, person.may("admin"))
                for one in past.rollbacks(database, MOST)
            ],
            past.authors(database),
        )

    @server.get("/data/curate/reach")
    def reach(person: Viewer, subject: str, since: datetime, until: datetime) -> RollbackReach:
        """What a rollback would take back now; nothing is written.

        Args:
            person: who asks.
            subject: whose events.
            since: from when.
            until: until when, itself excluded.
        """
        one = past.reach(database, subject, _utc(since), _utc(until))
        return RollbackReach(one.events, one.questions, _words(one.kinds))

    @server.post("/do/curate/rollback")
    def roll_back(body: RollbackRequest, person: Curator) -> StoredRollback:
        """Take back what a person decided in a span of time; it can be brought back."""
        since, until = _utc(body.since), _utc(body.until)
        events = past.reach(database, body.subject, since, until).events
        event = person_event(
            person, body.id, "rollback", subject=body.subject, since=since, until=until
        )
        return StoredRollback(curation.decide([event])[0].id, events)

    @server.get("/data/curate/session")
    def session(person: Curator) -> SessionView | None:
        """What the person did since the last long pause; null where nothing was done."""
        one = past.session(database, person.name)
        if one is None:
            return None
        return SessionView(
            begin=_iso(one.begin),
            end=_iso(one.end),
            minutes=(one.end - one.begin).total_seconds() / 60,
            decided=one.decided,
            verdicts=one.verdicts,
            bulk=one.bulk,
            reasons={
                words: one.reasons[name]
                for name, words in REASON_WORDS.items()
                if name in one.reasons
            },
            edits=one.edits,
            undone=one.undone,
            seconds=one.seconds,
            same=one.same,
            judged=one.judged,
            few=ENOUGH,
        )


def _row(one: past.Stretch, name: str) -> PastRow:
    return PastRow(
        hour=_iso(one.hour),
        author=one.author,
        batch=one.batch,
        since=_iso(one.first),
        until=_iso(one.last + timedelta(microseconds=1)),
        words=_words(one.kinds),
        n=one.n,
        undone=one.undone,
        mine=one.author == name,
    )


def _rollback(one: past.Rollback, name: str, admin: bool) -> RollbackRow:
    return RollbackRow(
        id=one.id,
        author=one.author,
        subject=one.subject,
        since=_iso(one.since),
        until=_iso(one.until),
        at=_iso(one.at),
        undone=one.undone,
        may=not one.undone and (admin or one.author == name),
    )


def _words(kinds: Mapping[str, int]) -> list[tuple[int, str]]:
    """How many events were what, the verdicts first."""
    return [(kinds[kind], words) for kind, words in KINDS.items() if kind in kinds]


def _iso(time: datetime) -> str:
    return time.replace(tzinfo=UTC).isoformat()


def _utc(time: datetime) -> datetime:
    """A time as the store has it.  Raises InputError where it has no zone."""
    if time.tzinfo is None:
        raise InputError(f"{time} has no zone; give it as in 2026-03-03T12:00:00Z")
    return time.astimezone(UTC).replace(tzinfo=None)
