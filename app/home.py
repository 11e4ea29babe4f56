"""Start: the loop as six steps, what makes sense next, imports and runs begun from the page, and
what was done lately.

Nothing here keeps a job: what works is a process of its own, read off its folder.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app import local_day
from app.people import Admin, Viewer
from app.site import FIRST, Site
from app.train_models import FOLDER
from workbench.errors import InputError, WorkbenchError
from workbench.pipeline.loop_jobs import (
    LoopJob,
    LoopJobs,
    import_wish,
    run_wish,
    sources_of,
    splits_of,
)
from workbench.pipeline.report import costs
from workbench.screen.loop_steps import LoopStep, NextAction, loop_counts, loop_steps, next_action
from workbench.settings import Choice
from workbench.store import Project
from workbench.store.people import reviewing
from workbench.store.reading import snapshots, work
from workbench.train.jobs import Jobs

FRESH = 2.0
"""Seconds for which the counts are not made again, however many people look."""

RECENT = 8
"""Lines of recent work."""

RUN_STAGES = ("sample", "execute", "verify", "rationalize", "predict")
"""Stages whose seconds tell what a question will take."""

# --- what scripts send


@dataclass(frozen=True, slots=True)
class RunOrder:
    """A run to begin; the same id again is the same run."""

    id: str
    questions: int
    split: str = ""
    """Empty for all splits."""
    k: int | None = None
    """Programs of a question; the profile's number where it is missing."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """An import to begin; the same id again is the same import."""

    id: str
    source: int
    """Place of the source among those that the page offers."""
    questions: int
    split: str = ""
    """Empty for all splits."""


@dataclass(frozen=True, slots=True)
class LoopJobRequest:
    """A job of the loop."""

    job: str


# --- what they get


@dataclass(frozen=True, slots=True)
class RecentLine:
    """One thing that was done lately."""

    kind: Literal["import", "run", "decisions", "training", "snapshot"]
    words: str
    at: str
    """Time in ISO 8601."""
    href: str
    """Where it can be looked at."""


@dataclass(frozen=True, slots=True)
class HomeNews:
    """Everything that the start page shows and that changes."""

    steps: list[LoopStep]
    next: NextAction
    waiting: int
    """Questions that were not judged yet."""
    seconds: float | None
    """Seconds that a question took in earlier runs; None before there is one."""
    recent: list[RecentLine]
    problem: str
    """Why nothing can be run here, and what to do; empty where all is well."""


@dataclass(frozen=True, slots=True)
class LoopJobNews:
    """The job of the loop that works, or the one that did so last; None where there was none."""

    job: LoopJob | None


@dataclass(frozen=True, slots=True)
class OfferedSource:
    """A source that questions can be taken from."""

    name: str
    splits: list[str]
    """Its splits, where it knows them."""
    problem: str
    """Why it cannot be read; empty where it can."""


@dataclass(frozen=True, slots=True)
class HomeForm:
    """What the forms of the start page offer to choose from."""

    sources: list[OfferedSource]
    splits: dict[str, int]
    """Splits of the project's questions, with their numbers."""
    k: int
    """Programs of a question, as the profile says."""


def add(site: Site) -> None:
    """Register the page and what its script calls."""
    jobs = LoopJobs(site.project.path)
    counted = CountCache(site.project)
    _add_page(site, jobs, counted)
    _add_changes(site, jobs)


def _add_page(site: Site, jobs: LoopJobs, counted: CountCache) -> None:
    project, server = site.project, site.server

    @server.get("/")
    def first() -> Response:
        return RedirectResponse(FIRST, 307)

    @server.get(f"/{FIRST}")
    def page(request: Request) -> Response:
        return site.page(request, "start.html", FIRST, {"command": f"--project {project.path}"})

    @server.get("/data/start")
    def news(person: Viewer) -> HomeNews:
        return counted.look()

    @server.get("/data/start/job")
    def job(person: Viewer) -> LoopJobNews:
        return LoopJobNews(jobs.latest())

    @server.get("/data/start/form")
    def form(person: Admin) -> HomeForm:
        return HomeForm(
            [_offered(source) for source in _sources(project)],
            snapshots.tasks_by_split(project.database),
            project.profile().k,
        )


def _add_changes(site: Site, jobs: LoopJobs) -> None:
    project, server = site.project, site.server

    @server.post("/do/start/run")
    def run(body: RunOrder, person: Admin) -> LoopJobNews:
        wish = run_wish(project, body.questions, body.split or None, body.k, person.name)
        return LoopJobNews(jobs.show(jobs.begin(wish, body.id)))

    @server.post("/do/start/import")
    def import_(body: ImportOrder, person: Admin) -> LoopJobNews:
        offered = sources_of(project)
        if not 0 <= body.source < len(offered):
            raise InputError("there is no such source; reload the page to see which there are")
        source, split = offered[body.source], body.split or None
        wish = import_wish(project, source, body.questions, split, person.name)
        return LoopJobNews(jobs.show(jobs.begin(wish, body.id)))

    @server.post("/do/start/stop")
    def stop(body: LoopJobRequest, person: Admin) -> LoopJobNews:
        jobs.stop(body.job)
        return LoopJobNews(jobs.show(body.job))

    @server.post("/do/start/resume")
    def resume(body: LoopJobRequest, person: Admin) -> LoopJobNews:
        jobs.resume(body.job)
        return LoopJobNews(jobs.show(body.job))


class CountCache:
    """The counts of the start page, made once for everybody who looks at about the same time."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._jobs = Jobs(project.path / FOLDER)
        self._loop_jobs = LoopJobs(project.path)
        self._lock = threading.Lock()
        self._at = -FRESH
        self._news: HomeNews | None = None

    def look(self) -> HomeNews:
        """The counts, made anew if they are some seconds old."""
        with self._lock:
            if self._news is None or time.monotonic() - self._at >= FRESH:
                self._news = self._count()
                self._at = time.monotonic()
            return self._news

    def _count(self) -> HomeNews:
        project, trainings = self._project, self._jobs.all()
        counts = loop_counts(project, trainings)
        return HomeNews(
            steps=loop_steps(counts),
            next=next_action(counts),
            waiting=counts.waiting,
            seconds=_seconds(project),
            recent=self._recent(),
            problem=_problem(project),
        )

    def _recent(self) -> list[RecentLine]:
        """What was done lately, the newest first."""
        database = self._project.database
        lines = [_run_line(one) for one in work.past_runs(database, RECENT)]
        lines += [_import_line(one) for one in self._loop_jobs.all() if one.work == "import"]
        lines += [
            RecentLine(
                "decisions",
                f"{one.author} decided {one.n:,} {'question' if one.n == 1 else 'questions'}",
                _time(one.at),
                "dashboard",
            )
            for one in reviewing.last_decisions(database, RECENT, local_day.zone())
        ]
        lines += [
            RecentLine(
                "snapshot", f"snapshot {one.name or one.hash[:8]}", _time(one.created_at), ""
            )
            for one in snapshots.snapshot_rows(database)[:RECENT]
        ]
        lines += [
            RecentLine(
                "training",
                f"training {one.name or one.id}: {one.state}",
                _stamp((one.folder / "job.toml").stat().st_mtime),
                f"train?job={one.id}",
            )
            for one in self._jobs.all()[:RECENT]
        ]
        return sorted(lines, key=lambda line: line.at, reverse=True)[:RECENT]


def _sources(project: Project) -> Sequence[Choice]:
    try:
        return sources_of(project)
    except WorkbenchError:  # code that nobody trusts yet; the page says so elsewhere
        return []


def _offered(source: Choice) -> OfferedSource:
    name = source.part.rpartition("/")[2]
    if root := source.arguments.get("root"):
        name = f"{name} in {str(root).rstrip('/').rpartition('/')[2]}"
    try:
        return OfferedSource(name, splits_of(source), "")
    except WorkbenchError as error:
        return OfferedSource(name, [], str(error))


def _seconds(project: Project) -> float | None:
    """Seconds of a question in all stages, as earlier runs had it."""
    cost_of = costs(project, project.scope())
    each = [cost_of[stage].per_question for stage in RUN_STAGES if stage in cost_of]
    seconds = [one for one in each if one is not None]
    return sum(seconds) if len(each) == len(RUN_STAGES) else None


def _problem(project: Project) -> str:
    """Why nothing can be run here; empty where the profile and the sources can be read."""
    try:
        project.profile()
        project.sources()
    except WorkbenchError as error:
        return str(error)
    return ""


def _run_line(one: work.PastRun) -> RecentLine:
    done = [
        f"{count:,} {words[count != 1]}"
        for count, words in (
            (one.questions, ("question judged", "questions judged")),
            (one.programs, ("program run", "programs run")),
            (one.answers, ("answer of the student", "answers of the student")),
        )
        if count
    ]
    words = ", ".join(done) or "questions imported"
    return RecentLine("run", f"run {one.id}: {words}", _time(one.at), "")


def _import_line(job: LoopJob) -> RecentLine:
    what = job.notes[0].rstrip(".") if job.notes else job.state
    return RecentLine(
        "import", f"import of {job.source.rpartition('/')[2]}: {what}", _stamp(job.at), "browse"
    )


def _time(moment: datetime) -> str:
    """A time of the store, which is in UTC, in ISO 8601."""
    return moment.replace(tzinfo=UTC).isoformat()


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
