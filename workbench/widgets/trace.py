"""TracePlayer: one run, line by line, with its picture and its rationale."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from workbench.errors import InputError
from workbench.records import Program, Rationale, Task, Trace
from workbench.store import Project, Run
from workbench.widgets import pictures, plain
from workbench.widgets.base import script
from workbench.widgets.current import current, current_or_none
from workbench.widgets.playing import Playing, head_of_run, model, unknown


class TracePlayer(Playing):
    """Step through a run: arrows, Home and End, Space plays, b marks the first wrong step.

    Traits: `step`, `wrong` (both ways).

    Args:
        trace: the run, or the id of its trace or program in the project.
        program: of the run, where no project has it; without it the program's lines are not shown.
        picture: its path, its digest in the project, or the picture, where no project has it.
        rationale: the wording to show; the project's own when left out.
        project: where to look; the notebook's own when left out.

    Raises:
        InputError: the project has no such run, or there is no project to look in.
        ImageError: the picture given cannot be read.
    """

    _esm = script("playing.js", "trace.js")

    def __init__(
        self,
        trace: Trace | str,
        *,
        program: Program | None = None,
        picture: Path | str | Image.Image | None = None,
        rationale: Rationale | None = None,
        project: Project | None = None,
    ) -> None:
        project = current(project) if isinstance(trace, str) else current_or_none(project)
        task, stored = _stored_run(project, trace)
        run, own_trace = _run(trace, stored, program)
        super().__init__()
        self.trace: Trace = own_trace
        self.images = project.images if project is not None else None
        if rationale is None:
            rationale = _stored_rationale(project, task, self.trace)
        if picture is None and project is not None and task is not None:
            image, view = pictures.of_task(project.images, task)
        else:
            image = pictures.open_picture(picture, project.images if project else None)
            view = pictures.picture_view(
                "", image, "No picture was given: TracePlayer(trace, picture=...)"
            )
        self.play(*model(run, view, rationale), image, head_of_run(task, run))

    def plain(self) -> str:
        return plain.answer_of(self.trace) + self.plain_run()


def _run(trace: Trace | str, stored: Run | None, program: Program | None) -> tuple[Run, Trace]:
    """The run to show, and its trace.

    Args:
        trace: the run, or an id under which the project has it.
        stored: what the project has of it.
        program: the caller's; None: the project's, else one without source.

    Raises:
        InputError: the program has not been run.
    """
    if isinstance(trace, str):
        if stored is None or stored.trace is None:
            raise InputError(f"program '{trace}' has not been run yet; vpd run does it")
        trace = stored.trace
    if program is None:
        program = stored.program if stored is not None else None
    if program is None:
        program = unknown(trace.program_id, trace.task_id, trace.executor)
    same = stored is not None and stored.trace == trace
    return Run(program, trace, stored.verdict if stored is not None and same else None), trace


def _stored_rationale(project: Project | None, task: Task | None, trace: Trace) -> Rationale | None:
    """The newest rationale that the project has of a run."""
    if project is None or task is None:
        return None
    rationales = project.task_view(task.id).rationales
    return next((one for one in rationales if one.trace_id == trace.id), None)


def _stored_run(project: Project | None, trace: Trace | str) -> tuple[Task | None, Run | None]:
    """What the project has of a run; it may have the question of a trace that it does not have."""
    if project is None:
        return None, None
    if isinstance(trace, str):
        return project.run_view(trace)
    try:
        return project.run_view(trace.program_id)
    except InputError:
        tasks = project.tasks([trace.task_id])
        return (tasks[0] if tasks else None), None
