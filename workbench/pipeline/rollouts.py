"""The sandbox as an environment of reinforcement learning: a policy writes programs, and is told
what came of them.

`ProgramRollouts` is shared by all rollouts of a training run: it has the executor with its cache,
its counted limits, the verifier and the checks for wrong reasons.  Its method `environment` is what
TRL's `GRPOTrainer` takes as `environment_factory`; each rollout has a `RolloutEnvironment` of its
own, whose `run_program` is the only tool.  What rollouts ask at the same moment is run together.  A
program that fails, loops or asks for too much ends its own run, and its rollout is told so.

    rollouts = ProgramRollouts(executor, verifier, tasks)
    GRPOTrainer(..., environment_factory=rollouts.environment, reward_funcs=rollouts.rewards)

The rows of the trainer's data set have a column `task`, the id of the question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import InputError
from workbench.evidence import FLAGGED
from workbench.execute import Executor
from workbench.pipeline.suspecting import Checking, case_of
from workbench.ports import Verifier
from workbench.records import PartRef, Program, Task, Trace, content_key, storable
from workbench.safe_text import safe

POLICY = PartRef("sampler", "policy")
"""Who wrote the programs of rollouts."""

LONGEST = 500
"""Characters of what a rollout is told of one run."""


@dataclass(frozen=True, slots=True)
class RewardRule:
    """What a rollout's last program is worth."""

    right: float = 1.0
    """The verifier's score is multiplied by this."""
    flagged: float = 0.5
    """Taken from a right answer that the checks call right for the wrong reason."""
    failed: float = 0.0
    """Added where the program gave no answer; at most 0."""


@dataclass(slots=True)
class RolloutEnvironment:
    """One rollout: a question, and the programs that were run for it."""

    _rollouts: ProgramRollouts
    _task: Task | None = None
    _runs: list[tuple[Program, Trace]] = field(default_factory=list)

    def reset(self, **row: Any) -> str:
        """Begin with the question of a row.

        Args:
            row: the data set's columns, of which `task` is the id of a question.

        Returns:
            The question, as the policy reads it.

        Raises:
            InputError: no question has that id.
        """
        self._task, self._runs = self._rollouts._task(row.get("task")), []
        options = f" Options: {'; '.join(self._task.choices)}." if self._task.choices else ""
        number = len(self._task.images)
        about = f" There are {number} pictures: define `execute_command(images)`."
        return f"{self._task.question}{options}{about if number > 1 else ''}"

    async def run_program(self, program: str) -> str:
        """Run a Python program on the picture, and read its answer or its error.

        Args:
            program: Python source that defines `execute_command(image)`.

        Returns:
            What the program answered and printed, or why it failed.
        """
        if self._task is None:
            return "There is no question yet."
        if len(self._runs) >= self._rollouts.programs:
            return f"No program is left: a rollout runs {self._rollouts.programs} at most."
        task, number = self._task, len(self._runs)
        source = storable(str(program))
        name = content_key("rollout", task.id, number, source)
        one = Program(name, task.id, number, source, 0.0, 0, 0, POLICY)
        trace = await self._rollouts._ask(task, one)
        self._runs.append((one, trace))
        return _outcome(trace)


class ProgramRollouts:
    """What the rollouts of a training run share.

    Args:
        executor: runs the programs, within its limits, and remembers what tools said.
        verifier: judges the last program of each rollout.
        tasks: the questions, with labels.
        programs: programs that one rollout may run.
        rule: what they are worth.

    Raises:
        InputError: a question has no label, or a number is out of bounds.
    """

    def __init__(
        self,
        executor: Executor,
        verifier: Verifier,
        tasks: Iterable[Task],
        programs: int = 1,
        rule: RewardRule | None = None,
    ) -> None:
        self.programs = programs
        self.rule = rule or RewardRule()
        if programs < 1:
            raise InputError(f"a rollout runs {programs} programs; give at least 1")
        if self.rule.failed > 0:
            raise InputError("a program without an answer is rewarded; give `failed` 0 or less")
        self._executor, self._verifier = executor, verifier
        self._tasks: Mapping[str, Task] = {task.id: task for task in tasks}
        bare = next((task.id for task in self._tasks.values() if not task.labelled), None)
        if bare is not None:
            raise InputError(
                f"question '{bare}' has no label, so no answer to it can be rewarded; leave it out"
            )
        self._waiting: list[tuple[Task, Program, asyncio.Future[Trace]]] = []
        self._checking = (
            Checking(executor.api.specs, executor.limits) if self.rule.flagged else None
        )
        self.batches: list[int] = []
        """How many programs each batch ran."""

    def close(self) -> None:
        """End the processes of the checks; the executor is the caller's."""
        if self._checking is not None:
            self._checking.__exit__()

    def environment(self) -> RolloutEnvironment:
        """A rollout of its own: TRL's `environment_factory`."""
        return RolloutEnvironment(self)

    def rewards(self, environments: Sequence[RolloutEnvironment], **_: Any) -> list[float]:
        """What each rollout is worth, by its last program: a reward function for TRL.

        Args:
            environments: the rollouts.
        """
        scores = [self._score(one) for one in environments]
        flags = self._flags([one for one, score in zip(environments, scores) if score[1]])
        return [
            score - (self.rule.flagged if id(one) in flags else 0.0)
            for one, (score, _) in zip(environments, scores)
        ]

    def _task(self, name: Any) -> Task:
        task = self._tasks.get(str(name))
        if task is None:
            raise InputError(
                f"no question is called '{safe(str(name), 80)}'; the column `task` of a row "
                f"is the id of one of the {len(self._tasks)} questions"
            )
        return task

    async def _ask(self, task: Task, program: Program) -> Trace:
        """The run of a program, in one batch with all that was asked at the same moment."""
        future: asyncio.Future[Trace] = asyncio.get_running_loop().create_future()
        self._waiting.append((task, program, future))
        await asyncio.sleep(0)  # until all rollouts of this moment have asked
        if self._waiting:
            batch, self._waiting = self._waiting, []
            await self._run(batch)
        return await future

    async def _run(self, batch: list[tuple[Task, Program, asyncio.Future[Trace]]]) -> None:
        self.batches.append(len(batch))
        jobs = [(task, program) for task, program, _ in batch]
        try:
            traces = await asyncio.to_thread(lambda: list(self._executor.run(jobs)))
        except BaseException as error:
            for _, _, future in batch:
                future.set_exception(error)
            return
        for (_, _, future), trace in zip(batch, traces, strict=True):
            future.set_result(trace)

    def _score(self, one: RolloutEnvironment) -> tuple[float, bool]:
        """A rollout's reward before the checks, and whether its answer is right."""
        if one._task is None or not one._runs or not one._runs[-1][1].ok:
            return self.rule.failed, False
        verdict = self._verifier.judge(one._task, one._runs[-1:])[0]
        return self.rule.right * verdict.score, verdict.correct

    def _flags(self, right: Sequence[RolloutEnvironment]) -> set[int]:
        """Which of some right rollouts the checks speak against, by identity."""
        if self._checking is None:
            return set()
        cases = [case_of(one._task, *one._runs[-1], (), ()) for one in right if one._task]
        rows = self._checking.rows(cases, {})
        return {id(one) for one, row in zip(right, rows) if row.suspicion >= FLAGGED}


def _outcome(trace: Trace) -> str:
    """What a rollout is told of a run."""
    if trace.failure is not None:
        where = f" in line {trace.failure.line}" if trace.failure.line else ""
        return f"The program failed{where}: {safe(trace.failure.message, LONGEST)}"
    lines = [str(event.payload.get("text")) for event in trace.events if event.kind == "print"]
    printed = f" It printed: {safe(' '.join(lines), LONGEST)}" if lines else ""
    return f"The program answered: {safe(trace.answer or '', LONGEST)}.{printed}"
