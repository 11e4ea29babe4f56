"""Probes of students over a project's questions; a probe that was stopped goes on.

A probe is the file `evaluations/probe-KEY.jsonl` in the project.  Its first line says which student
and which questions it is about, then there is a row per question and condition.  Rows are only ever
added; when a crash cut a line off, that row is computed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from workbench.errors import ImageError, InputError
from workbench.evaluate.faithfulness.probe import (
    OWN,
    Probe,
    ProbeRow,
    conclude,
    explain,
    figures,
    plan,
)
from workbench.pipeline.grouping import batches
from workbench.pipeline.progress import Progress, Watch
from workbench.ports import Concluding, Student
from workbench.records import JSON, PartRef, Task, content_key
from workbench.several_pictures import only_picture
from workbench.store import Project
from workbench.store.reading.ids import sample_ids

FOLDER = "evaluations"
BATCH = 32
"""Number of questions, or of changed explanations, that are asked and written at once."""

T = TypeVar("T")
Rows = dict[tuple[str, str], ProbeRow]
"""By task and condition."""


def probe(
    project: Project,
    student: Student,
    split: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    progress: Watch | None = None,
) -> Probe:
    """Probe a student over a project's questions; rows of an earlier probe are not asked again.

    Args:
        project: has the questions and keeps the rows.
        student: the student to probe.
        split: of the questions; None for any.
        limit: number of questions, drawn by the seed; None takes all.
        seed: also decides which facts become wrong, and how.
        progress: called as the work goes on.

    Returns:
        Figures over these questions.

    Raises:
        InputError: there is no question, or the student cannot go on from the beginning of an
            explanation.
    """
    if not isinstance(student, Concluding):
        raise InputError(
            "this student cannot be probed: it has no method conclude, which goes on from the "
            "beginning of an explanation; the part 'transformers' has one"
        )
    tasks = _sample(project, split, limit, seed)
    if not tasks:
        raise InputError(
            "there is no question to probe with; import some, or name a split that has questions"
        )
    about = {"model": asdict(student.ref), "split": split, "seed": seed}
    path = project.path / FOLDER / f"probe-{content_key(about)}.jsonl"
    rows = _read(path)[1] if path.exists() else {}
    write = _writer(path, about, rows)
    _go(
        "explain",
        [task for task in tasks if (task.id, OWN) not in rows],
        lambda some: write(explain(student, some, project.images)),
        progress,
    )
    own = {task: row for (task, condition), row in rows.items() if condition == OWN}
    jobs = [job for job in plan(tasks, own, seed) if (job.task.id, job.edit.condition) not in rows]
    _go("conclude", jobs, lambda some: write(conclude(student, some, project.images)), progress)
    ids = {task.id for task in tasks}
    return figures(
        student.ref, split, seed, [row for (task, _), row in rows.items() if task in ids]
    )


def probes(project: Project) -> list[Probe]:
    """The figures of all probes of a project, the newest first.

    Raises:
        InputError: the file of a probe is damaged.
    """
    files = sorted(
        (project.path / FOLDER).glob("probe-*.jsonl"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    figures_of_files = []
    for path in files:
        about, rows = _read(path)
        figures_of_files.append(
            figures(PartRef(**about["model"]), about["split"], about["seed"], list(rows.values()))
        )
    return figures_of_files


def _sample(project: Project, split: str | None, limit: int | None, seed: int) -> list[Task]:
    """Questions whose pictures can be opened; the same sample for every student.

    Raises:
        InputError: one has several pictures, of which the conditions know one.
    """
    tasks = project.tasks(sample_ids(project.database, split, limit, seed))
    for task in tasks:
        only_picture(task, "the probe of reasons")
    return [task for task in tasks if _opens(project, task)]


def _opens(project: Project, task: Task) -> bool:
    try:
        project.images.open(task.image)
    except ImageError:
        return False
    return True


def _go(
    stage: str, items: Sequence[T], work: Callable[[list[T]], None], progress: Watch | None
) -> None:
    for at, some in enumerate(batches(items, BATCH)):
        if progress is not None:
            progress(Progress(stage, at * BATCH, len(items), "texts"))
        work(some)
    if items and progress is not None:
        progress(Progress(stage, len(items), len(items), "texts"))


def _writer(path: Path, about: JSON, rows: Rows) -> Callable[[list[ProbeRow]], None]:
    """A function that adds rows to those in memory and, in one piece, to the end of the file."""

    def write(new_rows: list[ProbeRow]) -> None:
        rows.update({(row.task, row.condition): row for row in new_rows})
        path.parent.mkdir(exist_ok=True)
        lines = (
            [asdict(row) for row in new_rows]
            if path.exists()
            else [about, *(asdict(row) for row in new_rows)]
        )
        with path.open("a", encoding="utf-8") as file:
            # Each line begins with a line break: the line before it may have been cut off.
            file.write("".join(f"\n{json.dumps(line)}" for line in lines))

    return write


def _read(path: Path) -> tuple[dict[str, JSON], Rows]:
    """What a probe's file is about, and its rows; lines that are not JSON were cut off."""
    values = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values.append(json.loads(line))
        except (json.JSONDecodeError, RecursionError):
            continue
    try:
        about, *rest = values
        rows = [ProbeRow(**row) for row in rest]
        figures_of = {"model": about["model"], "split": about["split"], "seed": about["seed"]}
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path} is no file of a probe ({error}); move it away and run: vpd probe"
        ) from error
    return figures_of, {(row.task, row.condition): row for row in rows}
