"""The first stage: tasks and their pictures from the project's sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from workbench import registry
from workbench.errors import ImageError, StoreError
from workbench.ports import TaskSource
from workbench.records import Task
from workbench.settings import Choice
from workbench.store import Project

BATCH = 64
"""Tasks per transaction."""


@dataclass(slots=True)
class _Bad:
    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import did."""

    added: int
    bad: int
    """Rows left out, in this import; the table `bad_row` says why."""
    changed: tuple[str, ...]
    """Tasks that were there with another content; they were left as they are."""


def missing(project: Project, split: str | None, limit: int | None) -> list[Choice]:
    """Sources that have not been read far enough."""
    if limit is not None and project.count_tasks(split) >= limit:
        return []
    return [choice for choice in project.sources() if not project.imported(choice, split)]


def import_tasks(
    project: Project,
    choice: Choice,
    split: str | None = None,
    limit: int | None = None,
    seen: Callable[[int], None] | None = None,
) -> Imported:
    """Read a source until `limit` tasks of the split are in the project, or to its end.

    A picture that is missing or broken leaves its task out, with the reason in `bad_row`.

    Args:
        seen: called after each batch with the number of tasks now in the project.

    Raises:
        DatasetError: the source cannot be read at all.
    """
    source: TaskSource = registry.build("source", choice.part, **choice.arguments)
    held = project.count_tasks(split)
    added, bad, changed = 0, 0, []
    digests: dict[Path, str] = {}
    offered = source.tasks(split)
    while batch := list(islice(offered, BATCH if limit is None else max(0, min(BATCH, limit - held - added)))):
        ready: list[Task] = []
        broken: list[_Bad] = []
        for task in batch:
            path = source.image_path(task)
            try:
                if path not in digests:
                    digests = {path: project.images.add(path)}  # questions of one picture stand together
                ready.append(replace(task, image=digests[path]))
            except ImageError as error:
                broken.append(_Bad(task.id, 0, str(error)))
            except OSError as error:
                raise StoreError(
                    f"the picture {path} could not be copied to {project.images.root} ({error.strerror}); what was "
                    "imported is kept: make room there and run the command again"
                ) from error
        new, other = project.add_tasks(ready)
        added += new
        changed += other
        bad += len(broken)
        project.add_bad_rows(choice.part, broken)
        if seen is not None:
            seen(held + added)
    ended = limit is None or held + added < limit
    listed = list(source.bad)
    if listed:
        project.add_bad_rows(choice.part, listed)
    if ended:
        project.mark_imported(choice, split, held + added)
    return Imported(added, bad + len(listed), tuple(changed))
