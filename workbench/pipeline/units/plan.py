"""Units and their files: what is to be done, and by which profile."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from msgspec import ValidationError, convert

from workbench.errors import InputError
from workbench.pipeline.grouping import batches
from workbench.recipes.ports import ProgramCorrection
from workbench.records import JSON, Program, Task, content_key, plain, storable_json
from workbench.settings import Profile

T = TypeVar("T")

FOLDER = "work"
MOST_TASKS = 256
"""Most questions of a unit."""
_VERSION = 2


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """The folder `work` of a project, and where everything lies in it."""

    root: Path

    @property
    def units(self) -> Path:
        return self.root / "units"

    @property
    def shards(self) -> Path:
        return self.root / "shards"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def project(self) -> Path:
        """Folder of the project, whose pictures the units are about."""
        return self.root.parent

    def unit(self, key: str) -> Path:
        return self.units / f"{key}.json"

    def profile(self, key: str) -> Path:
        return self.root / "profiles" / f"{key}.json"

    def shard(self, key: str) -> Path:
        return self.shards / f"{key}.parquet"

    def partial(self, key: str) -> Path:
        return self.root / "partial" / f"{key}.parquet"

    def failure(self, key: str) -> Path:
        return self.root / "failures" / f"{key}.txt"

    def present(self) -> list[str]:
        """Keys of all units that are not taken in, in the order of their names."""
        return sorted(path.stem for path in self.units.glob("*.json"))

    def drop(self, key: str) -> None:
        """Delete all files of a unit."""
        for path in (self.unit(key), self.shard(key), self.partial(key), self.failure(key)):
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Unit:
    """Some stages of the loop over some questions."""

    stages: tuple[str, ...]
    """In their order: `sample` or `execute` and what follows from it, or `predict` alone."""
    k: int
    """Programs of a question."""
    seed: int
    profile: str
    """Key of the file of the profile."""
    parts: Mapping[str, str]
    """Key of the part that plays each role; a worker with other parts refuses the unit."""
    tasks: tuple[Task, ...]
    programs: tuple[Program, ...] = ()
    """The k programs of each question, where they were sampled before."""

    @cached_property
    def contents(self) -> dict[str, str]:
        """The content key of each question, by id."""
        return {task.id: content_key(task) for task in self.tasks}

    @cached_property
    def key(self) -> str:
        """The hash of all of it."""
        own = [self.stages, self.k, self.seed, self.profile, dict(self.parts), self.contents]
        programs = [program.id for program in self.programs]
        return content_key("unit", _VERSION, *own, programs)


@dataclass(frozen=True, slots=True)
class UnitProfile:
    """What the units of one profile share."""

    profile: Profile
    corrections: tuple[ProgramCorrection, ...] = ()
    """What a memory of the sampler may recall."""

    @property
    def key(self) -> str:
        """The hash of it."""
        return content_key("profile", plain(self.profile), plain(self.corrections))


def units_of(unit: Unit, tasks: Sequence[Task], size: int) -> list[Unit]:
    """Units like this one over all of these questions, each with its own of this one's programs.

    Args:
        unit: gives everything but the questions.
        tasks: the questions.
        size: most of them in one unit.
    """
    by_task: dict[str, list[Program]] = {}
    for program in unit.programs:
        by_task.setdefault(program.task_id, []).append(program)
    return [
        replace(
            unit,
            tasks=tuple(chunk),
            programs=tuple(one for task in chunk for one in by_task.get(task.id, ())),
        )
        for chunk in batches(tasks, size)
    ]


def write_unit(folder: WorkFolder, unit: Unit) -> str:
    """Write a unit's file; returns its key."""
    values = {"version": _VERSION, **{name: plain(getattr(unit, name)) for name in _FIELDS}}
    write_whole(folder.unit(unit.key), _bytes(values))
    return unit.key


def write_profile(folder: WorkFolder, profile: UnitProfile) -> str:
    """Write the file of a profile; returns its key."""
    write_whole(folder.profile(profile.key), _bytes(asdict(profile)))
    return profile.key


def read_unit(path: Path) -> Unit:
    """The unit of a file.

    Raises:
        InputError: there is none, or it was changed.
    """
    values = _read(path, "unit", "plan units with: vpd run --workers N, or --slurm N")
    version = values.pop("version", None)
    if version != _VERSION:
        raise InputError(
            f"the unit {path} is of version {version!r}, and this workbench does version "
            f"{_VERSION}; use one version for the project and its workers"
        )
    unit = _convert(path, values, Unit)
    if unit.key != path.stem:
        raise InputError(
            f"the unit {path} is not what its name says, so it was changed by hand; delete it, "
            "and plan it again"
        )
    return unit


def read_profile_of(folder: WorkFolder, key: str) -> UnitProfile:
    """What the units of a profile share.

    Raises:
        InputError: its file is absent or was changed.
    """
    path = folder.profile(key)
    profile = _convert(path, _read(path, "profile of units", "plan the units again"), UnitProfile)
    if profile.key != key:
        raise InputError(f"the file {path} was changed by hand; delete it, and plan again")
    return profile


_FIELDS = ("stages", "k", "seed", "profile", "parts", "tasks", "programs")


def _bytes(values: Mapping[str, JSON]) -> bytes:
    return json.dumps(storable_json(values), ensure_ascii=False).encode()


def _read(path: Path, what: str, advice: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            f"there is no {what} at {path}: it was never planned, or is done; {advice}"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"the {what} {path} cannot be read ({error}); delete it") from error
    if not isinstance(values, dict):
        raise InputError(f"the {what} {path} is no object of JSON; delete it, and {advice}")
    return values


def _convert(path: Path, values: Mapping[str, Any], kind: type[T]) -> T:
    try:
        return convert(values, kind)
    except ValidationError as error:
        raise InputError(f"{path} is damaged ({error}); delete it, and plan again") from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
