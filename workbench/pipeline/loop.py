"""The loop over a project: each stage takes what is missing from the store and adds what it makes.

Nothing is kept in memory between batches and each batch is written at once, so a run can be stopped
anywhere and started again; a run with nothing to do does nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.errors import InputError
from workbench.pipeline import importing, writing_again
from workbench.pipeline.grouping import batches, programs_of
from workbench.pipeline.parts import Parts
from workbench.pipeline.predicting import predictions_of
from workbench.pipeline.progress import Done, Progress, Summary, Watch
from workbench.pipeline.remembering import corrections_of
from workbench.pipeline.report import report
from workbench.pipeline.units.gather import Gathered
from workbench.pipeline.units.spread import Spread, Workers, stages_upto
from workbench.ports import ListeningVerifier
from workbench.records import PartRef, Prediction, Program, Task, Verdict
from workbench.settings import Profile
from workbench.store import (
    STAGES,
    Project,
    Scope,
    Selection,
)
from workbench.store.reading.evidence import keep_derived
from workbench.store.records import loop_runs, pending
from workbench.unanswered import with_reason
from workbench.usage import Usage, total

if TYPE_CHECKING:
    from workbench.pipeline.suspecting import JudgedTask

try:
    import resource
except ImportError:  # Windows has no such module; memory is then not reported
    resource = None  # type: ignore[assignment]

T = TypeVar("T")

SAMPLE_TASKS = 64
"""Tasks handed to the sampler at once."""
WRITE_TRACES = 64
"""Traces written together, or fewer when `WRITE_SECONDS` have passed."""
WRITE_SECONDS = 2.0
VERIFY_TASKS = 64
WRITE_RATIONALES = 64
PREDICT_TASKS = 32


def run(
    project: Project,
    limit: int | None = None,
    k: int | None = None,
    upto: str = "predict",
    progress: Watch | None = None,
    *,
    split: str | None = None,
    source: str | None = None,
    parts: Parts | None = None,
    repair: int | None = None,
    profile: Profile | None = None,
    workers: Workers | None = None,
) -> Summary:
    """Bring the first `limit` tasks of a project as far as `upto`.

    Args:
        limit: tasks, in order of import; None takes all.
        k: programs per task; the profile's when None.
        upto: last stage, one of `STAGES`.
        progress: called as the work goes on.
        split: only tasks of this split.
        source: only tasks of this source (`Task.source`).
        parts: built ones to use instead of the profile's.
        repair: times that a program is written again while it fails or ends with an empty answer;
            the profile's when None.
        profile: to use instead of the project's.
        workers: who does the work; this process alone when None.

    Raises:
        InputError: an unknown stage, a number out of range, or a project without tasks.
        EngineError: a model or endpoint broke; what was finished is written, run again to go on.
    """
    if upto not in STAGES:
        raise InputError(f"no stage is called '{upto}'; there are: {', '.join(STAGES)}")
    if limit is not None and limit < 0:
        raise InputError(f"limit must be 0 or more, found {limit}")
    if k is not None and not 1 <= k <= 100:
        raise InputError(f"k must be 1 to 100, found {k}")
    if repair is not None and not 0 <= repair <= writing_again.MOST_ROUNDS:
        raise InputError(f"repair must be 0 to {writing_again.MOST_ROUNDS}, found {repair}")
    if parts is None:
        with Parts(
            profile or project.profile(),
            project.images,
            project.path / "cache" / "tools.sqlite",
            corrections_of(project),
        ) as own:
            return run(
                project,
                limit,
                k,
                upto,
                progress,
                split=split,
                source=source,
                parts=own,
                repair=repair,
                workers=workers,
            )
    scope = Scope(k=k or parts.profile.k, seed=parts.profile.seed)
    selection = Selection(split, limit, source)
    rounds = parts.profile.repair if repair is None else repair
    return _Loop(project, parts, selection, scope, progress, rounds, workers).run(upto)


@dataclass(slots=True)
class _Loop:
    project: Project
    parts: Parts
    selection: Selection
    scope: Scope
    progress: Watch | None
    rounds: int = 0
    """Times that a program is written again."""
    workers: Workers | None = None
    number: int = 0
    done: dict[str, Done] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    metered: dict[str, Usage] = field(default_factory=dict)
    """By stage, what its endpoints had been asked before the run."""
    by_workers: dict[str, Done] = field(default_factory=dict)
    """By stage, what workers did."""

    def run(self, upto: str) -> Summary:
        # Every part is built before any work: a wrong name in the profile shows now, not after an
        # hour of sampling.
        # Workers load their own models, so that this process only needs to know which they are.
        self.parts.build(STAGES[: STAGES.index(upto) + 1], warm=self.workers is None)
        self.number = self.project.start_run(self.scope, self.selection, upto)
        stages = {
            "import": self._import,
            "sample": self._sample,
            "execute": self._execute,
            "verify": self._verify,
            "rationalize": self._rationalize,
            "predict": self._predict,
        }
        try:
            for stage in STAGES[: STAGES.index(upto) + 1]:
                self.done[stage] = Done(0, 0.0)
                self.metered[stage] = total(self.parts.of_stage(stage))
                stages[stage]()
                if stage == "import":
                    if self.project.count_tasks(self.selection.split) == 0:
                        raise InputError(importing.no_tasks(self.project, self.selection.split))
                    if not self._spread(stages_upto(upto)):
                        break
        finally:
            self.project.end_run(self.number, peak_rss())
        for stage, done in self.by_workers.items():
            own = self.done.get(stage, Done(0, 0.0))
            self.done[stage] = own.plus(done.rows, done.seconds, done.usage)
        return Summary(
            self.number, self.done, tuple(self.notes), report(self.project, None, self.selection)
        )

    def _spread(self, stages: Sequence[str]) -> bool:
        """Let workers do what they can, and take in what they made; returns whether the rest of the
        run follows now.
        """
        spread = Spread(self.project, self.parts, self.scope, self.selection, stages, self.number)
        self._take(spread.take_in())
        if self.workers is None or not (keys := spread.plan(self.workers)):
            return True
        if self.workers.sbatch is not None:
            self.notes.append(spread.elsewhere(keys, self.workers))
            return False
        self._tell("units", 0, len(keys), "units")
        self._take(
            spread.here(
                keys, self.workers, lambda done: self._tell("units", done, len(keys), "units")
            )
        )
        return True

    def _take(self, part: Gathered) -> None:
        """Count what workers made among what this run did."""
        self.notes += part.notes
        for stage, cost in part.costs.items():
            self.by_workers[stage] = self.by_workers.get(stage, Done(0, 0.0)).plus(
                cost.rows, cost.seconds, cost.usage
            )

    # --- the stages

    def _import(self) -> None:
        split, limit = self.selection.split, self.selection.limit
        for selection in importing.missing(self.project, split, limit):
            choice = selection.choice
            started = time.perf_counter()
            self._tell("import", 0, limit or 0, "tasks")

            def on_rows(rows: int, expected: int) -> None:
                self._tell("import", rows, expected, "tasks")

            result = importing.import_tasks(
                self.project, choice, selection.split, limit, on_rows, selection.limit
            )
            self._count("import", None, result.added, time.perf_counter() - started)
            if result.bad:
                self.notes.append(
                    f"{result.bad} rows of {choice.part} were left out; see the table bad_row"
                )
            if result.changed:
                self.notes.append(
                    f"{len(result.changed)} tasks of {choice.part} differ from those imported "
                    f"before and were left as they are, for example {result.changed[0]}"
                )

        short = limit is not None and self.project.count_tasks(split) < limit
        if short and (bounds := importing.bounds(self.project)):
            self.notes.append(f"the project takes only {bounds}; take more with: vpd import")

    def _sample(self) -> None:
        sampler = self.parts.sampler
        if self.parts.memory_is_empty:
            self.notes.append(
                "the memory is empty: no program was corrected on a question that is not for "
                "evaluation; programs are sampled as without it (correct one: Step, or p in Curate)"
            )
        key = self._role("sampler", sampler.ref)
        ids = pending.to_sample(self.project.database, self.scope, self.selection)

        def samples() -> Iterator[list[Program]]:
            chunks = (self.project.tasks(chunk) for chunk in batches(ids, SAMPLE_TASKS))
            return programs_of(sampler, chunks, self.scope.k, self.scope.seed)

        self._stream(
            "sample",
            key,
            len(ids),
            "tasks",
            samples(),
            SAMPLE_TASKS,
            lambda groups: self.project.add_programs(
                [p for group in groups for p in group], self.scope.seed
            ),
        )

    def _execute(self) -> None:
        executor = self.parts.executor
        key = self._role("executor", executor.ref)
        ids = pending.to_execute(self.project.database, self.scope, self.selection)

        problems: dict[str, str] = {}

        def jobs() -> Iterator[tuple[Task, Program]]:
            for chunk in batches(ids, WRITE_TRACES):
                for task, program in self.project.jobs(chunk):
                    if program.problem:
                        problems[program.id] = program.problem
                    yield task, program

        self._stream(
            "execute",
            key,
            len(ids),
            "programs",
            (
                with_reason(trace, problems.get(trace.program_id))
                for trace in (executor.run(jobs()) if ids else ())
            ),
            WRITE_TRACES,
            self.project.add_traces,
        )
        left = len(pending.to_execute(self.project.database, self.scope, self.selection))
        if left:
            self.notes.append(
                f"{left} programs broke for reasons outside them (infra); the next run tries them "
                "again"
            )

    def _verify(self) -> None:
        verifier = self.parts.verifier
        key = self._role("verifier", verifier.ref)
        ids = pending.to_verify(self.project.database, self.scope, self.selection)

        def groups() -> Iterator[list[JudgedTask]]:
            for chunk in batches(ids, VERIFY_TASKS):
                yield [
                    (task, runs, verifier.judge(task, runs))
                    for task, runs in self.project.runs(chunk, self.scope)
                ]

        def judged() -> Iterator[Sequence[Any]]:
            if not isinstance(verifier, ListeningVerifier) or not verifier.listens:
                for group in groups():
                    yield from (verdicts for _, _, verdicts in group)
                    self._keep_evidence(group, [verdicts for _, _, verdicts in group])
                return
            # its room holds the sandbox, which most commands never start
            from workbench.pipeline.suspecting import Suspecting

            with Suspecting(self.project) as suspecting:
                for group in groups():
                    chosen = suspecting.choose(verifier, group)
                    yield from chosen
                    self._keep_evidence(group, chosen)

        self._stream(
            "verify", key, len(ids), "tasks", judged(), VERIFY_TASKS, self.project.add_verdicts
        )
        if self.rounds:
            self._repair()

    def _keep_evidence(
        self, group: Sequence[JudgedTask], judged: Iterable[Sequence[Verdict]]
    ) -> None:
        """Derive what the kept runs rest on, and keep it with what else was looked at.

        Whoever asks first would wait for all of it otherwise.

        Args:
            group: questions with their runs.
            judged: the verdicts on each.
        """
        kept = {one.trace_id for verdicts in judged for one in verdicts if one.chosen}
        traces = [trace for _, runs, _ in group for _, trace in runs]
        for trace in traces:
            if trace.id in kept:
                _ = trace.evidence
        keep_derived(self.project.database, traces)

    def _repair(self) -> None:
        self.done["repair"] = Done(0, 0.0)
        self.metered["repair"] = total(self.parts.of_stage("repair"))
        again = writing_again.WritingAgain(
            self.project, self.parts, self.scope, self.selection, self.rounds
        )
        for work in again.work():
            self._stream(
                "repair",
                self.scope.sampler or "",
                work.total,
                work.unit,
                work.items,
                work.size,
                work.write,
            )
        if left := again.left():
            self.notes.append(
                f"{left} programs that were written again broke for reasons outside them (infra); "
                "the next run tries them again"
            )

    def _rationalize(self) -> None:
        writer = self.parts.writer
        key = self._role("writer", writer.ref)
        ids = pending.to_rationalize(self.project.database, self.scope, self.selection)

        def rationales() -> Iterator[Any]:
            for chunk in batches(ids, WRITE_RATIONALES):
                yield from writer.write(self.project.traced(chunk))

        self._stream(
            "rationalize",
            key,
            len(ids),
            "traces",
            rationales(),
            WRITE_RATIONALES,
            self.project.add_rationales,
        )

    def _predict(self) -> None:
        student = self.parts.student
        key = self._role("student", student.ref)
        ids = pending.to_predict(self.project.database, self.scope, self.selection)

        problems: list[Prediction] = []
        cut: list[Prediction] = []

        def answers() -> Iterator[Prediction]:
            chunks = (self.project.tasks(chunk) for chunk in batches(ids, PREDICT_TASKS))
            for prediction in predictions_of(student, chunks, self.parts.images):
                if prediction.problem:
                    (problems if prediction.missing else cut).append(prediction)
                yield prediction

        self._stream(
            "predict",
            key,
            len(ids),
            "tasks",
            answers(),
            PREDICT_TASKS,
            self.project.add_predictions,
        )
        if problems:
            self.notes.append(
                "questions that the student could not answer, which count as wrong: "
                f"{len(problems)}; for example {problems[0].task_id}: {problems[0].problem}"
            )
        if cut:
            self.notes.append(
                f"answers of the student that are not whole: {len(cut)}; for example "
                f"{cut[0].task_id}: {cut[0].problem}"
            )

    # --- what every stage needs

    def _role(self, role: str, ref: PartRef) -> str:
        key = self.project.set_part(self.number, role, ref)
        changed: dict[str, Any] = {role: key}
        self.scope = replace(self.scope, **changed)
        return key

    def _stream(
        self,
        stage: str,
        part: str,
        total: int,
        unit: str,
        items: Iterable[T],
        size: int,
        write: Callable[[list[T]], int],
    ) -> None:
        """Write items, `size` at a time or every few seconds.

        What was finished before something broke is written too.
        """
        if not total:
            return
        buffer: list[T] = []
        done, started = 0, time.perf_counter()
        self._tell(stage, 0, total, unit)

        def flush() -> None:
            nonlocal started
            rows = write(buffer) if buffer else 0
            buffer.clear()
            ended = time.perf_counter()
            self._count(stage, part, rows, ended - started)
            started = ended

        try:
            for item in items:
                buffer.append(item)
                done += 1
                self._tell(stage, done, total, unit)
                if len(buffer) >= size or time.perf_counter() - started > WRITE_SECONDS:
                    flush()
        finally:  # what was paid for is written, be it a row or the bill alone
            if buffer or self._usage(stage) != self.done[stage].usage:
                flush()

    def _count(self, stage: str, part: str | None, rows: int, seconds: float) -> None:
        self.project.add_timing(self.number, stage, part, rows, seconds)
        before = self.done[stage]
        usage = self._usage(stage)
        if usage != before.usage:
            since = usage - before.usage
            loop_runs.add_usage(self.project.database, self.number, stage, part, since)
        self.done[stage] = Done(before.rows + rows, before.seconds + seconds, usage)

    def _usage(self, stage: str) -> Usage:
        """What the endpoints of a stage were asked since the run began."""
        metered = self.parts.of_stage(stage)
        return total(metered) - self.metered.setdefault(stage, Usage())

    def _tell(self, stage: str, done: int, total: int, unit: str) -> None:
        if self.progress is not None:
            self.progress(Progress(stage, done, max(total, done), unit))


def peak_rss() -> int:
    """Most memory of this process so far, in bytes; 0 where it is unknown.

    The workers of the sandbox are not in it.  They take some megabytes each, and the system counts
    the memory of whoever forks a process as that process's own.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError, ValueError):  # not Linux
        if resource is None:
            return 0
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
