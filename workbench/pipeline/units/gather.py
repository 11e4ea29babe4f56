"""The owner takes shards in: what they hold goes into the store, and their units are done."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import InputError
from workbench.pipeline.grouping import batches
from workbench.pipeline.parts import ROLES
from workbench.pipeline.units.plan import WorkFolder
from workbench.pipeline.units.shard import Shard, StageCost, read_shard
from workbench.pipeline.units.worker import by_task
from workbench.records import Prediction, Program, Rationale, Trace, Verdict, content_key
from workbench.store import CheckRow, Project, checks
from workbench.store.reading.evidence import evidence
from workbench.store.records import loop_runs
from workbench.store.records.pending import stored_programs
from workbench.usage import Usage

BATCH = 256
"""Records written in one transaction."""


@dataclass(slots=True)
class Gathered:
    """What was taken in."""

    units: list[str] = field(default_factory=list)
    rows: int = 0
    """Records that were new."""
    costs: dict[str, StageCost] = field(default_factory=dict)
    """By stage, of the units that brought anything new."""
    notes: list[str] = field(default_factory=list)
    """What was left out and why, in sentences."""

    def add(self, stage: str, cost: StageCost) -> None:
        """Add what a stage took."""
        before = self.costs.get(stage, StageCost(0, 0.0))
        self.costs[stage] = StageCost(
            before.rows + cost.rows, before.seconds + cost.seconds, before.usage + cost.usage
        )


def gather(project: Project, folder: WorkFolder, run: int) -> Gathered:
    """Take in the shards that are there, each with its unit.

    Args:
        project: open for writing.
        folder: its folder of work.
        run: number of the run that is charged with the costs.
    """
    result = Gathered()
    for path in sorted(folder.shards.glob("*.parquet")):
        try:
            shard = read_shard(path)
        except InputError as error:
            result.notes.append(f"{error}")
            path.unlink(missing_ok=True)
            continue
        intake = _Intake(project, shard, run)
        intake.write()
        if intake.changed:
            result.notes.append(
                f"{len(intake.changed)} questions were corrected after their unit was planned, for "
                f"example {intake.changed[0]}; they are judged again"
            )
        if intake.rows:  # work that was done twice is charged once
            _charge(project, run, shard, intake.parts, result)
        result.rows += intake.rows
        result.units.append(shard.unit)
        # last: whatever ends this before, the shard is taken in again, and changes nothing
        folder.drop(path.stem)
    return result


class _Intake:
    """Writes the records of a shard.

    Args:
        project: open for writing.
        shard: what a worker made.
        run: number of the run, which has the shard's parts from now on.
    """

    def __init__(self, project: Project, shard: Shard, run: int) -> None:
        self.rows = 0
        """Records that were new."""
        self.parts: dict[str, str] = {}
        """Key of the part of each stage."""
        self._project, self._shard, self._run = project, shard, run
        self._tasks = {task.id: content_key(task) for task in project.tasks(list(shard.contents))}
        self.changed = sorted(
            id for id, content in shard.contents.items() if self._tasks.get(id) != content
        )
        """Questions that are others than the worker saw."""

    def write(self) -> None:
        """Write all that is as it was when the unit was planned."""
        project, seed = self._project, self._shard.seed
        programs = self._of(Program, self._tasks.keys())
        self._add("sample", "sampler", programs, lambda some: project.add_programs(some, seed))
        present = stored_programs(project.database, [program.id for program in programs])
        # where another program of a place was there first, nothing follows from this one
        late = {program.task_id for program in programs if program.id not in present}
        here = self._tasks.keys() - late
        self._add("execute", "executor", self._of(Trace, here), project.add_traces)
        good = here - set(self.changed)
        verdicts = self._of(Verdict, good)
        checks.add(project.database, self._of(CheckRow, good))
        self._add(
            "verify",
            "verifier",
            verdicts,
            lambda _: project.add_verdicts(list(by_task(verdicts).values())),
            len(verdicts),
        )
        # whoever asks first would wait for all of it otherwise
        evidence(project.database, [one.trace_id for one in verdicts if one.chosen])
        self._add("rationalize", "writer", self._of(Rationale, good), project.add_rationales)
        self._add("predict", "model", self._of(Prediction, good), project.add_predictions)

    def _of(self, kind: type[Any], tasks: Set[str]) -> list[Any]:
        """The records of a kind about some questions."""
        return [record for record in self._shard.of(kind) if record.task_id in tasks]

    def _add(
        self,
        stage: str,
        role: str,
        records: Sequence[Any],
        add: Callable[[Sequence[Any]], int],
        size: int = BATCH,
    ) -> None:
        """Write what a stage made.

        Args:
            stage: its name.
            role: field of the records that names the part.
            records: what it made.
            add: writes some of them; returns how many were new.
            size: records that are written at once.
        """
        for chunk in batches(records, max(size, 1)):
            self.rows += add(chunk)
        for record in records[:1]:
            ref = getattr(record, role)
            self.parts[stage] = self._project.set_part(self._run, ROLES[stage], ref)


def _charge(
    project: Project, run: int, shard: Shard, parts: dict[str, str], result: Gathered
) -> None:
    """Note what the stages of a shard took.

    Args:
        project: open for writing.
        run: number of the run.
        shard: what was taken in.
        parts: key of the part of each stage.
        result: gets the costs too.
    """
    for stage, cost in shard.costs.items():
        part = parts.get(stage)
        project.add_timing(run, stage, part, cost.rows, cost.seconds)
        if cost.usage != Usage():
            loop_runs.add_usage(project.database, run, stage, part, cost.usage)
        result.add(stage, cost)
