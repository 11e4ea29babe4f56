"""Step through one run: `/step?trace=ID&step=N`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from app import replay
from app.people import Curator
from app.runs import Runs
from app.site import Site
from workbench.errors import InputError
from workbench.pipeline.crediting import credited
from workbench.records import Task
from workbench.screen import views
from workbench.screen.credit import with_credit
from workbench.screen.decide import person_event
from workbench.screen.player import PlayerModel, full, variables
from workbench.screen.review import numbered
from workbench.screen.steps import NamedValue, Step
from workbench.store import Project, Run
from workbench.store.people.edits import PERSON_SAMPLER


@dataclass(frozen=True)
class FirstWrong:
    """The first wrong step of a run."""

    id: str
    trace: str
    step: int
    """Index of the step, as the player counts."""


@dataclass(frozen=True)
class TakeBack:
    """An event, or a batch, that its author takes back."""

    id: str
    task: str
    target: str


@dataclass(frozen=True, slots=True)
class MarkedStep:
    """The event that marks a first wrong step, and the question."""

    event: str
    task: str


@dataclass(frozen=True, slots=True)
class UndoneEvent:
    """The event, or the batch, that was taken back."""

    undone: str


@dataclass(frozen=True, slots=True)
class RunPill:
    """A run of the question, in the row of runs above the player."""

    name: str
    trace: str
    state: str
    answer: str
    here: bool
    """Whether the page shows this run."""
    kept: bool


@dataclass(frozen=True, slots=True)
class StepHead:
    """What stands above the player."""

    task: str
    trace: str
    question: str
    family: str
    choices: Sequence[tuple[str, str]]
    """The letter and the text of each."""
    gold: str
    state: str
    answer: str
    problem: str
    """Why the run has no answer; empty where it has one."""
    facts: str
    parent: str | None
    """Id of the program that this one is an edit of, or was written after."""
    edited: bool
    """Whether a person edited it."""
    pills: Sequence[RunPill]
    previous: str | None
    """The trace before this one among the pills, and `next` the one behind it."""
    next: str | None
    command: str


def add(site: Site) -> None:
    """Register the page, what its script calls, and the replays of edited programs."""
    runs = Runs(site)
    _add_page(site)
    _add_data(site.server, runs)
    _add_marks(site, runs)
    replay.add(site, runs)


def _add_page(site: Site) -> None:
    project = site.project

    @site.server.get("/step")
    def step(request: Request, trace: str = "", task: str = "") -> Response:
        """The page of a run, or of the kept run of a question.

        Args:
            request: of the browser.
            trace: id of a run; empty: one is chosen.
            task: id of the question whose run is chosen; empty: the first one that has any.
        """
        some_id = trace or _first(project, task)
        if some_id is None:
            command = f"vpd run --project {project.path}"
            return site.page(request, "step_empty.html", "step", {"command": command, "task": task})
        if not trace:
            return RedirectResponse(
                request.url.include_query_params(trace=some_id).remove_query_params("task"), 303
            )
        question, run = project.run_view(trace)
        if run.trace is None:
            command = f"vpd run --project {project.path}"
            raise InputError(
                f"program {run.program.id} of {question.id} has not been run yet; {command}"
            )
        return site.page(request, "step.html", "step", {"head": _head(project, question, run)})


def _add_data(server: FastAPI, runs: Runs) -> None:
    @server.get("/data/step")
    def head(trace: str) -> PlayerModel:
        return runs.head(trace)

    @server.get("/data/steps")
    def some_steps(trace: str, first: int, last: int) -> list[Step]:
        """Steps of a run, in full.

        Args:
            trace: id of the run.
            first: index of a step.
            last: index of the step behind the last one.
        """
        _, run, steps = runs.with_steps(trace)
        ids = [run.trace.id] if run.trace is not None else []
        credit = next(credited(runs.site.project, ids), None)
        return with_credit(full(steps, first, last), credit)

    @server.get("/data/variables")
    def variables_at(trace: str, step: int) -> list[NamedValue]:
        return variables(runs.with_steps(trace)[2], step)


def _add_marks(site: Site, runs: Runs) -> None:
    project, server = site.project, site.server

    @server.post("/do/step/wrong")
    def first_wrong(body: FirstWrong, person: Curator) -> MarkedStep:
        """Mark the first wrong step of a run."""
        task, run, steps = runs.with_steps(body.trace)
        if run.trace is None or not 0 <= body.step < len(steps):
            raise InputError(f"this run has no step {body.step + 1}")
        raw = steps[body.step].raw
        at = raw[0]["seq"] if raw else 0
        event = person_event(
            person, body.id, "wrong_step", task_id=task.id, trace_id=run.trace.id, step=at
        )
        return MarkedStep(project.curation.decide([event])[0].id, task.id)

    @server.post("/do/undo")
    def undo(body: TakeBack, person: Curator) -> UndoneEvent:
        """Take back an event, or a batch, of one's own."""
        project.curation.decide(
            [person_event(person, body.id, "undo", task_id=body.task, target=body.target)]
        )
        return UndoneEvent(body.target)


def _first(project: Project, task_id: str) -> str | None:
    """A trace of the question to begin with (the kept one); without a question, of the first one
    that has any.
    """
    if not task_id:
        rows = project.browse(limit=20).rows
        task_id = next((task.id for task, outcome in rows if outcome.traces), "")
    if not task_id:
        return None
    view = project.task_view(task_id)
    run = view.chosen or next((run for run in view.runs if run.trace is not None), None)
    return run.trace.id if run is not None and run.trace is not None else None


def _head(project: Project, task: Task, run: Run) -> StepHead:
    view = project.task_view(task.id)
    trace = run.trace
    assert trace is not None
    pills = [_pill(name, other, view.chosen, trace.id) for name, other in numbered(project, view)]
    at = next((index for index, pill in enumerate(pills) if pill.here), None)
    return StepHead(
        task=task.id,
        trace=trace.id,
        question=task.question,
        family=task.family,
        choices=[(chr(65 + index), text) for index, text in enumerate(task.choices[:26])],
        gold=views.gold_of(task),
        state=views.run_state(run),
        answer="no answer" if trace.answer is None else trace.answer or "an empty answer",
        problem=views.problem_of(run),
        facts=views.facts_of(run),
        parent=run.program.parent,
        edited=run.program.sampler == PERSON_SAMPLER,
        pills=pills,
        previous=pills[at - 1].trace if at else None,
        next=pills[at + 1].trace if at is not None and at + 1 < len(pills) else None,
        command=f"vpd show {trace.id} --project {project.path}",
    )


def _pill(name: str, run: Run, kept: Run | None, here: str) -> RunPill:
    """One run of the question.

    Args:
        name: that people know it by.
        run: a program that was run.
        kept: the run that is kept, if any is.
        here: id of the trace that the page shows.
    """
    trace = run.trace
    assert trace is not None
    answer = trace.answer
    if answer is None:
        answer = f"no answer: {trace.failure.kind if trace.failure else ''}"
    return RunPill(
        name=name,
        trace=trace.id,
        state=views.run_state(run),
        answer=answer,
        here=trace.id == here,
        kept=kept is not None and kept.program.id == run.program.id,
    )
