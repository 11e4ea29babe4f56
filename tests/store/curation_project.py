"""A small project with questions to decide on, and events that are quick to write."""

from __future__ import annotations

import atexit
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from store_rows import (
    EXECUTOR,
    SAMPLER,
    STUDENT,
    VERIFIER,
    WRITER,
    Made,
    loop_records,
    profile_file,
    scope_of,
    task,
)

from workbench.records import Decision
from workbench.store import Project, Selection

Home = tuple[Project, list[Made]]
"""A project and what was made of each of its questions."""


def make_project(folder: Path, questions: int = 6) -> tuple[Project, list[Made]]:
    """A project whose loop has run: each question has three programs, of which the second is kept.
    It is made once for each number of questions, and copied.
    """
    root, made = _built(questions)
    shutil.copytree(root, folder, dirs_exist_ok=True)
    return Project.open(folder / "p"), list(made)


@cache
def _built(questions: int) -> tuple[Path, tuple[Made, ...]]:
    folder = Path(mkdtemp(prefix="curation-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = Project.create(folder / "p", str(profile_file(folder)))
    made = [loop_records(task(at), 3) for at in range(questions)]
    project.add_tasks([one.task for one in made])
    project.add_programs([program for one in made for program in one.programs], 0)
    project.add_traces([trace for one in made for trace in one.traces])
    project.add_verdicts([one.verdicts for one in made])
    project.add_rationales([one.rationale for one in made])
    project.add_predictions([one.prediction for one in made])
    project.add_predictions(
        [
            replace(one.prediction, id=f"told/{one.task.id}", rationale="I see three.")
            for one in made
        ]
    )
    run = project.start_run(scope_of(made[0]), Selection(), "predict")
    for role, ref in (
        ("sampler", SAMPLER),
        ("executor", EXECUTOR),
        ("verifier", VERIFIER),
        ("writer", WRITER),
        ("student", STUDENT),
    ):
        project.set_part(run, role, ref)
    project.close()
    return folder, tuple(made)


class Voice:
    """Somebody who says things, each under an id of its own."""

    def __init__(self, name: str, role: Any = "curator") -> None:
        self.name = name
        self.role = role
        self.n = 0

    def event(self, kind: Any, task_id: str = "", **more: Any) -> Decision:
        self.n += 1
        return Decision(
            f"{self.name}-event-{self.n:05d}", kind, self.name, self.role, task_id, **more
        )

    def accept(self, made: Made, **more: Any) -> Decision:
        kept = made.traces[1]
        given = {"trace_id": kept.id, "rationale_id": made.rationale.id, **more}
        return self.event("accept", made.task.id, **given)

    def reject(self, made: Made, **more: Any) -> Decision:
        given = {"trace_id": made.traces[1].id, "reason": "wrong_reason", **more}
        return self.event("reject", made.task.id, **given)


def states(project: Project, source: str) -> list[dict[str, Any]]:
    """Rows of `curated` or of the view `item`, as far as they are the same."""
    rows = project.database.rows(f"SELECT * FROM {source} ORDER BY task_id")
    return [{name: value for name, value in row.items() if name != "updated_at"} for row in rows]
