"""Train: a walkthrough from a snapshot to a job, the jobs with their curves, and their models.

Nothing here keeps a job: states, figures and answers are read off the jobs' folders, so that the
server may end and come back at any time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
from fastapi import Request, Response

from app import chart_library, train_data, train_form, train_jobs
from app.header import RunningJob
from app.people import Admin, Viewer, person_of
from app.site import Site
from app.train_curves import CurveNews, Curves
from app.train_data import SnapshotLine, SnapshotReport
from app.train_fields import FormField, TeacherChoice, teacher_fields, teachers
from app.train_form import JobTable, Judgement, ObjectiveChoice
from app.train_jobs import JobComparison, JobDetail, JobListing
from app.train_look import Kind, Looks, LookState
from app.train_models import FOLDER, finished_models
from workbench.errors import InputError
from workbench.models.weights import EMBEDDED
from workbench.pipeline.program_teacher import with_program_answers
from workbench.store import Project
from workbench.train.job import Job, student_of, usual
from workbench.train.jobs import Jobs
from workbench.train.status_files import State

AGAIN = 15.0
"""Seconds between two attempts to find somebody who works on the queue."""

# --- what scripts send


@dataclass(frozen=True, slots=True)
class Wish:
    """Settings of a job, the snapshot as its hash."""

    settings: JobTable


@dataclass(frozen=True, slots=True)
class Start:
    """A job to start; the same id again is the same job."""

    id: str
    settings: JobTable


@dataclass(frozen=True, slots=True)
class LookAt:
    """A look to take before a job starts."""

    kind: Kind
    settings: JobTable


@dataclass(frozen=True, slots=True)
class End:
    """A look to end."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job."""

    job: str


@dataclass(frozen=True, slots=True)
class StopJob:
    """A job to stop, with a checkpoint or at once."""

    job: str
    save: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A waiting job's new place, from 1."""

    job: str
    place: int


# --- what they get


@dataclass(frozen=True, slots=True)
class JobList:
    """The running job, the queue in order, then the ended jobs, the newest first."""

    jobs: list[JobListing]


@dataclass(frozen=True, slots=True)
class JobModel:
    """The model of a finished job, as a student to train on."""

    id: str
    """Id of the job."""
    name: str
    folder: str
    accuracy: float | None
    """Share of right answers on the held-out side, 0 to 1."""
    of: int
    """Number of held-out questions."""


@dataclass(frozen=True, slots=True)
class TrainForm:
    """What the walkthrough offers to choose from."""

    student: str
    """The student to begin with: the checkpoint of the profile's."""
    usual: Mapping[str, JobTable]
    """By student, settings with which it is taught where no others are chosen."""
    fields: list[FormField]
    methods: Mapping[str, str]
    """By method, why it is not there on this machine; empty where it is."""
    models: list[JobModel]
    objectives: list[ObjectiveChoice]
    teacher: list[FormField]
    """The choice of a teacher, for objectives that need one."""
    teachers: list[TeacherChoice]
    """Every teacher with its settings."""
    snapshots: list[SnapshotLine]


@dataclass(frozen=True, slots=True)
class JobId:
    """The id of a job that was submitted."""

    id: str


@dataclass(frozen=True, slots=True)
class JobState:
    """The state of a job after a change."""

    state: State


@dataclass(frozen=True, slots=True)
class Nothing:
    """The answer to a change that needs none."""


def add(site: Site) -> None:
    """Register what the page and its scripts call."""
    jobs = Jobs(site.project.path / FOLDER)
    looks = Looks(site.project.path / "cache" / "looks")
    site.on_close(looks.close)
    site.chips.append(lambda person: {"training": chip(jobs)})
    _pages(site, jobs)
    _walkthrough(site, jobs, looks)
    _changes(site, jobs)
    _api(site, jobs)


def chip(jobs: Jobs) -> RunningJob | None:
    """The job that runs, for the header of every page."""
    running = next((one for one in jobs.all() if one.state in ("running", "stopping")), None)
    if running is None:
        return None
    return RunningJob(
        id=running.id,
        name=running.name or running.id,
        step=running.step,
        total=running.total,
        eta=running.eta,
        silent=running.silent,
    )


def _pages(site: Site, jobs: Jobs) -> None:
    curves, last_attempt = Curves(), [-AGAIN]

    @site.server.get("/train")
    def train(request: Request) -> Response:
        view = {
            "library": chart_library.address(),
            "snapshots": len(train_data.snapshot_list(site.project)),
        }
        return site.page(request, "train.html", "train", view)

    @site.server.get("/data/train/jobs")
    def list_(person: Viewer) -> JobList:
        views = jobs.all()
        states = {one.state for one in views}
        stands_still = "queued" in states and not states & {"running", "stopping"}
        if stands_still and time.monotonic() - last_attempt[0] > AGAIN:
            last_attempt[0] = time.monotonic()
            jobs.advance()  # a queue whose runner was killed goes on when somebody looks
        return JobList([train_jobs.row(one) for one in views])

    @site.server.get("/data/train/job")
    def one(job: str, person: Viewer) -> JobDetail:
        return train_jobs.detail(site, jobs, job)

    @site.server.get("/data/train/curves")
    def new_figures(job: str, person: Viewer, cursor: str = "") -> CurveNews:
        """The figures of a job's curves since the last look.

        Args:
            job: id of the job.
            person: who asks; a viewer may.
            cursor: the `cursor` of the last answer; empty for everything.
        """
        return curves.since(jobs.show(job).folder, cursor)

    @site.server.get("/data/train/together")
    def together(person: Viewer, ids: str = "") -> JobComparison:
        return train_jobs.together(jobs, [one for one in ids.split(",") if one])


def _walkthrough(site: Site, jobs: Jobs, looks: Looks) -> None:
    project = site.project

    @site.server.get("/data/train/form")
    def form(person: Viewer) -> TrainForm:
        student, finished = student_of(project.profile()), finished_models(project)
        folders = [str(one.folder) for one in finished]
        return TrainForm(
            student=student,
            usual={one: dict(usual(one)) for one in (student, *EMBEDDED, *folders)},
            fields=train_form.form(),
            methods=train_form.methods(),
            models=[
                JobModel(one.job, one.name, str(one.folder), one.accuracy, one.of)
                for one in finished
            ],
            objectives=train_form.objectives(),
            teacher=teacher_fields(),
            teachers=teachers(),
            snapshots=train_data.snapshot_list(project),
        )

    @site.server.get("/data/train/snapshot")
    def snapshot(hash: str, person: Viewer) -> SnapshotReport:
        return train_data.snapshot_view(project, hash)

    @site.server.post("/do/train/check")
    def check(body: Wish, person: Admin) -> Judgement:
        settings = train_form.judge(project, body.settings)
        estimate = looks.estimate(settings.job) if settings.job else None
        return train_form.judgement(project, settings, estimate)

    @site.server.post("/do/train/look")
    def look(body: LookAt, person: Admin) -> LookState:
        if body.kind == "measure" and chip(jobs):
            raise InputError(
                "a job runs here now, and two at once would measure neither; "
                "measure when it has ended"
            )
        return looks.begin(body.kind, startable(project, body.settings))

    @site.server.get("/data/train/look")
    def look_state(key: str, person: Viewer) -> LookState:
        return looks.state(key)

    @site.server.post("/do/train/look/end")
    def end(body: End, person: Admin) -> Nothing:
        looks.cancel(body.kind)
        return Nothing()

    @site.server.post("/do/train/start")
    def start(body: Start, person: Admin) -> JobId:
        job = with_program_answers(project, startable(project, body.settings))
        return JobId(jobs.submit(job, request=body.id))


def startable(project: Project, settings: JobTable) -> Job:
    """The job of these settings.

    Raises:
        InputError: it cannot start; the message has every reason.
    """
    judged = train_form.judge(project, settings)
    if judged.reasons or judged.job is None:
        raise InputError("this job cannot start: " + "; ".join(judged.reasons))
    return judged.job


def _changes(site: Site, jobs: Jobs) -> None:
    @site.server.post("/do/train/stop")
    def stop(body: StopJob, person: Admin) -> JobState:
        jobs.stop(body.job, body.save)
        return JobState(jobs.show(body.job).state)

    @site.server.post("/do/train/resume")
    def resume(body: JobRequest, person: Admin) -> JobState:
        jobs.resume(body.job)
        return JobState(jobs.show(body.job).state)

    @site.server.post("/do/train/move")
    def move(body: Move, person: Admin) -> Nothing:
        jobs.move(body.job, body.place)
        return Nothing()

    @site.server.post("/do/train/delete")
    def delete(body: JobRequest, person: Admin) -> Nothing:
        jobs.delete(body.job)
        return Nothing()


def _api(site: Site, jobs: Jobs) -> None:
    @site.api("train", role="admin", queue=False)
    def train(settings: str, request: gr.Request, id: str = "") -> JobId:
        """Queue a training job; returns its id.

        Args:
            settings: a JSON object with the keys of a job file; `snapshot` is a snapshot's name or
                hash.
            id: an id of your own; the same id twice is one job.
        """
        person_of(request)
        try:
            table = json.loads(settings)
        except ValueError as error:
            raise InputError(
                f'settings is no JSON ({error}); give an object such as {{"snapshot": "first"}}'
            ) from error
        if not isinstance(table, dict):
            raise InputError("settings must be a JSON object with the keys of a job file")
        return JobId(jobs.submit(startable(site.project, table), request=id))

    @site.api("jobs", queue=False)
    def training_jobs(request: gr.Request) -> list[JobListing]:
        """The training jobs: the running one, the queue in order, then the ended ones."""
        person_of(request)
        return [train_jobs.row(one) for one in jobs.all()]
