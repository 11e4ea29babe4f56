"""What a study is to train: its arms, their settings, and the settings that are tried on val.

[settings]                     # of every job, as in job.toml
student = "small"
steps = 1200

[[arm]]
name = "instruct"
objective = "instruct"

[[arm]]
name = "vpd"
snapshot = "evidence"          # name, hash or folder; the study's own when left out
grid = { "arguments.weight" = [1, 3] }

[[arm]]
name = "instruct as long as vpd"
like = "instruct"
as_long_as = "vpd"

[choose]
split = "val"
settings = { steps = 600 }
grid = { lr = [3e-4, 1e-3, 3e-3] }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from workbench.errors import InputError
from workbench.schema import read, read_toml

Values = bool | int | float | str | list[Any] | dict[str, Any]
"""A setting of a job."""
LABELS_ALONE = "instruct"
"""The objective that learns no rationale; an arm of it is what others are compared with."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of teaching, over all seeds of the study."""

    name: Annotated[str, Meta(min_length=1)]
    """How tables call it."""
    objective: str = ""
    """As in `job.toml`; `vpd` when left out."""
    snapshot: str = ""
    """Name, hash or folder of its snapshot; the study's own when empty."""
    settings: Mapping[str, Values] = field(default_factory=dict)
    """Settings of its jobs, beside those of the study."""
    like: str = ""
    """Name of an arm whose objective, snapshot and settings it takes over."""
    as_long_as: str = ""
    """Name of an arm: this one takes as many steps as make its processor time equal to that
    arm's.  It needs `like`, whose jobs say what a step takes."""
    grid: Mapping[str, list[Any]] = field(default_factory=dict)
    """Values of settings that are tried for this arm alone."""
    note: str = ""
    """What a reader has to know of it."""
    group: str = ""
    """It is compared with arms of its own group alone."""
    beside: tuple[str, ...] = ()
    """Names of arms that it is compared with, besides those that learn labels alone."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """How settings are chosen, before any test question is asked."""

    split: Annotated[str, Meta(min_length=1)] = "val"
    """Split of the questions by which settings are judged."""
    limit: Annotated[int, Meta(ge=0)] = 0
    """Take only this many of them; all when 0."""
    seeds: Annotated[int, Meta(ge=1)] = 1
    """Number of jobs for each setting; the mean of their accuracies counts."""
    settings: Mapping[str, Values] = field(default_factory=dict)
    """Settings of the jobs that try, in place of the study's: fewer steps, for example."""
    grid: Mapping[str, list[Any]] = field(default_factory=dict)
    """Values of settings that are tried for every arm."""


STANDARD = (Arm("instruct", objective=LABELS_ALONE), Arm("vpd", objective="vpd"))
"""The arms of a study that names none: the same rows without and with their rationales."""


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """The jobs of a study."""

    snapshot: str = ""
    """Name, hash or folder of the snapshot; the newest when empty."""
    seeds: Annotated[int, Meta(ge=1)] = 5
    """Number of jobs for each arm."""
    settings: Mapping[str, Values] | None = None
    """Settings of every job, as in `job.toml`."""
    arm: tuple[Arm, ...] = STANDARD
    """What is compared."""
    choose: Choosing = field(default_factory=Choosing)
    """How settings are chosen."""
    chosen: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Settings that were chosen, by arm; they count before all others."""
    at_once: Annotated[int, Meta(ge=1)] = 1
    """Number of jobs side by side; they share the processors and the cards."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise InputError(f"a study needs a seed or more, found {self.seeds}")
        if self.at_once < 1:
            raise InputError(f"a study runs a job at once or more, found {self.at_once}")
        if not self.arm:
            raise InputError("a study needs an arm or more; write [[arm]] with a name")
        names = [arm.name for arm in self.arm]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"two arms are called '{twice[0]}'; give each a name of its own")
        for arm in self.arm:
            self._check(arm)

    def _check(self, arm: Arm) -> None:
        """Check what an arm says of others.

        Raises:
            InputError: there is no such arm, or it stands on a third one.
        """
        for key, other in (("like", arm.like), ("as_long_as", arm.as_long_as)):
            if not other:
                continue
            arms = {one.name: one for one in self.arm if one.name != arm.name}
            if other not in arms:
                raise InputError(
                    f"the arm '{arm.name}' is {key} '{other}', and there is no such other arm; "
                    f"there are: {', '.join(arms) or 'none'}"
                )
            if arms[other].like or arms[other].as_long_as:
                raise InputError(
                    f"the arm '{arm.name}' is {key} '{other}', which stands on an arm itself; "
                    "name the first one"
                )
        if strange := [name for name in arm.beside if name not in [one.name for one in self.arm]]:
            raise InputError(
                f"the arm '{arm.name}' is beside '{strange[0]}', and no arm is called so"
            )
        if arm.as_long_as and not arm.like:
            raise InputError(
                f"the arm '{arm.name}' is to take as long as '{arm.as_long_as}'; say with `like` "
                "which arm it prolongs, whose jobs tell what a step takes"
            )

    def arm_of(self, name: str) -> Arm:
        """The arm of a name that is known to be there."""
        return next(arm for arm in self.arm if arm.name == name)

    def first(self, explains: bool) -> Arm:
        """The first arm with rationales, or without, that stands on no other.

        Raises:
            InputError: there is none.
        """
        for arm in self.arm:
            if not arm.like and (self.objective(arm) != LABELS_ALONE) is explains:
                return arm
        what = "with rationales" if explains else f"with the objective '{LABELS_ALONE}'"
        raise InputError(f"the plan needs an arm {what} for this; add one, or leave the plan out")

    def with_equal_compute(self) -> StudyPlan:
        """The plan with one more arm: the labels alone, for as long as the rationales take.

        Raises:
            InputError: there is no arm of either kind.
        """
        short, long = self.first(explains=False).name, self.first(explains=True).name
        arm = Arm(f"{short} as long as {long}", like=short, as_long_as=long)
        return replace(self, arm=(*self.arm, arm))

    def objective(self, arm: Arm) -> str:
        """The objective of an arm's jobs."""
        inherited = self.arm_of(arm.like).objective if arm.like else ""
        return arm.objective or inherited or "vpd"

    def snapshot_of(self, arm: Arm) -> str:
        """Name, hash or folder of the snapshot that an arm learns from; empty for the newest."""
        inherited = self.arm_of(arm.like).snapshot if arm.like else ""
        return arm.snapshot or inherited or self.snapshot

    def settings_of(self, arm: Arm, chosen: bool = True) -> dict[str, Any]:
        """The settings of an arm's jobs, but for snapshot and seed.

        Args:
            arm: whose jobs.
            chosen: whether what was chosen counts; not while it is being chosen.
        """
        others = [self.arm_of(arm.like)] if arm.like else []
        whole: dict[str, Any] = dict(self.settings or {})
        for one in (*others, arm):
            whole = merged(whole, one.settings)
        if chosen:
            for one in (*others, arm):
                whole = merged(whole, self.chosen.get(one.name, {}))
        return {**whole, "objective": self.objective(arm)}


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with changes; a table, or a key with a dot, changes only the keys that it names."""
    whole = dict(settings)
    for key, value in changes.items():
        table, _, name = key.partition(".")
        if name:
            whole[table] = merged(whole.get(table, {}), {name: value})
        elif isinstance(value, Mapping):
            whole[key] = merged(whole.get(key, {}), value)
        else:
            whole[key] = value
    return whole


def combinations(*grids: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of the values of some grids, the first values first.

    Raises:
        InputError: a setting has no values.
    """
    grid = {key: values for one in grids for key, values in one.items()}
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise InputError(
                f"the grid gives {values!r:.60} for '{key}'; expected a list of values to try"
            )
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def read_plan(path: Path) -> StudyPlan:
    """Read a plan of a study.

    Raises:
        ProfileError: the file is absent or not TOML.
        InputError: names the file and lists every wrong key.
    """
    raw = read_toml(path, "plan of a study", "docs/training.md has one to start from")
    arms = raw.pop("arm", None)
    plan = read(StudyPlan, raw, str(path))
    if arms is None:
        return plan
    if not isinstance(arms, list) or not all(isinstance(arm, Mapping) for arm in arms):
        raise InputError(f"{path}: the arms are tables; write each below a line [[arm]]")
    return replace(
        plan,
        arm=tuple(read(Arm, arm, f"{path}, arm {at}") for at, arm in enumerate(arms, start=1)),
    )
