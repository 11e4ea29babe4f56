"""Curate: one question a screen, decided from the keyboard; `workbench.screen.review` says what is
seen of it, `app.curate_queue` which questions a page holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from fastapi import Request, Response
from typing_extensions import TypedDict

from app import curate_history, curate_queue, curate_rules, local_day, rating
from app.curate_queue import Pages, QueueState
from app.header import DayChip
from app.people import Curator, Person, Viewer
from app.quick_json import quick_json
from app.site import Site
from workbench.curate.agreement import ENOUGH
from workbench.curate.fold import VERDICTS
from workbench.curate.queue import QueueRequest
from workbench.curate.settings import ORDER_WORDS
from workbench.errors import InputError
from workbench.rationalize.check.faithful import check
from workbench.records import REASON_WORDS, REASONS, Decision, DecisionKind
from workbench.screen.decide import Say, decide
from workbench.screen.player import PlayerModel
from workbench.screen.review import Items, QuestionItem
from workbench.store import Project
from workbench.store.people.reviewing import standing_since

TRAY = 10
"""Decisions in the tray."""


@dataclass(frozen=True, slots=True)
class OtherRuling:
    """What another reviewer says of a question."""

    author: str
    kind: str


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as stored, with what may be seen after it."""

    event: str
    rationale: str | None
    """The wording that was accepted, by id."""
    automatic: bool | None
    """Whether the verifier holds the run for right, once that may be seen."""
    others: Sequence[OtherRuling]


@dataclass(frozen=True, slots=True)
class TrayRow:
    """One of the reviewer's last decisions, or a batch of them."""

    event: str
    batch: bool
    kind: DecisionKind
    task: str
    question: str
    verdict: str | None
    """The ruling in a dispute."""
    reason: str
    text: str
    undone: bool
    automatic: bool | None
    """Whether the verifier holds the run for right; None where that is not to be compared."""
    at: str | None
    """Time in ISO 8601."""


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How far the reviewer has come."""

    remaining: int
    held: int
    """Questions that other reviewers hold."""
    disputed: int
    skipped: int
    today: int
    goal: int
    """Questions that a reviewer is to decide in a day."""
    seconds: float | None
    """Median time of a decision."""
    order: str
    note: str
    """Why the order is not the one that was asked for; empty where it is."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A person's wording of the rationale of a run."""

    trace: str
    text: str


@dataclass(frozen=True, slots=True)
class WordingFaults:
    """What a wording says that its trace does not support, as sentences; none where all is well."""

    faults: Sequence[str]


AgreementView = TypedDict(
    "AgreementView", {"with": str | None, "n": int, "kappa": float | None, "note": str}
)
"""How far two reviewers agree: the other one's name, questions in common, Cohen's kappa, and what
to think of it.  It is not a dataclass because `with` is a keyword of Python.
"""


def add(site: Site) -> None:
    """Register the page and what its script calls."""
    items = Items(site.project, site.picture_of)
    site.chips.append(lambda person: {"today": today(site.project, person)})
    curate_rules.add(site)
    rating.add(site)
    curate_history.add(site)
    _add_page(site)
    pages = Pages()
    curate_queue.add(site, items, pages)
    _add_decisions(site, items)
    _add_figures(site, pages)


def _add_page(site: Site) -> None:
    @site.server.get("/curate")
    def curate(request: Request, mode: str = "", q: str = "", order: str = "program") -> Response:
        """The page of the queue, of a dozen questions, of disputes, of ratings or of the past.

        Args:
            request: of the browser.
            mode: which page.
            q: a search as in Browse, for the dozen.
            order: of the dozen's queue.
        """
        if mode == "rate":
            return rating.page(site, request)
        if mode == "history":
            return curate_history.page(site, request)
        if mode == "grid":
            grid = {"q": q, "order": order, "orders": list(ORDER_WORDS.items())}
            return site.page(request, "curate_grid.html", "curate", grid)
        view = {
            "mode": "disputes" if mode == "disputes" else "queue",
            "reasons": [(digit, REASONS[digit], REASON_WORDS[REASONS[digit]]) for digit in REASONS],
            "orders": list(ORDER_WORDS.items()),
        }
        return site.page(request, "curate.html", "curate", view)


def _add_decisions(site: Site, items: Items) -> None:
    project, server = site.project, site.server
    curation = project.curation

    @server.get("/data/curate/item")
    @quick_json
    def item(task: str, person: Viewer) -> QuestionItem:
        return items.item(person, task)

    @server.get("/data/curate/candidate")
    @quick_json
    def candidate(task: str, trace: str, person: Viewer) -> PlayerModel:
        """The run of a candidate of a question.

        Args:
            task: id of the question.
            trace: id of the candidate's run.
            person: who looks.
        """
        return items.candidate(person, task, trace)

    @server.post("/do/curate/check")
    def check_wording(body: Wording, person: Curator) -> WordingFaults:
        """What is wrong with a wording before it is accepted; nothing is stored."""
        task, run = project.run_view(body.trace)
        if run.trace is None:
            raise InputError(f"program {run.program.id} has not been run, so nothing supports it")
        return WordingFaults(check(body.text, task, run.program, run.trace).issues)

    @server.post("/do/curate/decide")
    def say(body: Say, person: Curator) -> StoredDecision:
        """Store a decision, and give back what others and the verifier say, where that may be seen
        now.
        """
        stored = decide(project, person, body)
        final = body.kind in ("accept", "reject", "adjudicate")
        standing = curation.standing([body.task]) if final else []
        # who has said something oneself may see what the others say
        mine = any(one.author == person.name for one in standing)
        if not final or not (mine or curation.may_show(body.task, person.name, person.role)):
            return StoredDecision(stored.id, stored.rationale_id, None, [])
        others = [
            OtherRuling(one.author, one.kind) for one in standing if one.author != person.name
        ]
        return StoredDecision(stored.id, stored.rationale_id, stored.automatic, others)

    @server.get("/data/curate/recent")
    def recent(person: Viewer) -> list[TrayRow]:
        return tray(project, person)


def _add_figures(site: Site, pages: Pages) -> None:
    server, curation = site.server, site.project.curation

    @server.get("/data/curate/progress")
    def progress(
        person: Curator,
        q: str = "",
        order: str = "",
        state: QueueState = "pending",
        page: str = "",
    ) -> QueueFigures:
        """How far the person has come.

        Args:
            person: who asks.
            q: a search as in Browse.
            order: of the queue; empty: the project's.
            state: which queue.
            page: id of the page that asks; what other pages of the person hold will not come there.
        """
        others = tuple(sorted(pages.elsewhere(person.name, page))) if page else ()
        request = QueueRequest(order=order or None, text=q, state=state, without=others)
        figures = curation.progress(person.name, person.role, request, local_day.today())
        return QueueFigures(
            remaining=figures.remaining,
            held=figures.held_by_others,
            disputed=figures.disputed,
            skipped=figures.skipped,
            today=figures.decided_today,
            goal=figures.daily_goal,
            seconds=figures.median_seconds,
            order=figures.order,
            note=figures.order_note,
        )

    @server.get("/data/curate/agreement")
    def agreement(person: Viewer) -> AgreementView:
        """How far this person and the one with the most questions in common agree."""
        pairs = [one for one in curation.agreement() if person.name in (one.first, one.second)]
        if not pairs:
            return {"with": None, "n": 0, "kappa": None, "note": f"too few: 0 of {ENOUGH}"}
        best = max(pairs, key=lambda one: one.n)
        other = best.second if best.first == person.name else best.first
        return {"with": other, "n": best.n, "kappa": best.kappa, "note": best.note}


def today(project: Project, person: Person) -> DayChip | None:
    """What the person decided today; None where that is nothing."""
    count = standing_since(project.database, person.name, local_day.today())
    return DayChip(count, project.curation.settings().daily_goal) if count else None


def tray(project: Project, person: Person) -> list[TrayRow]:
    """The person's last decisions, a batch as one, the newest first."""
    decisions = project.curation.recent(person.name, 5 * TRAY)
    tasks = project.tasks([one.decision.task_id for one in decisions])
    questions = {task.id: task.question for task in tasks}
    rows: dict[str, TrayRow] = {}
    for one in decisions:
        event = one.decision
        key = event.batch or event.id
        if key not in rows and event.kind != "edit":
            rows[key] = _row(event, one.undone, questions.get(event.task_id, ""))
    return list(rows.values())[:TRAY]


def _row(event: Decision, undone: bool, question: str) -> TrayRow:
    kind: DecisionKind = event.kind
    return TrayRow(
        event=event.batch or event.id,
        batch=event.batch is not None,
        kind=kind,
        task=event.task_id,
        question=question,
        verdict=event.ruling,
        reason=REASON_WORDS[event.reason] if event.reason else "",
        text=event.text,
        undone=undone,
        automatic=event.automatic if kind in VERDICTS and kind != "skip" else None,
        at=event.created_at.replace(tzinfo=UTC).isoformat() if event.created_at else None,
    )
