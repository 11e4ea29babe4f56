"""The blocks of `train_gpu` that train, and the state that all its blocks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.bench.train_contenders import (
    Course,
    measure_ours,
    measure_transformers,
    measure_trl,
)
from workbench.bench.train_models import make_snapshot, make_student, texts_of
from workbench.errors import InputError
from workbench.records import JSON
from workbench.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    pictures: int
    batch: int
    """Examples of a step; each has a label and a rationale."""
    warm: int
    timed: int
    """Steps that are measured, at most."""
    seconds: float
    """Of a block's steps, about."""
    workers: int
    questions: int
    """For which programs are written."""
    k: int
    tokens: int
    """Of a program."""
    crops: int
    crop_batch: int


REAL = Scale(64, 16, 3, 12, 20.0, 8, 16, 5, 128, 48, 8)
TINY = Scale(4, 2, 2, 1, 20.0, 0, 1, 2, 2, 2, 2)


@dataclass
class GpuBench:
    """What blocks share.

    Args:
        folder: for checkpoints and snapshots.
        tiny: whether models are a few thousand weights.
    """

    folder: Path
    tiny: bool
    students: dict[str, str] = field(default_factory=dict)
    """Checkpoints by family, as far as they are made."""
    _snapshot: Snapshot | None = None

    @property
    def scale(self) -> Scale:
        """How much is measured."""
        return TINY if self.tiny else REAL

    @property
    def snapshot(self) -> Snapshot:
        """What is taught."""
        if self._snapshot is None:
            self._snapshot = make_snapshot(self.folder / "snapshots", self.scale.pictures)
        return self._snapshot

    def course(self, family: str) -> Course:
        """What contenders are taught.

        Raises:
            InputError: the student was not made.
        """
        if family not in self.students:
            raise InputError(f"there is no {family}: the block 'build {family}' did not end well")
        scale = self.scale
        return Course(
            self.snapshot,
            self.students[family],
            self.folder / "jobs",
            scale.batch,
            scale.warm,
            scale.timed,
            scale.seconds,
            scale.workers,
        )


def build(bench: GpuBench, family: str) -> Mapping[str, JSON]:
    """Make a student.

    Args:
        bench: gets its checkpoint.
        family: of `train_models.FAMILIES`.
    """
    texts = texts_of(bench.snapshot)
    bench.students[family] = make_student(family, bench.folder / family, texts, bench.tiny)
    size = sum(file.stat().st_size for file in (bench.folder / family).glob("*.safetensors"))
    return {"parameters": size // 2, "pictures": bench.scale.pictures}


def ours(bench: GpuBench, family: str, **changes: Any) -> Mapping[str, JSON]:
    """Our own trainer.

    Args:
        bench: has the student.
        family: of the student.
        changes: settings of the job; `workers = -2` stands for as many as the others have.
    """
    if changes.get("workers") == -2:
        changes["workers"] = bench.scale.workers
    settings: dict[str, JSON] = {name: str(value) for name, value in changes.items()}
    return {"settings": settings, **measure_ours(bench.course(family), **changes)}


def transformers(bench: GpuBench, family: str) -> Mapping[str, JSON]:
    """transformers' Trainer.

    Args:
        bench: has the student.
        family: of the student.
    """
    return measure_transformers(bench.course(family))


def trl(bench: GpuBench, family: str) -> Mapping[str, JSON]:
    """TRL's SFTTrainer.

    Args:
        bench: has the student.
        family: of the student.
    """
    return measure_trl(bench.course(family))
