"""Items in batches, and the programs of a sampler by their question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from workbench.errors import EngineError
from workbench.records import Program, Task

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def by_task(programs: Iterable[Program], tasks: Sequence[Task], k: int) -> Iterator[list[Program]]:
    """Programs grouped by task as they come.

    Args:
        programs: from a sampler.
        tasks: the questions that it was given.
        k: programs of each.

    Raises:
        EngineError: the sampler breaks its promise.
    """
    left = [task.id for task in tasks]
    group: list[Program] = []
    for program in programs:
        group.append(program)
        if program.task_id != group[0].task_id or program.task_id not in left:
            raise EngineError(_not_as_expected(len(group) - 1, k, group[0].task_id))
        if len(group) == k:
            if sorted(p.index for p in group) != list(range(k)):
                raise EngineError(_not_as_expected(k, k, program.task_id))
            left.remove(program.task_id)
            yield group
            group = []
    if group or left:
        raise EngineError(_not_as_expected(len(group), k, group[0].task_id if group else left[0]))


def _not_as_expected(number: int, k: int, task_id: str) -> str:
    return (
        f"the sampler gave {number} programs where {k} of task {task_id} were expected, with "
        f"index 0 to {k - 1}, grouped by task; this is a fault of the sampler part"
    )
