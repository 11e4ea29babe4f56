"""What the sides of a live question are called, and which model stands behind each."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ProfileError
from workbench.models.weights import EMBEDDED, base_of, is_folder
from workbench.pipeline.live_events import Side
from workbench.settings import Choice, Profile
from workbench.train.job import job_file, origin_of, read_job, taught_from


@dataclass(frozen=True, slots=True)
class SideName:
    """What a side is called."""

    title: str
    model: str = ""
    """Which model answers, and what it was taught from; empty for the pipeline."""


def base_checkpoint(profile: Profile) -> str:
    """The base beside which a profile's student is shown.

    It is what the student was taught from where that is known, and else an embedded one of its
    kind.
    """
    student = _checkpoint(profile.student)
    origin = origin_of(student)
    return origin if origin != student else base_of(student)


def side_names(profile: Profile) -> Mapping[Side, SideName]:
    """The sides of a profile with their names; `base` is one where the student is another model."""
    base, student = base_checkpoint(profile), profile.student
    names: dict[Side, SideName] = {"pipeline": SideName("Program pipeline")}
    if student in (Choice("transformers", {"checkpoint": base}), Choice("transformers")):
        return names | {"student": SideName("Base student, not distilled", _called(base))}
    names["student"] = _student(student)
    names["base"] = SideName("Base student", f"{_called(base)}, not distilled")
    return names


def _student(choice: Choice) -> SideName:
    """The name of a student that is not the base; distilled only where a training is known."""
    if choice.part != "transformers":
        return SideName("Student", choice.part.rpartition("/")[2])
    checkpoint = _checkpoint(choice)
    if source := taught_from(checkpoint):
        return SideName(
            "Distilled student", f"{_called(checkpoint)}, taught from {_called(source)}"
        )
    return SideName("Student", _called(checkpoint))


def _checkpoint(choice: Choice) -> str:
    return str(choice.arguments.get("checkpoint", "")) or "bundled"


def _called(checkpoint: str) -> str:
    """What a checkpoint is called: a job's model by its job, a folder by the end of its path."""
    if checkpoint in EMBEDDED or not is_folder(checkpoint):
        return checkpoint
    if file := job_file(checkpoint):
        with suppress(ProfileError):
            return f"model of {read_job(file).name or file.parent.name}"
    return "/".join(Path(checkpoint).expanduser().parts[-2:])
