"""Browse: questions with their programs, by facets and words; `app.browse_chosen` is what is done
with many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from fastapi import Request, Response

from app import browse_chosen, browse_facets
from app.browse_facets import Keys
from app.people import Curator, Viewer
from app.site import Site
from workbench.records import REASON_WORDS, REASONS, Task
from workbench.screen import views
from workbench.screen.highlight import Words, highlight
from workbench.store import Outcome, RunLine, parse_query
from workbench.store.reading import own_columns
from workbench.store.reading.saved_views import delete_view, save_view, saved_views
from workbench.verify.answers import canonical

PAGE = 50
"""Questions on one page."""

LAST_PAGE = 10**6
"""The largest number of a page that is looked for."""

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
    """Seconds in which a processor or a model worked for it; `waiting` are those beside."""
    waiting: float | None
    tools: Sequence[str]
    state: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question of the list."""

    id: str
    image: str
    more: Sequence[str]
    """Digests of the pictures after the first one."""
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
    """Work on all its programs, of processors and models; `waiting` are the seconds beside."""
    waiting: float | None
    student: str | None
    """The student's answer."""
    student_state: str
    review: str
    reviewers: Sequence[str]
    updated: str
    """Time in ISO 8601."""
    runs: Sequence[RunRow]
    own: Sequence[str]
    """Values of the columns of the table's own that were asked for, as text."""


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
    """Free words of the search, and `phrases` its quoted texts: what is to be marked."""
    phrases: Sequence[str]


@dataclass(frozen=True, slots=True)
class BrowseTotal:
    """How many questions a search finds."""

    total: int
    all: int
    """Questions of the project; -1 where nothing is searched for."""


@dataclass(frozen=True, slots=True)
class StudentAnswer:
    """What the student says of a question."""

    answer: str
    state: str
    words: str
    problem: str
    """Why there is no answer, or why it is not whole."""


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


def add(site: Site) -> None:
    """Register the page and what its script calls."""
    _add_page(site)
    browse_facets.add(site)
    _add_views(site)
    browse_chosen.add(site)


def _add_page(site: Site) -> None:
    project, server = site.project, site.server

    @server.get("/browse")
    def browse(request: Request) -> Response:
        view = {
            "sorts": SORTS,
            "command": f"vpd run --project {project.path}",
            "reasons": [(digit, REASONS[digit], REASON_WORDS[REASONS[digit]]) for digit in REASONS],
        }
        return site.page(request, "browse.html", "browse", view)

    @server.get("/data/browse")
    def page(
        q: str = "", sort: str = "import", after: str = "", page: int = 1, columns: Keys = ()
    ) -> BrowsePage:
        """A page of the list.

        Args:
            q: a search.
            sort: one of `SORTS`.
            after: the `next` of the page before; empty for the page with this number.
            page: its number, from 1.
            columns: of the table's own that its rows show.
        """
        query = parse_query(q)
        before = 0 if after else PAGE * (min(max(page, 1), LAST_PAGE) - 1)
        rows = project.browse(q, sort, after or None, PAGE, before)
        return BrowsePage(
            rows=[row(task, outcome, columns) for task, outcome in rows.rows],
            next=rows.next,
            tokens=[SearchToken(token, query.without_token(token)) for token in query.tokens],
            words=query.words,
            phrases=query.phrases,
        )

    @server.get("/data/browse/total")
    def total(q: str = "") -> BrowseTotal:
        return BrowseTotal(
            total=project.browse_total(q), all=project.browse_total() if q.strip() else -1
        )

    @server.get("/data/browse/peek")
    def peek(task: str) -> QuestionPeek:
        return look(site, task)


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


def row(task: Task, outcome: Outcome, columns: Sequence[str] = ()) -> QuestionRow:
    """One question of the list.

    Args:
        task: the question.
        outcome: what came of it.
        columns: of the table's own whose values the row shows.
    """
    answer = outcome.said
    if answer is None:
        answer = views.SHORT_WORDS[outcome.status] or "no answer"
    return QuestionRow(
        id=task.id,
        image=task.image,
        more=task.more_images,
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
        waiting=outcome.waiting,
        student=outcome.student_answer,
        student_state=STUDENTS.get(outcome.student, "none"),
        review=outcome.review,
        reviewers=outcome.reviewers,
        updated=outcome.updated_at.replace(tzinfo=UTC).isoformat(),
        runs=[_run(run, task) for run in outcome.runs],
        own=[own_columns.in_a_line(task.meta.get(key)) for key in columns],
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
        waiting=run.waiting,
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
        student = StudentAnswer(*views.student_view(task, view.prediction), view.prediction.problem)
    run = view.chosen or next(iter(view.runs), None)
    rationale = views.rationale_of(view, run)
    trace = run.trace if run is not None else None
    return QuestionPeek(
        picture=views.pictures_of(task, site.picture_of),
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
