"""Programs that failed, or ended with an empty answer, are written again, run and judged.

Each round is a program of its own, whose parent is the one before it.  The loop's figures are over
sampled programs; what was written again has figures of its own (`pipeline.report_repairs`), and is
never the run that is kept.  Whether a program is written again never depends on the label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import EngineError
from workbench.pipeline import repairing
from workbench.pipeline.grouping import batches
from workbench.pipeline.parts import Parts
from workbench.ports import RewritingSampler
from workbench.records import Program, Task
from workbench.sample.again import EMPTY, Attempt, as_question, child_of
from workbench.sample.seeds import again_seed
from workbench.store import Project, Scope, Selection
from workbench.store.records import pending
from workbench.unanswered import with_reason

MOST_ROUNDS = 10
WRITE_PROGRAMS = 16
"""Programs that are stored together."""
HANDED_PROGRAMS = 256
"""Programs that the sampler gets at once to write again."""
WRITE_TRACES = 64


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be done piece by piece, and written a few pieces at a time."""

    total: int
    unit: str
    items: Iterable[Any]
    size: int
    """Pieces that are written together."""
    write: Callable[[list[Any]], int]
    """Writes pieces; returns how many programs were written again."""


class WritingAgain:
    """The rounds of one run of the loop.

    Args:
        project: open for writing.
        parts: sampler, executor, verifier and writer.
        scope: the parts in force.
        selection: the questions that the run is about.
        rounds: how many times a program is written again at most.
    """

    def __init__(
        self, project: Project, parts: Parts, scope: Scope, selection: Selection, rounds: int
    ) -> None:
        self._project, self._parts = project, parts
        self._scope, self._selection, self._rounds = scope, selection, rounds

    def work(self) -> Iterator[Work]:
        """What there is to do, each to be done before the next is asked for."""
        for number in range(1, self._rounds + 1):
            yield self._writing(number)
            yield self._running()
        yield self._judging()

    def left(self) -> int:
        """Programs that broke for reasons outside them, which the next run tries again."""
        ids = pending.to_execute_again(
            self._project.database, self._scope, self._selection, self._rounds
        )
        return len(ids)

    def _writing(self, number: int) -> Work:
        database = self._project.database
        ids = pending.to_write_again(database, self._scope, self._selection, number, EMPTY)

        def programs() -> Iterator[Program]:
            for chunk in batches(ids, HANDED_PROGRAMS):
                attempts = self._project.traced(chunk)
                yield from _of_attempts(attempts, self._programs(attempts))

        def write(chunk: list[Program]) -> int:
            return self._project.add_programs(chunk, self._scope.seed)

        return Work(len(ids), "programs", programs(), WRITE_PROGRAMS, write)

    def _programs(self, attempts: Sequence[Attempt]) -> Iterable[Program]:
        sampler, seed = self._parts.sampler, self._scope.seed
        if isinstance(sampler, RewritingSampler):
            yield from sampler.write_again(attempts, seed)
            return
        for attempt in attempts:
            question, parent = as_question(attempt), attempt[1]
            for program in sampler.sample([question], 1, again_seed(parent, seed)):
                yield child_of(parent, program)

    def _running(self) -> Work:
        ids = pending.to_execute_again(
            self._project.database, self._scope, self._selection, self._rounds
        )
        problems: dict[str, str] = {}

        def jobs() -> Iterator[tuple[Task, Program]]:
            for chunk in batches(ids, WRITE_TRACES):
                for task, program in self._project.jobs(chunk):
                    problems[program.id] = program.problem
                    yield task, program

        traces = (
            with_reason(trace, problems.get(trace.program_id))
            for trace in (self._parts.executor.run(jobs()) if ids else ())
        )

        def write(chunk: list[Any]) -> int:
            self._project.add_traces(chunk)
            return 0

        return Work(len(ids), "programs", traces, WRITE_TRACES, write)

    def _judging(self) -> Work:
        ids = pending.to_verify_again(
            self._project.database, self._scope, self._selection, self._rounds
        )

        def write(chunk: list[str]) -> int:
            self._judge(self._project.traced(chunk))
            return 0

        return Work(len(ids), "traces", ids, WRITE_TRACES, write)

    def _judge(self, runs: Sequence[Attempt]) -> None:
        """Judge runs, check those that are right for wrong reasons, and tell these in prose."""
        # the checks hold the sandbox, which a run with nothing to judge never starts
        from workbench.pipeline.suspecting import Suspecting

        verdicts = [repairing.judge(self._parts, *run) for run in runs]
        right = [
            run
            for run, verdict in zip(runs, verdicts, strict=True)
            if verdict is not None and verdict.correct
        ]
        if right:
            with Suspecting(self._project) as suspecting:
                suspecting.check(right, self._scope)
        rationales = [repairing.tell(self._parts, *run) for run in right]
        self._project.add_rationales([one for one in rationales if one is not None])
        # last, since a run with a verdict is not looked at again
        self._project.add_verdicts([[verdict] for verdict in verdicts if verdict is not None])


def _of_attempts(attempts: Sequence[Attempt], programs: Iterable[Program]) -> Iterator[Program]:
    """The programs, once each is seen to be written after one of the attempts.

    Raises:
        EngineError: the sampler breaks its promise.
    """
    left = {program.id for _, program, _ in attempts}
    number = 1
    for program in programs:
        if program.parent not in left:
            break
        left.discard(program.parent)
        yield program
        number += 1
    else:
        if not left:
            return
    raise EngineError(
        f"the sampler was given {len(attempts)} programs to write again, and its program "
        f"{number} does not name the earlier one in its place as `parent`, or is missing; this is "
        "a fault of the sampler part"
    )
