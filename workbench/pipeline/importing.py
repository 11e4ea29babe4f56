"""The first stage: tasks and their pictures from the project's sources."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import registry
from workbench.errors import ImageError, StoreError
from workbench.images import ImageFolder
from workbench.parsing import TooDeep, check_depth
from workbench.ports import BadRow, HoldsPictures, Measured, TaskSource
from workbench.records import Task, content_key
from workbench.settings import Choice
from workbench.store import Project
from workbench.store.records import sources
from workbench.store.records.earlier_ids import with_earlier_ids
from workbench.store.records.sources import SourceSelection
from workbench.tasks.folder import UNNAMED
from workbench.tasks.rows import Bad

BATCH = 256
"""Tasks per transaction; their pictures are read in parallel."""

LISTED = 20
"""Problem rows that a dry run shows."""

if TYPE_CHECKING:
    from workbench.execute.cache import ResultCache


@dataclass(frozen=True, slots=True)
class TaskImport:
    """What one import did."""

    added: int
    bad: int
    """Rows left out, in this import; the table `bad_row` says why."""
    changed: tuple[str, ...]
    """Tasks that were there with another content; they were left as they are."""
    present: int = field(default=0, compare=False)
    """Tasks that were there already, with any content."""
    corrected: int = field(default=0, compare=False)
    """Tasks whose answers were put right."""


@dataclass(slots=True)
class Look:
    """What an import would do, as far as the files' rows say; no picture is decoded."""

    splits: Counter[str] = field(default_factory=Counter)
    """Tasks that can be taken, by split."""
    present: int = 0
    """Number of these that are in the project already."""
    bad: int = 0
    """Rows that would be left out."""
    first: list[BadRow] = field(default_factory=list)
    """The first of them."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Their reasons, without names and numbers."""


def missing(project: Project, split: str | None, limit: int | None) -> list[SourceSelection]:
    """What the project is to have of its sources and was not read yet.

    Args:
        project: any project.
        split: only tasks of this split count; None counts all.
        limit: number of tasks that are needed; None needs all.
    """
    if limit is not None and project.count_tasks(split) >= limit:
        return []
    selections = [
        replace(chosen, split=split) if (chosen.split, chosen.limit) == (None, None) else chosen
        for chosen in sources.selections(project.database)
        if split is None or chosen.split in (None, split)
    ]
    return [one for one in selections if not sources.selection_is_read(project.database, one)]


RowWatch = Callable[[int, int], None]
"""Called after each batch with the rows read and the rows to expect.

The latter are the limit, or an estimate from the bytes read.
"""


Correct = Callable[[Task], bool]
"""Given a task that the project has with another content, it puts the answers right.

It says whether it did.
"""


def import_tasks(
    project: Project,
    choice: Choice,
    split: str | None = None,
    limit: int | None = None,
    watch: RowWatch | None = None,
    first: int | None = None,
    correct: Correct | None = None,
) -> TaskImport:
    """Read a source until `limit` tasks of the split are in the project, or to its end.

    Pictures stay where they are: the project refers to them by path and digest
    (`ImageFolder.link`); those that lie inside the source's own files are written to the project.
    A picture that is missing or broken leaves its task out, with the reason in `bad_row`.  A
    picture whose path, size and time of change are known is not read again.

    Args:
        project: open for writing.
        choice: name and arguments of the source.
        split: only tasks of this split; None takes all.
        limit: number of tasks of the split that the project is to have; None takes all.
        watch: called as the work goes on.
        first: only so many tasks of the source, whether the project has them already or not.
        correct: called with each task that the project has with another content.

    Raises:
        DatasetError: the source cannot be read at all.
    """
    source: TaskSource = registry.build("source", choice.part, **choice.arguments)
    before = project.count_tasks(split)
    added, good, bad, corrected, listed = 0, 0, 0, 0, 0
    changed: list[str] = []
    offered = _Offered(source, split)
    # its room holds the sandbox, which most commands never start
    from workbench.execute.cache import ResultCache

    cache = ResultCache(project.path / "cache" / "pictures.sqlite")
    try:
        # A decoded picture can take 120 MB, so only a few are decoded at once.
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            read = partial(_picture, project.images, cache, source)
            while batch := offered.take(min(_room(limit, before + added), _room(first, good))):
                names = {source.image_path(one): one for task in batch for one in _each(task)}
                digests = dict(zip(names, pool.map(read, names.values())))
                ready: list[Task] = []
                broken: list[Bad] = []
                for task in batch:
                    own = [digests[source.image_path(one)] for one in _each(task)]
                    fault = _fault(task, own)
                    if fault is None:
                        image, *others = map(str, own)
                        ready.append(replace(task, image=image, more_images=tuple(others)))
                    else:
                        broken.append(Bad(task.id, 0, fault))
                ready = _under_earlier_ids(project, ready)
                new, other = project.add_tasks(ready)
                right = _corrected(ready, other, correct)
                added, good, corrected = added + new, good + len(ready), corrected + len(right)
                changed += [id_ for id_ in other if id_ not in right]
                bad += len(broken)
                project.add_bad_rows(choice.part, [*broken, *source.bad[listed:]])
                listed = len(source.bad)
                if watch is not None:
                    watch(offered.rows, offered.total(limit))
        project.add_bad_rows(choice.part, source.bad[listed:])
        if watch is not None:
            watch(offered.rows, offered.rows)
    finally:
        cache.close()
    if limit is None or before + added < limit:
        project.mark_imported(choice, split, before + added)
    return TaskImport(added, bad + len(source.bad), tuple(changed), good - added, corrected)


def _each(task: Task) -> Iterator[Task]:
    """The task with each of its pictures as the only one: sources know where one picture lies."""
    if not task.more_images:
        yield task
    else:
        yield from (replace(task, image=one, more_images=()) for one in task.images)


def _fault(task: Task, digests: Sequence[str | ImageError]) -> str | None:
    """Why a task cannot be taken, from a source of one's own too; None where it can."""
    try:
        check_depth(task.meta)
    except TooDeep as error:
        return str(error)
    return next((str(one) for one in digests if not isinstance(one, str)), None)


def _corrected(tasks: Sequence[Task], changed: Sequence[str], correct: Correct | None) -> set[str]:
    """The ids of those tasks that were put right."""
    if correct is None or not changed:
        return set()
    return {task.id for task in tasks if task.id in set(changed) and correct(task)}


def _under_earlier_ids(project: Project, tasks: Sequence[Task]) -> list[Task]:
    """The tasks, those whose id is made of their content under the id that the project has."""
    unnamed = [task for task in tasks if task.id.startswith(f"{task.source}/{UNNAMED}")]
    by_id = dict(
        zip(
            (task.id for task in unnamed),
            with_earlier_ids(project.database, unnamed),
            strict=True,
        )
    )
    return [by_id.get(task.id, task) for task in tasks]


def _room(limit: int | None, present: int) -> int:
    """Number of tasks of the next batch, where so many are in the project."""
    return BATCH if limit is None else max(0, min(BATCH, limit - present))


def look(
    choice: Choice,
    split: str | None = None,
    limit: int | None = None,
    watch: RowWatch | None = None,
    project: Project | None = None,
) -> Look:
    """What an import would do; nothing is written.

    Args:
        choice: name and arguments of the source.
        split: only tasks of this split; None looks at all.
        limit: number of tasks to look at; None looks at all.
        watch: called as the work goes on.
        project: knows which tasks are there already.

    Raises:
        DatasetError: as an import would.
    """
    source: TaskSource = registry.build("source", choice.part, **choice.arguments)
    offered = _Offered(source, split)
    result = Look()
    listed = 0
    while batch := offered.take(BATCH if limit is None else min(BATCH, limit - offered.rows)):
        result.splits.update(task.split for task in batch)
        if project is not None:
            result.present += len(project.known_tasks([task.id for task in batch]))
        listed = _add_bad_rows(result, source.bad[listed:])
        if watch is not None:
            watch(offered.rows, offered.expected if limit is None else limit)
    _add_bad_rows(result, source.bad[listed:])
    return result


def _add_bad_rows(result: Look, rows: Sequence[BadRow]) -> int:
    """Add rows that would be left out to a result; returns how many it has now."""
    result.bad += len(rows)
    result.first += rows[: LISTED - len(result.first)]
    result.reasons.update(re.sub(r"'[^']*'|\d+|/\S+", "…", row.reason) for row in rows)
    return result.bad


@dataclass(slots=True)
class _Offered:
    """What a source offers, in batches, with what can be said of its length."""

    source: TaskSource
    split: str | None
    rows: int = 0
    """Taken so far."""
    _tasks: Iterator[Task] | None = None

    def take(self, most: int) -> list[Task]:
        if self._tasks is None:
            self._tasks = self.source.tasks(self.split)
        batch = list(islice(self._tasks, most))
        self.rows += len(batch)
        return batch

    def total(self, limit: int | None) -> int:
        """Number of rows to expect under a limit."""
        return self.expected if limit is None else max(limit, self.rows)

    @property
    def expected(self) -> int:
        """Estimated number of all rows, from the share of the bytes read.

        A source that does not say how far it is gives the number of rows so far.
        """
        read, total = self.source.progress() if isinstance(self.source, Measured) else (0, 0)
        return max(self.rows, round(self.rows * total / read)) if read else self.rows


def _picture(
    images: ImageFolder, cache: ResultCache, source: TaskSource, task: Task
) -> str | ImageError:
    """The digest of a task's picture, which is in the project from then on, or its fault."""
    try:
        if isinstance(source, HoldsPictures):
            return images.add_bytes(source.image_bytes(task), str(source.image_path(task)))
        return _link(images, cache, source.image_path(task))
    except ImageError as error:
        return error
    except OSError as error:
        raise StoreError(
            f"a link to the picture {source.image_path(task)} could not be written to "
            f"{images.root} ({error.strerror}); what was imported is kept: make room there and run "
            "the command again"
        ) from error


def _link(images: ImageFolder, cache: ResultCache, path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return images.link(path)  # says what is wrong
    key = content_key(str(path.absolute()), stat.st_size, stat.st_mtime_ns)
    is_cached, digest = cache.get(key)
    if is_cached and isinstance(digest, str) and images.path(digest) is not None:
        return digest
    digest = images.link(path)
    cache.put("picture", [(key, digest)])
    return digest


def no_tasks(project: Project, split: str | None) -> str:
    """Why a split of a project, or all of it, has no question, in words."""
    if not project.sources():
        return (
            "the project has no task source; add one with: vpd import collages (or photos, or "
            "folder --from DIR)"
        )
    where = f" in split '{split}'" if split else ""
    limits = bounds(project)
    if limits:
        return (
            f"the project has no task{where}: it takes {limits}; take more with: "
            "vpd import SOURCE --split NAME, or see the table bad_row for rows that were left out"
        )
    return (
        f"the project's sources hold no task{where}; see the table bad_row for rows that were left "
        "out"
    )


def bounds(project: Project) -> str:
    """What a project takes of its sources, in words; nothing where it takes all."""
    return ", ".join(
        f"{chosen} of {chosen.choice.part}"
        for chosen in sources.selections(project.database)
        if (chosen.split, chosen.limit) != (None, None)
    )
