"""Browse: questions with their programs, by facets and words; what is chosen goes to the queue, or
is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from fastapi import Request, Response

from app.people import Curator, Viewer
from app.site import Site
from workbench.errors import InputError
from workbench.records import Task
from workbench.screen import views
from workbench.screen.decide import person_event
from workbench.screen.highlight import Words, highlight
from workbench.store import Facet, Outcome, Project, Query, RunLine, parse_query
from workbench.store.reading.browse import delete_view, save_view, saved_views
from workbench.verify.answers import canonical

PAGE = 50
"""Questions on one page."""

MOST = 20_000
"""Questions sent to the queue at once."""

SORTS = (
    ("import", "Order of import"),
    ("newest", "Newest first"),
    ("siblings", "Programs disagree most"),
    ("student", "Student and pipeline apart"),
    ("-seconds", "Fastest first"),
    ("seconds", "Slowest first"),
    ("steps", "Most steps"),
)

RESULTS = {"right": "right", "wrong": "wrong", "crashed": "failed"}

STUDENTS = {"right": "right", "wrong": "wrong"}


@dataclass(frozen=True)
class Chosen:
    """Questions by id, or all that a search finds."""

    id: str
    tasks: list[str] = field(default_factory=list)
    everything: bool = False
    """Whether all questions are meant that the search `q` finds."""
    q: str = ""
    text: str = ""

    def ids(self, project: Project) -> list[str]:
        """Ids of the questions.  Raises InputError where there is none."""
        ids = project.browse_ids(self.q) if self.everything else list(dict.fromkeys(self.tasks))
        if not ids:
            raise InputError("no question is chosen; nothing was changed")
        return ids


@dataclass(frozen=True)
class ViewRequest:
    """A search to save under a name, or to forget."""

    id: str
    name: str
    q: str = ""
    sort: str = "import"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a question of the list."""

    number: int
    program: str
    trace: str | None
    answer: str | None
    form: str | None
    """What the answer means: answers with the same form agree."""
    kind: str | None
    """Kind of the failure; None where there is none."""
    steps: int | None
    seconds: float | None
    tools: Sequence[str]
    state: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question of the list."""

    id: str
    image: str
    question: str
    gold: str
    family: str
    state: str
    said: str
    """The pipeline's answer, or why there is none in a word or two."""
    status: str
    kept: str | None
    """Id of the trace that is kept."""
    faithful: bool | None
    tools: Sequence[str]
    steps: int | None
    seconds: float | None
    student: str | None
    """The student's answer."""
    student_state: str
    review: str
    reviewers: Sequence[str]
    updated: str
    """Time in ISO 8601."""
    runs: Sequence[RunRow]


@dataclass(frozen=True, slots=True)
class SearchToken:
    """A token of a search, and the search without it."""

    token: str
    without: str


@dataclass(frozen=True, slots=True)
class BrowsePage:
    """A page of the list."""

    rows: Sequence[QuestionRow]
    next: str | None
    """Where the next page begins; None behind the last one."""
    tokens: Sequence[SearchToken]
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class BrowseTotal:
    """How many questions a search finds."""

    total: int
    all: int
    """Questions of the project; -1 where nothing is searched for."""


@dataclass(frozen=True, slots=True)
class FacetChoice:
    """One value of a facet."""

    value: str
    count: int
    picked: bool
    to: str
    """The search that a click leads to."""


@dataclass(frozen=True, slots=True)
class FacetView:
    """A facet with its values."""

    name: str
    title: str
    values: Sequence[FacetChoice]


@dataclass(frozen=True, slots=True)
class StudentAnswer:
    """What the student says of a question."""

    answer: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class QuestionPeek:
    """One question at a glance."""

    picture: views.PictureView
    question: str
    choices: Sequence[str]
    gold: str
    trace: str | None
    answer: str | None
    state: str
    number: int | None
    """Number of the program that is shown; None where there is none."""
    problem: str
    source: Sequence[Words]
    rationale: str
    faithful: bool | None
    student: StudentAnswer | None


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search that somebody saved."""

    name: str
    q: str
    sort: str
    author: str
    mine: bool
    """Whether who asks may change and forget it."""


@dataclass(frozen=True, slots=True)
class ViewName:
    """Name of a search that was saved or forgotten."""

    name: str


@dataclass(frozen=True, slots=True)
class AcceptanceCount:
    """What accepting questions would do."""

    accepted: int
    left_out: Mapping[str, int]
    """Questions that are left out, by the reason."""


@dataclass(frozen=True, slots=True)
class AcceptedBatch:
    """What accepting questions has done."""

    batch: str | None
    accepted: int
    left_out: Mapping[str, int]
    """Questions that were left out, by the reason."""


@dataclass(frozen=True, slots=True)
class QueuedBatch:
    """Questions that were sent to the queue."""

    batch: str
    queued: int


def add(site: Site) -> None:
    """Register the page and what its script calls."""
    _add_page(site)
    _add_views(site)
    _add_batches(site)


def _add_page(site: Site) -> None:
    project, server = site.project, site.server

    @server.get("/browse")
    def browse(request: Request) -> Response:
        view = {"sorts": SORTS, "command": f"vpd run --project {project.path}"}
        return site.page(request, "browse.html", "browse", view)

    @server.get("/data/browse")
    def page(q: str = "", sort: str = "import", after: str = "") -> BrowsePage:
        """A page of the list.

        Args:
            q: a search.
            sort: one of `SORTS`.
            after: the `next` of the page before; empty for the first page.
        """
        query = parse_query(q)
        rows = project.browse(q, sort, after or None, PAGE)
        return BrowsePage(
            rows=[row(task, outcome) for task, outcome in rows.rows],
            next=rows.next,
            tokens=[SearchToken(token, query.without_token(token)) for token in query.tokens],
            words=query.words,
        )

    @server.get("/data/browse/total")
    def total(q: str = "") -> BrowseTotal:
        return BrowseTotal(
            total=project.browse_total(q), all=project.browse_total() if q.strip() else -1
        )

    @server.get("/data/browse/facets")
    def facets(q: str = "") -> list[FacetView]:
        query = parse_query(q)
        return [_facet(facet, query) for facet in project.browse_facets(q)]

    @server.get("/data/browse/peek")
    def peek(task: str) -> QuestionPeek:
        return look(site, task)


def _facet(facet: Facet, query: Query) -> FacetView:
    """A facet, each value with the search that a click leads to."""
    choices = []
    for one in facet.values:
        change = query.without_token if one.picked else query.with_token
        choices.append(FacetChoice(one.value, one.count, one.picked, change(one.token)))
    return FacetView(facet.name, facet.title, choices)


def _add_views(site: Site) -> None:
    project, server = site.project, site.server

    @server.get("/data/views")
    def saved_searches(person: Viewer) -> list[SavedSearch]:
        return [
            SavedSearch(
                v.name, v.text, v.sort, v.author, v.author == person.name or person.may("admin")
            )
            for v in saved_views(project.database)
        ]

    @server.post("/do/browse/view")
    def keep(body: ViewRequest, person: Curator) -> ViewName:
        view = save_view(
            project.database, body.name, body.q, body.sort, person.name, person.may("admin")
        )
        return ViewName(view.name)

    @server.post("/do/browse/forget")
    def forget(body: ViewRequest, person: Curator) -> ViewName:
        delete_view(project.database, body.name, None if person.may("admin") else person.name)
        return ViewName(body.name)


def _add_batches(site: Site) -> None:
    project, server = site.project, site.server

    @server.post("/do/browse/count")
    def count(body: Chosen, person: Viewer) -> AcceptanceCount:
        """What accepting these would do; nothing is written."""
        bulk = project.curation.bulk_count(body.ids(project), person.name)
        return AcceptanceCount(bulk.accepted, bulk.left_out)

    @server.post("/do/browse/accept")
    def accept(body: Chosen, person: Curator) -> AcceptedBatch:
        """Accept the kept trace of each, as one batch that can be undone as one."""
        bulk = project.curation.accept_all(body.ids(project), person.name, person.role, body.id)
        return AcceptedBatch(bulk.batch, bulk.accepted, bulk.left_out)

    @server.post("/do/browse/queue")
    def queue(body: Chosen, person: Curator) -> QueuedBatch:
        """Ask for these in the queue, as one batch."""
        ids = body.ids(project)
        if len(ids) > MOST:
            raise InputError(
                f"{len(ids):,} questions are chosen; at most {MOST:,} go to the queue at once"
            )
        why = body.text.strip() or f"asked for by {person.name}"
        project.curation.decide(
            [
                person_event(
                    person, f"{body.id}.{at}", "queue", task_id=task_id, text=why, batch=body.id
                )
                for at, task_id in enumerate(ids)
            ]
        )
        return QueuedBatch(body.id, len(ids))


def row(task: Task, outcome: Outcome) -> QuestionRow:
    """One question of the list."""
    answer = outcome.said
    if answer is None:
        answer = views.SHORT_WORDS[outcome.status] or "no answer"
    return QuestionRow(
        id=task.id,
        image=task.image,
        question=task.question,
        gold=views.gold_of(task),
        family=views.family_words(task.family),
        state=views.STATES[outcome.status],
        said=answer,
        status=views.WORDS[outcome.status],
        kept=outcome.chosen,
        faithful=outcome.faithful,
        tools=outcome.tools,
        steps=outcome.steps,
        seconds=outcome.seconds,
        student=outcome.student_answer,
        student_state=STUDENTS.get(outcome.student, "none"),
        review=outcome.review,
        reviewers=outcome.reviewers,
        updated=outcome.updated_at.replace(tzinfo=UTC).isoformat(),
        runs=[_run(run, task) for run in outcome.runs],
    )


def _run(run: RunLine, task: Task) -> RunRow:
    return RunRow(
        number=run.index + 1,
        program=run.program,
        trace=run.trace,
        answer=run.answer,
        form=None if run.answer is None else canonical(run.answer, task),
        kind=run.kind,
        steps=run.steps,
        seconds=run.seconds,
        tools=run.tools,
        state=RESULTS.get(run.result, "none"),
    )


def look(site: Site, task_id: str) -> QuestionPeek:
    """One question at a glance: picture, the kept program (else the first), its rationale, the
    student's answer.
    """
    view = site.project.task_view(task_id)
    task = view.task
    student = None
    if view.prediction is not None:
        student = StudentAnswer(*views.student_view(task, view.prediction))
    run = view.chosen or next(iter(view.runs), None)
    rationale = views.rationale_of(view, run)
    trace = run.trace if run is not None else None
    return QuestionPeek(
        picture=site.picture_of(task.image),
        question=task.question,
        choices=task.choices,
        gold=views.gold_of(task),
        trace=trace.id if trace is not None else None,
        answer=trace.answer if trace is not None else None,
        state=views.run_state(run) if run is not None else "none",
        number=run.program.index + 1 if run is not None else None,
        problem=views.problem_of(run) if run is not None else "No program was written yet.",
        source=highlight(run.program.source) if run is not None else [],
        rationale=rationale.text if rationale is not None else "",
        faithful=rationale.faithful if rationale is not None else None,
        student=student,
    )
