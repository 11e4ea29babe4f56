"""The queue as the pages of reviewers see it.

A page holds the question on screen and a few behind it by leases in the reviewer's name.  One
reviewer may have several pages open: `Pages` remembers which page holds which, so that no two show
the same question.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from app import local_day
from app.people import Curator, Person
from app.quick_json import quick_json
from app.site import Site
from workbench.curate.queue import Lease, QueueRequest
from workbench.screen.review import Items, LeaseHolder, Looked, QuestionItem
from workbench.store import Project
from workbench.store.reading.ahead import AHEAD

QueueState = Literal["pending", "skipped", "disputed"]


MOST = 20
"""Questions that one page may hold."""


@dataclass(frozen=True)
class Next:
    """More questions for a page."""

    page: str
    count: int = 3
    have: list[str] = field(default_factory=list)
    """Questions that the page holds, or has not saved yet."""
    q: str = ""
    order: str | None = None
    state: QueueState = "pending"
    task: str | None = None
    """The one question to serve; None: the next ones."""
    gold: bool = True
    """Whether gold questions may come among them."""

    def queue_request(self) -> QueueRequest:
        """The same for the queue."""
        return QueueRequest(order=self.order or None, text=self.q, state=self.state, gold=self.gold)


@dataclass(frozen=True)
class OpenQuestions:
    """Questions that a page holds."""

    page: str
    tasks: list[str]


@dataclass(frozen=True, slots=True)
class HiddenByFilter:
    """The queue is empty because its filter hides every question."""

    hidden: int
    kind: Literal["filter"] = "filter"


@dataclass(frozen=True, slots=True)
class NothingYet:
    """The queue is empty because no program was right so far."""

    questions: int
    """Questions of the project."""
    kind: Literal["nothing"] = "nothing"


@dataclass(frozen=True, slots=True)
class AllDone:
    """The queue is empty because every question is decided, held or skipped."""

    held: int
    """Questions that other reviewers hold."""
    disputed: int
    skipped: int
    today: int
    """Questions that the reviewer decided today."""
    state: QueueState
    kind: Literal["done"] = "done"


EmptyQueue = HiddenByFilter | NothingYet | AllDone
"""Why no question is served."""


@dataclass(frozen=True, slots=True)
class ServedQuestions:
    """Questions that are leased to a page; where there are none, why."""

    items: Sequence[QuestionItem]
    none: EmptyQueue | None
    lasts: float
    """Seconds that a lease lasts."""


@dataclass(frozen=True, slots=True)
class LostQuestion:
    """A question that a page does not hold any more, and who holds it now."""

    task: str
    by: str


@dataclass(frozen=True, slots=True)
class HeldQuestions:
    """Questions that a page still holds, and those that it has lost."""

    held: Sequence[str]
    lost: Sequence[LostQuestion]


@dataclass(frozen=True, slots=True)
class ReleasedQuestions:
    """How many questions a page let go of."""

    released: int


class Pages:
    """Which page of a person holds which question; a page that is silent for as long as a lease
    lasts holds nothing.
    """

    def __init__(self) -> None:
        self._holders: dict[tuple[str, str], tuple[str, float]] = {}
        """The page that holds a question and until when, by person and question."""
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def lock(self, name: str) -> threading.Lock:
        """One question at a time for each person."""
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())

    def claim(self, name: str, page: str, tasks: Iterable[str], seconds: float) -> None:
        """Remember that a page holds questions.

        Args:
            name: of the person.
            page: id of the page.
            tasks: ids of the questions.
            seconds: how long the page holds them.
        """
        until = time.monotonic() + seconds
        with self._guard:
            self._holders.update({(name, task): (page, until) for task in tasks})

    def elsewhere(self, name: str, page: str) -> set[str]:
        """Questions that this person's other pages hold."""
        now = time.monotonic()
        with self._guard:
            self._holders = {key: row for key, row in self._holders.items() if row[1] > now}
            return {
                task
                for (who, task), (where, _) in self._holders.items()
                if who == name and where != page
            }

    def drop(self, name: str, page: str) -> list[str]:
        """Forget the questions of a page; gives those that it held."""
        with self._guard:
            mine = [
                task
                for (who, task), (where, _) in self._holders.items()
                if who == name and where == page
            ]
            for task in mine:
                del self._holders[name, task]
        return mine


def add(site: Site, items: Items, pages: Pages) -> None:
    """Register what holds questions for a page.

    Args:
        site: the pages.
        items: questions as reviewers see them.
        pages: remembers which page holds which question.
    """
    server, line = site.server, ReviewLine(site.project, items, pages)

    @server.post("/do/curate/next")
    @quick_json
    def more(body: Next, person: Curator) -> ServedQuestions:
        """Lease the next questions to a page; where there are none, why."""
        with line.pages.lock(person.name):
            if body.task is not None:
                return line.one(person, body, body.task)
            return line.next(person, body)

    @server.post("/do/curate/hold")
    def hold(body: OpenQuestions, person: Curator) -> HeldQuestions:
        """Hold the questions of a page for another while."""
        with line.pages.lock(person.name):
            return line.hold(person, body)

    @server.post("/do/curate/release")
    def release(body: OpenQuestions, person: Curator) -> ReleasedQuestions:
        """Let go of the questions of a page that was closed: of those that it names, and of those
        that were on their way to it.
        """
        with line.pages.lock(person.name):
            mine = line.pages.drop(person.name, body.page)
        for task in mine:
            site.project.curation.release(person.name, task)
        return ReleasedQuestions(len(mine))


class ReviewLine:
    """The queue as the pages of reviewers see it: a page leases questions, and keeps them."""

    def __init__(self, project: Project, items: Items, pages: Pages) -> None:
        self.project = project
        self.items = items
        self.pages = pages

    @property
    def lasts(self) -> float:
        """Seconds that a lease lasts."""
        return 60 * self.project.curation.settings().lease_minutes

    def next(self, person: Person, body: Next) -> ServedQuestions:
        """Lease the next questions to a page."""
        curation, lasts = self.project.curation, self.lasts
        elsewhere = self.pages.elsewhere(person.name, body.page)
        leased = {lease.task_id for lease in curation.leases() if lease.holder == person.name}
        # the queue serves what the reviewer holds already first: so many more are asked for
        more = len(leased & (elsewhere | set(body.have)))
        count = min(max(body.count, 1), MOST)
        served = curation.next_items(person.name, person.role, body.queue_request(), more + count)
        fresh = [s for s in served if s.task_id not in elsewhere and s.task_id not in body.have]
        fresh = fresh[:count]
        self.pages.claim(person.name, body.page, [s.task_id for s in fresh], lasts)
        looked = [Looked(one.task_id, one.why, one.lease) for one in fresh]
        request = body.queue_request()
        items = self.items.items(
            person, looked, lambda: curation.upcoming(person.name, person.role, request, AHEAD)
        )
        none = nothing(self.project, person, body) if not items and not body.have else None
        return ServedQuestions(items, none, lasts)

    def one(self, person: Person, body: Next, task: str) -> ServedQuestions:
        """Lease a certain question where it is free; otherwise it says who holds it.

        Args:
            person: who asks.
            body: the request of the page.
            task: id of the question.
        """
        curation, lasts = self.project.curation, self.lasts
        leases = curation.leases([task])
        holder = next((lease for lease in leases if lease.holder != person.name), None)
        state: QueueState = "disputed" if body.state == "disputed" else "pending"
        request = QueueRequest(tasks=(task,), state=state)
        served = curation.next_items(person.name, person.role, request, 1)
        self.pages.claim(person.name, body.page, [s.task_id for s in served], lasts)
        lease, why = (served[0].lease, served[0].why) if served else (None, "")
        item = self.items.item(person, task, why, lease)
        if lease is None and holder is not None:
            item = replace(item, holder=_holder(holder))
        return ServedQuestions([item], None, lasts)

    def hold(self, person: Person, body: OpenQuestions) -> HeldQuestions:
        """Hold questions for another while, those too whose lease ran out and that are free."""
        elsewhere = self.pages.elsewhere(person.name, body.page)
        still: list[str] = []
        lost: list[LostQuestion] = []
        for task in body.tasks[:MOST]:
            if task in elsewhere:
                lost.append(LostQuestion(task, "another page of yours"))
            elif self._renew(person, task):
                still.append(task)
            else:
                leases = self.project.curation.leases([task])
                by = next((lease.holder for lease in leases), "another reviewer")
                lost.append(LostQuestion(task, by))
        self.pages.claim(person.name, body.page, still, self.lasts)
        return HeldQuestions(still, lost)

    def _renew(self, person: Person, task: str) -> bool:
        """Whether the person holds the question for another while."""
        curation = self.project.curation
        if curation.renew(person.name, task):
            return True
        request = QueueRequest(tasks=(task,))
        return bool(curation.next_items(person.name, person.role, request, 1))


def _holder(lease: Lease) -> LeaseHolder:
    """Who holds a question, and for how long."""
    left = lease.expires_at.replace(tzinfo=UTC) - datetime.now(UTC)
    return LeaseHolder(lease.holder, max(1, round(left.total_seconds() / 60)))


def nothing(project: Project, person: Person, body: Next) -> EmptyQueue:
    """Which of three nothings it is: none that matches, none yet, or all done.

    Args:
        project: whose queue is empty.
        person: who asks.
        body: what the page asked for.
    """
    curation = project.curation
    if body.q.strip():
        whole = QueueRequest(order=body.order or None, state=body.state)
        hidden = curation.progress(person.name, person.role, whole).remaining
        if hidden:
            return HiddenByFilter(hidden)
    figures = curation.progress(person.name, person.role, body.queue_request(), local_day.today())
    if not project.browse_total("status:kept status:agreed") and not curation.events(limit=1):
        return NothingYet(project.count_tasks())
    return AllDone(
        held=figures.held_by_others,
        disputed=figures.disputed,
        skipped=figures.skipped,
        today=figures.decided_today,
        state=body.state,
    )
