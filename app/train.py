"""Train: a walkthrough from a snapshot to a job, the jobs with their curves, and what came of them.

Nothing here holds a job: states, figures and answers are read off the jobs' folders, so that the
server may end and come back at any time.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from typing import Any

import gradio as gr
import plotly
from fastapi import Request, Response

from app import train_data, train_form, train_jobs
from app.people import Admin, Viewer, person_of
from app.site import Site
from app.train_curves import Curves
from app.train_look import Kind, Looks
from app.train_models import FOLDER, finished_models
from workbench import registry
from workbench.errors import InputError
from workbench.store import Project
from workbench.train.job import Job
from workbench.train.jobs import Jobs

AGAIN = 15.0
"""Seconds between two attempts to find somebody who works on the queue."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Settings of a job, the snapshot as its hash."""

    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """A job to start; the same id again is the same job."""

    id: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LookAt:
    """A look to take before a job starts."""

    kind: Kind
    settings: dict[str, Any]


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


def add(site: Site) -> None:
    jobs = Jobs(site.project.path / FOLDER)
    looks = Looks(site.project.path / "cache" / "looks")
    site.on_close(looks.close)
    site.chips.append(lambda person: {"training": chip(jobs)})
    _pages(site, jobs)
    _walkthrough(site, jobs, looks)
    _changes(site, jobs)
    _api(site, jobs)


def chip(jobs: Jobs) -> dict[str, Any] | None:
    """The job that runs, for the header of every page."""
    running = next((one for one in jobs.all() if one.state in ("running", "stopping")), None)
    if running is None:
        return None
    return {
        "id": running.id,
        "name": running.name or running.id,
        "step": running.step,
        "total": running.total,
        "eta": running.eta,
        "silent": running.silent,
    }


def _pages(site: Site, jobs: Jobs) -> None:
    curves, tried = Curves(), [-AGAIN]

    @site.server.get("/train")
    def train(request: Request) -> Response:
        view = {
            "library": f"/vendor/plotly-{plotly.__version__}.js",
            "snapshots": len(train_data.snapshot_list(site.project)),
        }
        return site.page(request, "train.html", "train", view)

    @site.server.get("/data/train/jobs")
    def list_(person: Viewer) -> dict[str, Any]:
        seen = jobs.all()
        states = {one.state for one in seen}
        if (
            "queued" in states
            and not states & {"running", "stopping"}
            and time.monotonic() - tried[0] > AGAIN
        ):
            tried[0] = time.monotonic()
            jobs.advance()  # a queue whose runner was killed goes on when somebody looks
        return {"jobs": [train_jobs.row(one) for one in seen]}

    @site.server.get("/data/train/job")
    def one(job: str, person: Viewer) -> dict[str, Any]:
        return train_jobs.detail(site, jobs, job)

    @site.server.get("/data/train/curves")
    def figures(job: str, person: Viewer, cursor: str = "") -> dict[str, Any]:
        return curves.since(jobs.show(job).folder, cursor)

    @site.server.get("/data/train/together")
    def together(person: Viewer, ids: str = "") -> dict[str, Any]:
        return train_jobs.together(jobs, [one for one in ids.split(",") if one])


def _walkthrough(site: Site, jobs: Jobs, looks: Looks) -> None:
    project = site.project

    @site.server.get("/data/train/form")
    def form(person: Viewer) -> dict[str, Any]:
        models = [
            {
                "id": one.job,
                "name": one.name,
                "folder": str(one.folder),
                "accuracy": one.accuracy,
                "of": one.of,
            }
            for one in finished_models(project)
        ]
        return {
            "fields": train_form.form(),
            "methods": train_form.methods(),
            "models": models,
            "objectives": list(registry.parts("objective")),
            "snapshots": train_data.snapshot_list(project),
        }

    @site.server.get("/data/train/snapshot")
    def snapshot(hash: str, person: Viewer) -> dict[str, Any]:
        return train_data.snapshot_view(project, hash)

    @site.server.post("/do/train/check")
    def check(body: Wish, person: Admin) -> dict[str, Any]:
        found = train_form.judge(project, body.settings)
        measured = looks.result("measure", found.job) if found.job else None
        return {
            **train_form.judgement(project, found),
            "measured": measured,
            "free_mb": shutil.disk_usage(project.path).free / 2**20,
        }

    @site.server.post("/do/train/look")
    def look(body: LookAt, person: Admin) -> dict[str, Any]:
        if body.kind == "measure" and chip(jobs):
            raise InputError(
                "a job runs here now, and two at once would measure neither; measure when it has ended"
            )
        return looks.begin(body.kind, wanted(project, body.settings))

    @site.server.get("/data/train/look")
    def looked(key: str, person: Viewer) -> dict[str, Any]:
        return looks.state(key)

    @site.server.post("/do/train/look/end")
    def end(body: End, person: Admin) -> dict[str, Any]:
        looks.cancel(body.kind)
        return {}

    @site.server.post("/do/train/start")
    def start(body: Start, person: Admin) -> dict[str, Any]:
        return {"id": jobs.submit(wanted(project, body.settings), request=body.id)}


def wanted(project: Project, settings: dict[str, Any]) -> Job:
    """The job of these settings.  Raises InputError with every reason why it cannot start."""
    found = train_form.judge(project, settings)
    if found.reasons or found.job is None:
        raise InputError("this job cannot start: " + "; ".join(found.reasons))
    return found.job


def _changes(site: Site, jobs: Jobs) -> None:
    @site.server.post("/do/train/stop")
    def stop(body: StopJob, person: Admin) -> dict[str, Any]:
        jobs.stop(body.job, body.save)
        return {"state": jobs.show(body.job).state}

    @site.server.post("/do/train/resume")
    def resume(body: JobRequest, person: Admin) -> dict[str, Any]:
        jobs.resume(body.job)
        return {"state": jobs.show(body.job).state}

    @site.server.post("/do/train/move")
    def move(body: Move, person: Admin) -> dict[str, Any]:
        jobs.move(body.job, body.place)
        return {}

    @site.server.post("/do/train/delete")
    def delete(body: JobRequest, person: Admin) -> dict[str, Any]:
        jobs.delete(body.job)
        return {}


def _api(site: Site, jobs: Jobs) -> None:
    @site.api("train", role="admin", queue=False)
    def train(settings: str, request: gr.Request, id: str = "") -> dict[str, Any]:
        """Queue a training job; returns its id.

        Args: settings: a JSON object with the keys of a job file; `snapshot` is a snapshot's name
            or hash. id: an id of your own; the same id twice is one job.
        """
        person_of(request)
        try:
            given = json.loads(settings)
        except ValueError as error:
            raise InputError(
                f'settings is no JSON ({error}); give an object such as {{"snapshot": "first"}}'
            ) from error
        if not isinstance(given, dict):
            raise InputError("settings must be a JSON object with the keys of a job file")
        return {"id": jobs.submit(wanted(site.project, given), request=id)}

    @site.api("jobs", queue=False)
    def training_jobs(request: gr.Request) -> list[dict[str, Any]]:
        """The training jobs: the running one, the queue in order, then the ended ones, the newest
        first.
        """
        person_of(request)
        return [train_jobs.row(one) for one in jobs.all()]
