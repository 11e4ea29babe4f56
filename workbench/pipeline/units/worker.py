"""Does units: reads a unit and its pictures, and writes one shard; it opens no store.

A unit that fails says why in a file, and the next one is begun.  Programs and predictions, which
endpoints are paid for, are kept from time to time, so that a unit that is begun again goes on from
there.  `python -m workbench.pipeline.units.worker LIST [CACHE]` does the units of a list.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from workbench import trust
from workbench.errors import InputError, WorkbenchError
from workbench.images import ImageFolder
from workbench.pipeline.grouping import batches, programs_of
from workbench.pipeline.parts import Parts
from workbench.pipeline.predicting import predictions_of
from workbench.pipeline.suspecting import Checking, specs_of_parts
from workbench.pipeline.units.plan import (
    Unit,
    WorkFolder,
    read_profile_of,
    read_unit,
    write_whole,
)
from workbench.pipeline.units.shard import (
    Record,
    Shard,
    StageCost,
    as_stored,
    read_shard,
    write_shard,
)
from workbench.ports import ListeningVerifier
from workbench.records import Prediction, Program, Task, Trace, Verdict, content_key, storable
from workbench.store.records.rows import evidence_in
from workbench.unanswered import with_reason
from workbench.usage import total

T = TypeVar("T")

CHUNK = 64
"""Questions, or traces, that a part without a pool gets at once."""
SAVE_SECONDS = 5.0
"""Seconds between two times that what was paid for is kept."""

Runs = list[tuple[Task, list[tuple[Program, Trace]]]]


def work(
    paths: Iterable[Path], cache: Path | None = None, tell: Callable[[str], None] = print
) -> int:
    """Do units, one after the other; returns how many failed.

    A unit whose shard is there is done.  A unit that fails leaves its reason in a file.

    Args:
        paths: files of units.
        cache: file of tool results; the project's own where None.
        tell: gets a sentence for each unit.

    Raises:
        InputError: a file holds no unit.
    """
    with UnitRunner(cache, tell) as runner:
        return sum(not runner.do(path) for path in paths)


class UnitRunner:
    """Does units, and keeps the models that they need from one to the next.

    Args:
        cache: file of tool results; the project's own where None.
        tell: gets a sentence for each unit.
    """

    def __init__(self, cache: Path | None, tell: Callable[[str], None]) -> None:
        self._parts, self._tell = _Parts(cache), tell

    def __enter__(self) -> UnitRunner:
        return self

    def __exit__(self, *reason: object) -> None:
        self._parts.__exit__(*reason)

    def do(self, path: Path) -> bool:
        """Do a unit; tells whether its shard is there now, and a file says why where it is not.

        Raises:
            InputError: the file holds no unit.
        """
        folder = WorkFolder(path.absolute().parent.parent)
        if folder.shard(path.stem).is_file():
            self._tell(f"{path.stem}: done already")
            return True
        unit = read_unit(path)
        try:
            shard = _Worker(folder, unit, self._parts.of(folder, unit)).run()
            write_shard(folder.shard(unit.key), shard)
        except Exception as error:
            # a bad unit ends itself: its questions are tried again, and others go on
            reason = str(error)
            if not isinstance(error, WorkbenchError):
                traceback.print_exc()
                reason = f"a fault of the workbench or of a part: {type(error).__name__}: {error}"
            write_whole(folder.failure(unit.key), storable(reason).encode())
            self._tell(f"{unit.key}: failed: {reason}")
            return False
        folder.failure(unit.key).unlink(missing_ok=True)
        folder.partial(unit.key).unlink(missing_ok=True)
        self._tell(f"{unit.key}: {len(unit.tasks)} questions, {len(shard.records)} records")
        return True


class _Parts:
    """The parts of the profile at hand; models stay loaded from unit to unit."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._key: tuple[Path, str] | None = None
        self._parts: Parts | None = None

    def __enter__(self) -> _Parts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._parts is not None:
            self._parts.close()

    def of(self, folder: WorkFolder, unit: Unit) -> Parts:
        """The parts that a unit is done with.

        Raises:
            InputError: they are not those that it was planned for.
        """
        if self._parts is None or self._key != (folder.root, unit.profile):
            self.__exit__()
            shared = read_profile_of(folder, unit.profile)
            profile = trust.checked_profile(folder.project, shared.profile)
            self._parts = Parts(
                profile,
                ImageFolder(folder.project / "images"),
                self._cache or folder.project / "cache" / "tools.sqlite",
                shared.corrections,
            )
            self._key = folder.root, unit.profile
        for role, key in unit.parts.items():
            ref = getattr(self._parts, role).ref
            if content_key(ref) != key:
                raise InputError(
                    f"the {role} '{ref.name}' is another one here than where the unit was planned: "
                    f"found version {ref.version}; install the same workbench and models, or plan "
                    "the units again"
                )
        return self._parts


@dataclass(slots=True)
class _Worker:
    """One unit being done."""

    folder: WorkFolder
    unit: Unit
    parts: Parts
    records: list[Record] = field(default_factory=list)
    costs: dict[str, StageCost] = field(default_factory=dict)

    def run(self) -> Shard:
        self.parts.build(self.unit.stages)
        programs = list(self.unit.programs)
        runs: Runs = []
        judged: list[Sequence[Verdict]] = []
        for stage in self.unit.stages:
            started, before = time.perf_counter(), total(self.parts.of_stage(stage))
            rows = len(self.records)
            if stage == "sample":
                programs = self._sample()
            elif stage == "execute":
                runs = self._execute(programs)
            elif stage == "verify":
                judged = self._verify(runs)
            elif stage == "rationalize":
                self._rationalize(runs, judged)
            else:
                self._predict()
            usage = total(self.parts.of_stage(stage)) - before
            seconds = time.perf_counter() - started
            self.costs[stage] = StageCost(len(self.records) - rows, seconds, usage)
        return self._shard(self.records)

    def _shard(self, records: Sequence[Record]) -> Shard:
        unit = self.unit
        return Shard(unit.key, unit.seed, unit.contents, records, self.costs)

    def _sample(self) -> list[Program]:
        k = self.unit.k
        earlier = by_task(self._earlier(Program))
        whole = {id for id, programs in earlier.items() if len(programs) == k}
        missing = [task for task in self.unit.tasks if task.id not in whole]
        groups = programs_of(self.parts.sampler, batches(missing, CHUNK), k, self.unit.seed)
        fresh = self._keeping(
            (program for group in groups for program in group),
            [program for id in whole for program in earlier[id]],
        )
        sampled = by_task(as_stored(program) for program in fresh)
        # in the order of the questions, however they came
        self.records += (programs := [p for task in self.unit.tasks for p in sampled[task.id]])
        return programs

    def _execute(self, programs: Sequence[Program]) -> Runs:
        tasks = {task.id: task for task in self.unit.tasks}
        problems = {program.id: program.problem for program in programs if program.problem}
        executor = self.parts.executor
        jobs = ((tasks[program.task_id], program) for program in programs)
        traces = [
            with_reason(trace, problems.get(trace.program_id)) for trace in executor.run(jobs)
        ]
        self.records += traces
        runs = by_task(
            (program, self._with_evidence(tasks[trace.task_id], program, trace))
            for program, trace in zip(programs, traces, strict=True)
        )
        return [(task, runs[task.id]) for task in self.unit.tasks]

    @staticmethod
    def _with_evidence(task: Task, program: Program, trace: Trace) -> Trace:
        """A trace as the store would give it back, so that it is judged as it would be there."""
        evidence: Any = evidence_in(trace, program.source, task.choices) or None
        return replace(as_stored(trace), evidence=evidence)

    def _verify(self, runs: Runs) -> list[Sequence[Verdict]]:
        verifier = self.parts.verifier
        judged = [(task, own, verifier.judge(task, own)) for task, own in runs]
        verdicts: list[Sequence[Verdict]] = [group for _, _, group in judged]
        if isinstance(verifier, ListeningVerifier) and verifier.listens:
            limits = self.parts.executor.limits
            with Checking(specs_of_parts(self.parts), limits) as checking:
                verdicts, checks = checking.choose(verifier, judged)
            self.records += checks
        self.records += [verdict for group in verdicts for verdict in group]
        return verdicts

    def _rationalize(self, runs: Runs, judged: Sequence[Sequence[Verdict]]) -> None:
        kept = [
            (task, program, trace)
            for (task, own), verdicts in zip(runs, judged, strict=True)
            for (program, trace), verdict in zip(own, verdicts, strict=True)
            if verdict.chosen
        ]
        for chunk in batches(kept, CHUNK):
            self.records += self.parts.writer.write(chunk)

    def _predict(self) -> None:
        earlier = {one.task_id: one for one in self._earlier(Prediction)}
        missing = [task for task in self.unit.tasks if task.id not in earlier]
        answers = predictions_of(self.parts.student, batches(missing, CHUNK), self.parts.images)
        self.records += self._keeping(answers, list(earlier.values()))

    def _earlier(self, kind: type[T]) -> list[T]:
        """What a worker that was stopped had made of this unit."""
        try:
            return read_shard(self.folder.partial(self.unit.key)).of(kind)
        except InputError:
            return []  # none, or one that cannot be read: it is made again

    def _keeping(self, items: Iterable[Any], earlier: list[Any]) -> list[Any]:
        """All items behind the earlier ones, kept from time to time and where something breaks."""
        items_so_far = [*earlier]
        since = time.monotonic()

        def keep() -> None:
            if len(items_so_far) > len(earlier):
                write_shard(self.folder.partial(self.unit.key), self._shard(items_so_far))

        try:
            for item in items:
                items_so_far.append(item)
                if time.monotonic() - since > SAVE_SECONDS:
                    keep()
                    since = time.monotonic()
        finally:
            keep()
        return items_so_far


def main(words: Sequence[str]) -> int:
    """Do the units of a list, a path in each line; the exit code is 1 where one failed.

    Args:
        words: path of the list, and of a file of tool results where it is not the project's own.
    """
    for name in (signal.SIGINT, signal.SIGTERM):
        # a shell's background process, and all that it starts, would not hear them
        signal.signal(name, signal.default_int_handler)
    listing = map(Path, Path(words[0]).read_text(encoding="utf-8").splitlines())
    # a unit that is gone was taken in since the list was written: another worker did it
    paths = (path for path in listing if path.is_file())
    cache = Path(words[1]) if len(words) > 1 else None
    return 1 if work(paths, cache, lambda text: print(text, flush=True)) else 0


def by_task(items: Iterable[Any]) -> dict[str, list[Any]]:
    """Records, or pairs that begin with one, by question."""
    groups: dict[str, list[Any]] = {}
    for item in items:
        record = item[0] if isinstance(item, tuple) else item
        groups.setdefault(record.task_id, []).append(item)
    return groups


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
