"""One run of the loop by many workers: plan, launch, take in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import EngineError, InputError
from workbench.pipeline.parts import ROLES, Parts
from workbench.pipeline.remembering import ARGUMENT, corrections_of
from workbench.pipeline.units import ray_engine
from workbench.pipeline.units.gather import Gathered, gather
from workbench.pipeline.units.launch import MOST_WORKERS, LocalWorkers, submit
from workbench.pipeline.units.plan import (
    FOLDER,
    MOST_TASKS,
    Unit,
    UnitProfile,
    WorkFolder,
    read_unit,
    units_of,
    write_profile,
    write_unit,
)
from workbench.records import Program, content_key
from workbench.store import STAGES, Project, Scope, Selection
from workbench.store.records import pending

MOST_GPUS = 16
"""Most GPUs of one worker."""
_PROGRAM_STAGES = ("sample", "execute", "verify", "rationalize")


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the units of a run."""

    number: int
    sbatch: str | None = None
    """Command that submits an array of jobs; None takes processes on this machine."""
    ray: str | None = None
    """Address of a Ray cluster, `auto`, or `local` for a new one; None takes none."""
    gpus: float = 0.0
    """Share of a GPU that each worker on Ray takes."""
    unit: int = MOST_TASKS
    """Most questions of a unit."""

    def __post_init__(self) -> None:
        if not 1 <= self.number <= MOST_WORKERS:
            raise InputError(f"workers must be 1 to {MOST_WORKERS}, found {self.number}")
        if not 1 <= self.unit <= MOST_TASKS:
            raise InputError(f"a unit has 1 to {MOST_TASKS} questions, found {self.unit}")
        if not 0 <= self.gpus <= MOST_GPUS or (self.gpus > 1 and self.gpus % 1):
            raise InputError(
                f"a worker takes a share of one GPU or up to {MOST_GPUS} whole ones, found "
                f"{self.gpus:g}"
            )
        if self.ray is not None:
            ray_engine.ray_package()


@dataclass(slots=True)
class Spread:
    """What many workers are to do of one run.

    Args:
        project: open for writing.
        parts: of the run.
        scope: gives the number of programs of a question and the seed.
        selection: the questions.
        stages: of the run, in their order.
        run: its number.
    """

    project: Project
    parts: Parts
    scope: Scope
    selection: Selection
    stages: Sequence[str]
    run: int

    @property
    def folder(self) -> WorkFolder:
        return WorkFolder(self.project.path / FOLDER)

    def take_in(self) -> Gathered:
        """Take in what workers have made so far."""
        return gather(self.project, self.folder, self.run)

    def plan(self, workers: Workers) -> list[str]:
        """Write the units that are missing; returns the keys of all that are to be done.

        Units of an earlier plan that are still to be done stay as they are, as a worker may be at
        them.
        """
        shared = UnitProfile(
            self.parts.profile,
            corrections_of(self.project)
            if ARGUMENT in self.parts.profile.sampler.arguments
            else (),
        )
        profile = write_profile(self.folder, shared)
        keys: list[str] = []
        for stages, ids, programs in self._missing():
            roles = [ROLES[stage] for stage in stages]
            refs = {role: content_key(getattr(self.parts, role).ref) for role in roles}
            like = Unit(stages, self.scope.k, self.scope.seed, profile, refs, (), programs)
            old, covered = self._earlier(like, set(ids))
            fresh = [id for id in ids if id not in covered]
            size = max(1, min(workers.unit, -(-len(fresh) // workers.number)))
            tasks = self.project.tasks(fresh)
            keys += old + [write_unit(self.folder, unit) for unit in units_of(like, tasks, size)]
        for key in set(self.folder.present()) - set(keys):
            self.folder.drop(key)  # of another profile, or done meanwhile in another way
        for key in keys:
            self.folder.failure(key).unlink(missing_ok=True)
        return keys

    def _missing(self) -> list[tuple[tuple[str, ...], list[str], tuple[Program, ...]]]:
        """Stages, each with the questions for which they are to be done as a whole, and with the
        programs of these questions where they are there.
        """
        roles = [ROLES[stage] for stage in ("sample", "execute", "predict") if stage in self.stages]
        keys: dict[str, Any] = {role: content_key(getattr(self.parts, role).ref) for role in roles}
        # the run itself names a part once its stage begins
        of = (self.project.database, replace(self.scope, **keys), self.selection)
        missing: list[tuple[tuple[str, ...], list[str], tuple[Program, ...]]] = []
        if "sample" in self.stages:
            begin = tuple(stage for stage in _PROGRAM_STAGES if stage in self.stages)
            missing.append((begin, pending.to_begin(*of), ()))
        if "execute" in self.stages:
            jobs = self.project.jobs(pending.to_run_whole(*of))
            ids = list(dict.fromkeys(task.id for task, _ in jobs))
            missing.append((begin[1:], ids, tuple(program for _, program in jobs)))
        if "predict" in self.stages:
            missing.append((("predict",), pending.to_predict(*of), ()))
        return [one for one in missing if one[1]]

    def _earlier(self, like: Unit, ids: set[str]) -> tuple[list[str], set[str]]:
        """Keys of the units of an earlier plan that differ from one in their questions alone, all
        of which are missing; and these questions.
        """
        keys: list[str] = []
        covered: set[str] = set()
        for key in self.folder.present():
            try:
                unit = read_unit(self.folder.unit(key))
            except InputError:
                continue  # one that was changed, which is planned anew
            own = {task.id for task in unit.tasks}
            if _kind(unit) == _kind(like) and own <= ids and not own & covered:
                keys.append(key)
                covered |= own
        return keys, covered

    def here(self, keys: Sequence[str], workers: Workers, tell: Callable[[int], None]) -> Gathered:
        """Do units by processes here or actors of Ray, and take in what they make as it comes.

        Args:
            keys: of the units.
            workers: how many.
            tell: called with the number of units that are done.

        Raises:
            EngineError: some were given up; all others are taken in.
        """
        whole = Gathered()

        def look() -> None:
            part = self.take_in()
            whole.units += part.units
            whole.rows += part.rows
            whole.notes += part.notes
            for stage, cost in part.costs.items():
                whole.add(stage, cost)
            if part.units:
                tell(len(whole.units))

        local = LocalWorkers(self.folder, workers.number)
        if workers.ray is not None:
            # one process, which hands the units on to as many actors
            words = (str(workers.number), workers.ray, str(workers.gpus))
            local = LocalWorkers(self.folder, 1, ray_engine.MODULE, words)
        local.run(keys, look)
        if local.problems:
            first = next(iter(local.problems))
            raise EngineError(
                f"{len(local.problems)} of {len(keys)} units did not come to an end, for example "
                f"{first}: {local.problems[first]}; the others are taken in, run again to go on"
            )
        return whole

    def elsewhere(self, keys: Sequence[str], workers: Workers) -> str:
        """Submit units as an array of jobs; returns what happens next, in a sentence."""
        job = submit(self.folder, keys, workers.number, workers.sbatch or "")
        return (
            f"{len(keys)} units were submitted as array {job}; when jobs have ended, the same "
            "command takes in what they made and submits what is missing"
        )


def _kind(unit: Unit) -> tuple[Any, ...]:
    return unit.stages, unit.k, unit.seed, unit.profile, dict(unit.parts)


def stages_upto(upto: str) -> tuple[str, ...]:
    """The stages of the loop that workers can do, as far as one."""
    return STAGES[1 : STAGES.index(upto) + 1]
