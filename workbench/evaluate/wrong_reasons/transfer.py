"""Is a program right, or only its answer?  It is run with exact tools on other scenes that answer
its question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workbench.evaluate.wrong_reasons.exact_tools import right, run_exactly, undecided
from workbench.evaluate.wrong_reasons.new_scenes import others
from workbench.records import Program, Task

ELSEWHERE = 12
"""Other scenes that a program is judged by."""
LEAST = 6
"""Scenes that must decide."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How a program did on other scenes."""

    right: int
    wrong: int
    undecided: int

    @property
    def verdict(self) -> bool | None:
        """Right everywhere; False: wrong in more than a quarter; None: in between (a short cut), or
        not decided.
        """
        decided = self.right + self.wrong
        if decided < LEAST:
            return None
        return True if self.wrong == 0 else False if self.wrong > decided / 4 else None


def elsewhere(rows: Sequence[tuple[Task, Program]], count: int = ELSEWHERE) -> Iterator[Elsewhere]:
    """How each program does on `count` other scenes of its question, in the rows' order."""
    drawn = {task.id: others(task, count) for task in {task.id: task for task, _ in rows}.values()}
    scenes = {
        f"{task_id}#{at}": scene
        for task_id, found in drawn.items()
        for at, (scene, _) in enumerate(found)
    }
    jobs = [
        (replace(task, image=f"{task.id}#{at}"), program, said)
        for task, program in rows
        for at, (_, said) in enumerate(drawn[task.id])
    ]
    traces = run_exactly(((task, program) for task, program, _ in jobs), scenes)
    told = iter(jobs)
    for task, _ in rows:
        counts = {True: 0, False: 0, None: 0}
        for _ in drawn[task.id]:
            trace = next(traces)
            asked, _, gold = next(told)
            counts[None if undecided(trace) else right(asked, trace, gold)] += 1
        yield Elsewhere(counts[True], counts[False], counts[None])
