"""Step through one run: `/step?trace=ID&step=N`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app import replay
from app.people import Curator
from app.runs import Runs
from app.site import Site
from workbench.errors import InputError
from workbench.records import Task
from workbench.screen import views
from workbench.screen.player import full, variables
from workbench.screen.review import numbered, person_event
from workbench.store import Project, Run


@dataclass(frozen=True)
class FirstWrong:
    """`step` is the index of a step, as the player counts."""

    id: str
    trace: str
    step: int


@dataclass(frozen=True)
class TakeBack:
    id: str
    task: str
    target: str


def add(site: Site) -> None:
    project, server = site.project, site.server
    runs = Runs(site)

    @server.get("/step")
    def step(request: Request, trace: str = "", task: str = "") -> Response:
        some_id = trace or _first(project, task)
        if some_id is None:
            command = f"vpd run --project {project.path}"
            return site.page(request, "step_empty.html", "step", {"command": command, "task": task})
        if not trace:
            return RedirectResponse(
                request.url.include_query_params(trace=some_id).remove_query_params("task"), 303
            )
        found, run = project.run_view(trace)
        if run.trace is None:
            command = f"vpd run --project {project.path}"
            raise InputError(
                f"program {run.program.id} of {found.id} has not been run yet; {command}"
            )
        return site.page(request, "step.html", "step", _head(project, found, run))

    @server.get("/data/step")
    def head(trace: str) -> dict[str, Any]:
        return runs.head(trace)

    @server.get("/data/steps")
    def some_steps(trace: str, first: int, last: int) -> list[dict[str, Any]]:
        return full(runs.with_steps(trace)[2], first, last)

    @server.get("/data/variables")
    def held(trace: str, step: int) -> list[dict[str, Any]]:
        return variables(runs.with_steps(trace)[2], step)

    @server.post("/do/step/wrong")
    def first_wrong(body: FirstWrong, person: Curator) -> dict[str, Any]:
        """Mark the first wrong step of a run."""
        task, run, steps = runs.with_steps(body.trace)
        if run.trace is None or not 0 <= body.step < len(steps):
            raise InputError(f"this run has no step {body.step + 1}")
        raw = steps[body.step].raw
        at = raw[0]["seq"] if raw else 0
        event = person_event(
            person, body.id, "wrong_step", task_id=task.id, trace_id=run.trace.id, step=at
        )
        return {"event": project.curation.decide([event])[0].id, "task": task.id}

    @server.post("/do/undo")
    def undo(body: TakeBack, person: Curator) -> dict[str, Any]:
        """Take back an event, or a batch, of one's own."""
        project.curation.decide(
            [person_event(person, body.id, "undo", task_id=body.task, target=body.target)]
        )
        return {"undone": body.target}

    replay.add(site, runs)


def _first(project: Project, task_id: str) -> str | None:
    """A trace of the task to begin with (the kept one), or of the first task that has one."""
    ids = (
        [task_id]
        if task_id
        else [task.id for task, one in project.browse(limit=20).rows if one.traces]
    )
    for one in ids[:1]:
        view = project.task_view(one)
        run = view.chosen or next((run for run in view.runs if run.trace is not None), None)
        if run is not None and run.trace is not None:
            return run.trace.id
    return None


def _head(project: Project, task: Task, run: Run) -> dict[str, Any]:
    view = project.task_view(task.id)
    trace = run.trace
    assert trace is not None
    pills = [_pill(name, other, view.chosen, trace.id) for name, other in numbered(project, view)]
    at = next((index for index, pill in enumerate(pills) if pill["here"]), None)
    return {
        "task": task.id,
        "trace": trace.id,
        "question": task.question,
        "family": task.family,
        "choices": [(chr(65 + index), text) for index, text in enumerate(task.choices[:26])],
        "gold": views.gold_of(task),
        "state": views.run_state(run),
        "answer": "no answer" if trace.answer is None else trace.answer or "an empty answer",
        "problem": views.problem_of(run),
        "facts": views.facts_of(run),
        "parent": run.program.parent,
        "pills": pills,
        "previous": pills[at - 1]["trace"] if at else None,
        "next": pills[at + 1]["trace"] if at is not None and at + 1 < len(pills) else None,
        "command": f"vpd show {trace.id} --project {project.path}",
    }


def _pill(name: str, run: Run, chosen: Run | None, here: str) -> dict[str, Any]:
    trace = run.trace
    assert trace is not None
    answer = (
        trace.answer
        if trace.answer is not None
        else f"no answer: {trace.failure.kind if trace.failure else ''}"
    )
    return {
        "name": name,
        "trace": trace.id,
        "state": views.run_state(run),
        "answer": answer,
        "here": trace.id == here,
        "kept": chosen is not None and chosen.program.id == run.program.id,
    }
