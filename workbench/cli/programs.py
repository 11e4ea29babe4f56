"""`vpd programs`: writes the sampled programs as lines that the sampler `file` reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError
from workbench.records import Program, Task
from workbench.sample.file import write_programs
from workbench.store import Project
from workbench.store.reading import views

_AT_ONCE = 500
"""Questions whose programs are read at a time."""


def main(path: Path, project: Path | None, text: str) -> None:
    """Write the programs of the parts in force.

    Args:
        path: a new file; one that ends in `.gz` is packed.
        project: folder of the project; None takes the one around the current folder.
        text: take only the questions that this query finds.

    Raises:
        InputError: there is nothing to write, or the file cannot be written.
    """
    with open_project(project, read_only=True) as opened:
        ids = opened.browse_ids(text)
        if next(_programs(opened, ids), None) is None:
            raise InputError(
                "no program of these questions has been sampled yet; write some with `vpd run`"
            )
        count = write_programs(path, _programs(opened, ids))
    console().print(
        f"{count} programs in {safe(path)}; a profile with\n"
        f'sampler = {{ part = "file", path = "{safe(path)}" }}\ntakes them up again',
        markup=False,
        soft_wrap=True,
    )


def _programs(project: Project, ids: list[str]) -> Iterator[tuple[Task, Program]]:
    scope, parts = project.scope(), project.parts
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        tasks = {task.id: task for task in project.tasks(some)}
        for program in views.programs(project.database, parts, some, scope):
            yield tasks[program.task_id], program
