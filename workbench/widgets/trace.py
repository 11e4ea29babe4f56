"""TracePlayer: one run, line by line, with its picture and its rationale."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from workbench.errors import InputError
from workbench.records import Program, Rationale, Task, Trace
from workbench.store import Project, Run
from workbench.widgets import pictures, plain
from workbench.widgets.base import script
from workbench.widgets.current import current, held
from workbench.widgets.playing import Playing, model, unknown


class TracePlayer(Playing):
    """Step through a run: arrows, Home and End, Space plays, b marks the first wrong step.

    Traits: `step`, `wrong` (both ways).

    Args:
        trace: the run, or the id of its trace or program in the project.
        program: where no project knows it; without it the program's lines are not shown.
        picture: the same: its path, its digest in the project, or the picture.
        rationale: the project's own when left out.

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
        known = current(project) if isinstance(trace, str) else held(project)
        task, kept = _looked_up(known, trace)
        seen = trace if isinstance(trace, Trace) else kept.trace if kept else None
        if seen is None:
            raise InputError(f"program '{trace}' has not been run yet; vpd run does it")
        super().__init__()
        self.trace: Trace = seen
        program = program or (
            kept.program if kept else unknown(seen.program_id, seen.task_id, seen.executor)
        )
        if rationale is None and known is not None and task is not None:
            told = known.task_view(task.id).rationales
            rationale = next((one for one in told if one.trace_id == seen.id), None)
        if picture is None and known is not None and task is not None:
            image, about = pictures.of_project(known.images, task.image)
        else:
            image = pictures.open_picture(picture, known.images if known else None)
            about = pictures.picture_view(
                "", image, "No picture was given: TracePlayer(trace, picture=...)"
            )
        run = Run(program, seen, kept.verdict if kept and kept.trace == seen else None)
        self.play(*model(task, run, about, rationale), image)

    def plain(self) -> str:
        return plain.answer_of(self.trace) + self.plain_run()


def _looked_up(project: Project | None, trace: Trace | str) -> tuple[Task | None, Run | None]:
    """What the project knows of a run; a trace that it does not know may still be of a question
    that it does.
    """
    if project is None:
        return None, None
    if isinstance(trace, str):
        return project.run_view(trace)
    try:
        return project.run_view(trace.program_id)
    except InputError:
        found = project.tasks([trace.task_id])
        return (found[0] if found else None), None
