"""Curate: one question a screen, decided from the keyboard; `workbench.screen.review` says what is
seen of it.

A page holds the question on screen and a few behind it by leases in the reviewer's name.  One
reviewer may have several pages open: `Pages` remembers which page holds which, so that no two show
the same question.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

from fastapi import Request, Response

from app import curate_rules, rating
from app.people import Curator, Person, Viewer
from app.site import Site
from workbench.curate.agreement import ENOUGH
from workbench.curate.fold import VERDICTS
from workbench.curate.queue import QueueRequest
from workbench.curate.settings import ORDERS
from workbench.records import REASON_WORDS, REASONS, Decision, DecisionKind
from workbench.screen.review import Items, Say, decide
from workbench.store import Project
from workbench.store.people.reviewing import standing_since

MOST = 20
"""Questions that one page may hold."""

TRAY = 10
"""Decisions in the tray."""


@dataclass(frozen=True)
class Next:
    """More questions for a page; `task` asks for a certain one, `have` names what it holds or has
    not saved yet.
    """

    page: str
    count: int = 3
    have: list[str] = field(default_factory=list)
    q: str = ""
    order: str | None = None
    state: Literal["pending", "skipped", "disputed"] = "pending"
    task: str | None = None

    def asked(self) -> QueueRequest:
        return QueueRequest(order=self.order or None, text=self.q, state=self.state)


@dataclass(frozen=True)
class OpenQuestions:
    """Questions that a page holds."""

    page: str
    tasks: list[str]


class Pages:
    """Which page of a person holds which question; a page that is silent for as long as a lease
    lasts holds nothing.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], tuple[str, float]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def lock(self, name: str) -> threading.Lock:
        """One question at a time for each person."""
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())

    def claim(self, name: str, page: str, tasks: Iterable[str], seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._guard:
            self._held.update({(name, task): (page, until) for task in tasks})

    def elsewhere(self, name: str, page: str) -> set[str]:
        """What this person's other pages hold."""
        now = time.monotonic()
        with self._guard:
            self._held = {key: held for key, held in self._held.items() if held[1] > now}
            return {
                task
                for (who, task), (where, _) in self._held.items()
                if who == name and where != page
            }

    def drop(self, name: str, page: str, tasks: Iterable[str]) -> list[str]:
        """Forget these of this page; returns those that it held."""
        with self._guard:
            mine = [task for task in tasks if self._held.get((name, task), ("", 0.0))[0] == page]
            for task in mine:
                del self._held[name, task]
        return mine


def add(site: Site) -> None:
    project, server = site.project, site.server
    curation = project.curation
    items, pages = Items(project, site.picture_of), Pages()
    site.chips.append(lambda person: {"today": today(project, person)})
    curate_rules.add(site)
    rating.add(site)

    @server.get("/curate")
    def curate(request: Request, mode: str = "") -> Response:
        if mode == "rate":
            return rating.page(site, request)
        view = {
            "mode": "disputes" if mode == "disputes" else "queue",
            "reasons": [(digit, REASONS[digit], REASON_WORDS[REASONS[digit]]) for digit in REASONS],
            "orders": ORDERS,
        }
        return site.page(request, "curate.html", "curate", view)

    @server.post("/do/curate/next")
    def more(body: Next, person: Curator) -> dict[str, Any]:
        """Lease the next questions to a page; where there are none, why."""
        lasts = 60 * curation.settings().lease_minutes
        with pages.lock(person.name):
            if body.task is not None:
                return one(body, person, lasts)
            elsewhere = pages.elsewhere(person.name, body.page)
            held = {lease.task_id for lease in curation.leases() if lease.holder == person.name}
            kept = len(held & (elsewhere | set(body.have)))
            wanted = min(max(body.count, 1), MOST)
            served = curation.next_items(person.name, person.role, body.asked(), kept + wanted)
            fresh = [
                s for s in served if s.task_id not in elsewhere and s.task_id not in body.have
            ][:wanted]
            pages.claim(person.name, body.page, [s.task_id for s in fresh], lasts)
        found = [items.item(person, s.task_id, s.why, s.lease) for s in fresh]
        none = nothing(project, person, body) if not found and not body.have else None
        return {"items": found, "none": none, "lasts": lasts}

    def one(body: Next, person: Person, lasts: float) -> dict[str, Any]:
        """The one question that was asked for: leased where it is free, else with who holds it."""
        task = cast(str, body.task)
        holder = next(
            (lease for lease in curation.leases([task]) if lease.holder != person.name), None
        )
        asked = QueueRequest(
            tasks=(task,), state="disputed" if body.state == "disputed" else "pending"
        )
        served = curation.next_items(person.name, person.role, asked, 1)
        pages.claim(person.name, body.page, [s.task_id for s in served], lasts)
        lease = served[0].lease if served else None
        found = items.item(person, task, served[0].why if served else "", lease)
        if lease is None and holder is not None:
            minutes = max(
                1,
                round(
                    (holder.expires_at.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds() / 60
                ),
            )
            found["holder"] = {"name": holder.holder, "minutes": minutes}
        return {"items": [found], "none": None, "lasts": lasts}

    @server.post("/do/curate/hold")
    def hold(body: OpenQuestions, person: Curator) -> dict[str, Any]:
        """Hold these for another while; what had run out is taken again where nobody else has it."""
        held, lost = [], []
        with pages.lock(person.name):
            elsewhere = pages.elsewhere(person.name, body.page)
            for task in body.tasks[:MOST]:
                if task in elsewhere:
                    lost.append({"task": task, "by": "another page of yours"})
                elif curation.renew(person.name, task) or curation.next_items(
                    person.name, person.role, QueueRequest(tasks=(task,)), 1
                ):
                    held.append(task)
                else:
                    other = next(
                        (lease.holder for lease in curation.leases([task])), "another reviewer"
                    )
                    lost.append({"task": task, "by": other})
            pages.claim(person.name, body.page, held, 60 * curation.settings().lease_minutes)
        return {"held": held, "lost": lost}

    @server.post("/do/curate/release")
    def release(body: OpenQuestions, person: Curator) -> dict[str, int]:
        """Let go of what a page holds: it was closed."""
        mine = pages.drop(person.name, body.page, body.tasks[:MOST])
        for task in mine:
            curation.release(person.name, task)
        return {"released": len(mine)}

    @server.get("/data/curate/item")
    def item(task: str, person: Viewer) -> dict[str, Any]:
        return items.item(person, task)

    @server.get("/data/curate/candidate")
    def candidate(task: str, trace: str, person: Viewer) -> dict[str, Any]:
        return items.candidate(person, task, trace)

    @server.post("/do/curate/decide")
    def say(body: Say, person: Curator) -> dict[str, Any]:
        """Store what was said, and give back what others and the verifier say now that it may be
        seen.
        """
        stored = decide(project, person, body)
        shown = body.kind in ("accept", "reject", "adjudicate") and curation.may_show(
            body.task, person.name, person.role
        )
        others = (
            [one for one in curation.standing([body.task]) if one.author != person.name]
            if shown
            else []
        )
        return {
            "event": stored.id,
            "rationale": stored.rationale_id,
            "automatic": stored.automatic if shown else None,
            "others": [{"author": one.author, "kind": one.kind} for one in others],
        }

    @server.get("/data/curate/recent")
    def recent(person: Viewer) -> list[dict[str, Any]]:
        return tray(project, person)

    @server.get("/data/curate/progress")
    def progress(
        person: Curator,
        q: str = "",
        order: str = "",
        state: Literal["pending", "skipped", "disputed"] = "pending",
    ) -> dict[str, Any]:
        found = curation.progress(
            person.name, person.role, QueueRequest(order=order or None, text=q, state=state)
        )
        return {
            "remaining": found.remaining,
            "held": found.held_by_others,
            "disputed": found.disputed,
            "skipped": found.skipped,
            "today": found.decided_today,
            "goal": found.daily_goal,
            "seconds": found.median_seconds,
            "order": found.order,
            "note": found.order_note,
        }

    @server.get("/data/curate/agreement")
    def agreement(person: Viewer) -> dict[str, Any]:
        """How far this person and the one with the most questions in common agree."""
        pairs = [one for one in curation.agreement() if person.name in (one.first, one.second)]
        if not pairs:
            return {"with": None, "n": 0, "kappa": None, "note": f"too few: 0 of {ENOUGH}"}
        best = max(pairs, key=lambda one: one.n)
        other = best.second if best.first == person.name else best.first
        return {"with": other, "n": best.n, "kappa": best.kappa, "note": best.note}


def today(project: Project, person: Person) -> dict[str, int] | None:
    """The chip in the header."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    count = standing_since(project.database, person.name, day)
    return {"count": count, "goal": project.curation.settings().daily_goal} if count else None


def nothing(project: Project, person: Person, body: Next) -> dict[str, Any]:
    """Which of three nothings it is: none yet, none that matches, or all done."""
    curation = project.curation
    if body.q.strip():
        hidden = curation.progress(
            person.name, person.role, QueueRequest(order=body.order or None, state=body.state)
        ).remaining
        if hidden:
            return {"kind": "filter", "hidden": hidden}
    found = curation.progress(person.name, person.role, body.asked())
    if not project.browse_total("status:kept status:agreed") and not curation.events(limit=1):
        return {"kind": "nothing", "questions": project.count_tasks()}
    return {
        "kind": "done",
        "held": found.held_by_others,
        "disputed": found.disputed,
        "skipped": found.skipped,
        "today": found.decided_today,
        "state": body.state,
    }


def tray(project: Project, person: Person) -> list[dict[str, Any]]:
    """The person's last decisions, a batch as one, the newest first."""
    found = project.curation.recent(person.name, 5 * TRAY)
    questions = {
        task.id: task.question for task in project.tasks([one.decision.task_id for one in found])
    }
    rows: dict[str, dict[str, Any]] = {}
    for one in found:
        event = one.decision
        key = event.batch or event.id
        if key not in rows and event.kind != "edit":
            rows[key] = _row(event, one.undone, questions.get(event.task_id, ""))
    return list(rows.values())[:TRAY]


def _row(event: Decision, undone: bool, question: str) -> dict[str, Any]:
    kind: DecisionKind = event.kind
    return {
        "event": event.batch or event.id,
        "batch": event.batch is not None,
        "kind": kind,
        "task": event.task_id,
        "question": question,
        "verdict": event.ruling,
        "reason": REASON_WORDS[event.reason] if event.reason else "",
        "text": event.text,
        "undone": undone,
        "automatic": event.automatic if kind in VERDICTS and kind != "skip" else None,
        "at": event.created_at.replace(tzinfo=UTC).isoformat() if event.created_at else None,
    }
