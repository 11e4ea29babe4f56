"""What the header of every page says beside the project: the work that goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobChip:
    """The run of the loop that writes now."""

    name: str
    stage: str
    place: str
    """Place of the stage among all: `3 of 5`; empty for work that is not a stage of the loop."""
    done: int
    """Rows that the stage has written in this run."""


@dataclass(frozen=True, slots=True)
class DeviceChip:
    """The first NVIDIA device now."""

    name: str
    used: int
    """Percent of the time that it computes."""
    memory: int
    """MiB in use."""
    total: int
    """MiB in all."""
    heat: int
    """Degrees Celsius."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """The job that runs."""

    id: str
    name: str
    step: int
    total: int
    eta: float | None
    """Seconds left; None where that is not known."""
    silent: float | None
    """Seconds without a sign of life, where it gave none for long."""


@dataclass(frozen=True, slots=True)
class DayChip:
    """Questions that a person decided today."""

    count: int
    goal: int


@dataclass(frozen=True, slots=True)
class HeaderNews:
    """What goes on now; None where it does not."""

    at: str
    """Time of the look, in ISO 8601."""
    job: JobChip | None = None
    training: RunningJob | None = None
    device: DeviceChip | None = None
    today: DayChip | None = None


Chip = JobChip | RunningJob | DeviceChip | DayChip
