"""Items in batches, and the programs of a sampler by their question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from workbench.errors import EngineError
from workbench.ports import PooledSampler, Sampler
from workbench.records import Program, Task
from workbench.sample.outline import outline

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


class Handed:
    """Questions on their way to a sampler, of which those without programs are remembered.

    Args:
        tasks: the questions.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self.left: dict[str, None] = {}
        """Ids of the questions that the sampler took and gave no programs for yet."""

    def __iter__(self) -> Iterator[Task]:
        for task in self._tasks:
            self.left[task.id] = None
            yield task


def by_task(programs: Iterable[Program], tasks: Handed, k: int) -> Iterator[list[Program]]:
    """Programs grouped by task as they come.

    Args:
        programs: from a sampler.
        tasks: the questions that it was given.
        k: programs of each.

    Raises:
        EngineError: the sampler breaks its promise.
    """
    left = tasks.left
    group: list[Program] = []
    for program in programs:
        group.append(program)
        if program.task_id != group[0].task_id or program.task_id not in left:
            raise EngineError(_not_as_expected(len(group) - 1, k, group[0].task_id))
        if len(group) == k:
            if sorted(p.index for p in group) != list(range(k)):
                raise EngineError(_not_as_expected(k, k, program.task_id))
            del left[program.task_id]
            yield compared(group)
            group = []
    next(iter(tasks), None)  # a question that the sampler never took lacks its programs too
    if group or left:
        id = group[0].task_id if group else next(iter(left))
        raise EngineError(_not_as_expected(len(group), k, id))


def compared(programs: Sequence[Program]) -> list[Program]:
    """The programs of one question, each with whether an earlier one is the same."""
    earlier = set[str]()
    repeats = dict[int, bool | None]()
    for program in sorted(programs, key=lambda program: program.index):
        text = outline(program.source)
        repeats[program.index] = None if program.problem else text in earlier
        earlier.add(text)
    return [replace(program, repeats=repeats[program.index]) for program in programs]


def programs_of(
    sampler: Sampler, chunks: Iterable[Sequence[Task]], k: int, seed: int
) -> Iterator[list[Program]]:
    """The programs of each task, as they come.

    A sampler that has many questions under way is handed all of them; another one gets a chunk
    after the other.

    Args:
        sampler: writes the programs.
        chunks: the questions, taken lazily.
        k: programs of each.
        seed: of the sampling.

    Raises:
        EngineError: the model or endpoint broke, or the sampler breaks its promise.
    """
    if isinstance(sampler, PooledSampler):
        handed = Handed(task for chunk in chunks for task in chunk)
        yield from by_task(sampler.sample_all(handed, k, seed), handed, k)
        return
    for chunk in chunks:
        handed = Handed(chunk)
        yield from by_task(sampler.sample(list(handed), k, seed), handed, k)


def _not_as_expected(number: int, k: int, task_id: str) -> str:
    return (
        f"the sampler gave {number} programs where {k} of task {task_id} were expected, with "
        f"index 0 to {k - 1}, grouped by task; this is a fault of the sampler part"
    )
