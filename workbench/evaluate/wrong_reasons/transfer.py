"""Whether a program stays right when it is run with exact tools on other scenes of its question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workbench.evaluate.wrong_reasons.exact_tools import right, run_exactly, undecided
from workbench.evaluate.wrong_reasons.new_scenes import others
from workbench.records import Program, Task

ELSEWHERE = 12
"""Number of other scenes that a program is judged by."""
LEAST = 6
"""Least number of scenes with a decided run; with fewer there is no verdict."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Number of other scenes by how a program did on them."""

    right: int
    wrong: int
    undecided: int

    @property
    def verdict(self) -> bool | None:
        """True: right on all scenes.  False: wrong on more than a quarter of them.

        None in between, where the program takes a short cut, and where too few scenes decide.
        """
        decided = self.right + self.wrong
        if decided < LEAST:
            return None
        if self.wrong == 0:
            return True
        return False if self.wrong > decided / 4 else None


def elsewhere(rows: Sequence[tuple[Task, Program]], count: int = ELSEWHERE) -> Iterator[Elsewhere]:
    """How each program does on `count` other scenes of its question, in the rows' order."""
    tasks = {task.id: task for task, _ in rows}
    scenes_of = {task_id: others(task, count) for task_id, task in tasks.items()}
    scenes = {
        f"{task_id}#{at}": scene
        for task_id, pairs in scenes_of.items()
        for at, (scene, _) in enumerate(pairs)
    }
    jobs = [
        (replace(task, image=f"{task.id}#{at}"), program, gold)
        for task, program in rows
        for at, (_, gold) in enumerate(scenes_of[task.id])
    ]
    traces = run_exactly(((task, program) for task, program, _ in jobs), scenes)
    runs = zip(jobs, traces, strict=True)
    for task, _ in rows:
        counts = {True: 0, False: 0, None: 0}
        for _ in scenes_of[task.id]:
            (moved_task, _, gold), trace = next(runs)
            counts[None if undecided(trace) else right(moved_task, trace, gold)] += 1
        yield Elsewhere(counts[True], counts[False], counts[None])
