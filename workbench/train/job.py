"""A job as written: one TOML file with everything that a run needs, checked key by key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from msgspec import Meta

from workbench.errors import ProfileError
from workbench.images import LARGEST_PICTURE
from workbench.local_files import real_path
from workbench.models.weights import EMBEDDED, base_of, is_distilled, is_folder
from workbench.records import content_key
from workbench.schema import read, read_toml
from workbench.settings import Profile

FILE = "job.toml"

PARTS = ("curriculum", "teacher", "policy", "transform")
"""Settings that are a table: `part`, and the arguments of this part."""

Argument = bool | int | float | str | list[Any] | dict[str, Any]
"""An argument of an objective: any value of a TOML file but dates."""
Name = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(ge=0, lt=1)]


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adapters.

    The paper's generalist has r = 8 on every linear layer; its specialists have adapters on the
    encoder alone.
    """

    r: Annotated[int, Meta(ge=1, title="LoRA rank")] = 8
    """Rank of the adapters; the paper has 8."""
    alpha: Annotated[int, Meta(ge=1, title="LoRA alpha")] = 16
    """The adapters are scaled by alpha / rank."""
    dropout: Annotated[Share, Meta(title="LoRA dropout")] = 0.0
    """Share of an adapter's inputs that is dropped while training."""
    where: Annotated[Literal["everywhere", "encoder", "decoder"], Meta(title="LoRA on")] = (
        "everywhere"
    )
    """On every linear layer, or on those of the encoder alone as in the paper's specialists, or of
    the decoder alone; the encoder turns the picture into positions, the projector included."""
    targets: Annotated[tuple[Name, ...], Meta(title="LoRA layers")] = ()
    """Names of linear layers, such as q_proj; when empty, every one but the head."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to train, on what, and how.

    Defaults follow the paper (Hu et al. 2024, section 4) where it gives a value.  The Train page
    shows the label, the sentence, the bounds and the default of each field as they stand here.
    """

    snapshot: Annotated[str, Meta(min_length=1, title="Snapshot")]
    """Folder of a snapshot, relative to the job's folder; vpd snapshot makes one."""
    student: Annotated[str, Meta(title="Student")] = "bundled"
    """`bundled`, `small`, `distilled`, a checkpoint's folder, or a hub id."""
    name: Annotated[str, Meta(title="Name")] = ""
    """Name of the job, for people."""
    objective: Annotated[str, Meta(min_length=1, title="Objective")] = "vpd"
    """Name of a registered objective: a curriculum, or a loss over the student's outputs."""
    arguments: Annotated[Mapping[str, Argument], Meta(title="Arguments")] = field(
        default_factory=dict
    )
    """Arguments of the objective: `weight` for vpd."""
    curriculum: Annotated[Mapping[str, Argument], Meta(title="Curriculum")] = field(
        default_factory=dict
    )
    """What is asked where the objective is a loss: a part and its arguments; when empty, vpd."""
    teacher: Annotated[Mapping[str, Argument], Meta(title="Teacher")] = field(default_factory=dict)
    """Who teaches where the objective needs a teacher: a part and its arguments."""
    policy: Annotated[Mapping[str, Argument], Meta(title="Policy")] = field(default_factory=dict)
    """Training by reward in place of the objective: a part and its arguments; when empty, none."""
    transform: Annotated[Mapping[str, Argument], Meta(title="Transform")] = field(
        default_factory=dict
    )
    """What is done to the finished student: a part and its arguments; when empty, nothing."""
    method: Annotated[Literal["lora", "qlora", "full"], Meta(title="Method")] = "lora"
    """Adapters, adapters on a student in four bits, or all weights."""
    lora: Lora = field(default_factory=Lora)
    """The adapters of the methods lora and qlora."""
    lr: Annotated[float, Meta(gt=0, title="Learning rate")] = 1e-4
    """Highest learning rate of the schedule."""
    schedule: Annotated[Literal["cosine", "linear", "constant"], Meta(title="Schedule")] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup: Annotated[Share, Meta(title="Warm-up")] = 0.01
    """Share of the steps in which the learning rate rises; at least one step."""
    betas: Annotated[tuple[Share, Share], Meta(title="Adam's betas")] = (0.9, 0.98)
    """Decay of the mean gradient and of the mean squared gradient."""
    weight_decay: Annotated[float, Meta(ge=0, title="Weight decay")] = 0.0
    """Share of each weight, times the learning rate, that is taken off in each step."""
    clip: Annotated[float, Meta(ge=0, title="Longest gradient")] = 1.0
    """Longer gradients are shortened to this norm; when 0, none is."""
    batch: Annotated[int, Meta(ge=1, title="Batch")] = 16
    """Examples per step, over all devices and micro-batches."""
    micro_batch: Annotated[int, Meta(ge=1, title="Micro-batch")] = 4
    """Examples per device at once; it changes the memory that is needed, never the result."""
    epochs: Annotated[float, Meta(gt=0, title="Epochs")] = 3.0
    """Times that every example is seen; unused when steps are given."""
    steps: Annotated[int, Meta(ge=0, title="Steps")] = 0
    """Number of steps; when 0, the epochs decide."""
    precision: Annotated[Literal["auto", "bf16", "fp32"], Meta(title="Precision")] = "auto"
    """Number format; auto is bfloat16 where the device multiplies it natively."""
    adapter_precision: Annotated[
        Literal["auto", "bf16", "fp32"], Meta(title="Precision of adapters")
    ] = "auto"
    """Number format of adapters; auto is the student's own on a GPU, where the optimizer changes
    copies of them in float32, and float32 on a processor."""
    fast: Annotated[bool, Meta(title="Fast kernels")] = False
    """Norms, gates and rotations by the package liger-kernel, on a GPU: the extra `fast`."""
    checkpointing: Annotated[bool, Meta(title="Recompute activations")] = False
    """Activations are computed again in the backward pass: less memory, a third slower."""
    seed: Annotated[int, Meta(ge=0, title="Seed")] = 0
    """The adapters' first values and the order of the examples follow from it."""
    eval_every: Annotated[int, Meta(ge=0, title="Evaluate every")] = 0
    """Steps between evaluations on the held-out side, each with a checkpoint; when 0, 50 on a GPU,
    and on a processor a fifth of the run, between 50 and 200.
    """
    patience: Annotated[int, Meta(ge=0, title="Patience")] = 0
    """The run ends after this many evaluations without a better one; when 0, it never does."""
    max_val: Annotated[int, Meta(ge=0, title="Held-out questions")] = 0
    """Largest number of questions in an evaluation, the same ones each time; when 0, 200 on a GPU
    and 64 on a processor.
    """
    max_tokens: Annotated[int, Meta(ge=1, title="Longest answer")] = 16
    """Largest number of tokens of an answer at evaluation."""
    max_pixels: Annotated[int, Meta(ge=0, title="Largest picture")] = LARGEST_PICTURE
    """Pictures with more pixels are scaled down to so many before a hub student sees them, in
    training and whenever it is asked later; when 0, none is."""
    tiles: Annotated[bool, Meta(title="Tiles")] = True
    """A family that cuts pictures into tiles may; without, it sees each picture once, smaller."""
    soft_tokens: Annotated[int, Meta(ge=0, title="Positions of a picture")] = 0
    """Largest number of positions that a picture takes; when 0, as the family has it."""
    template: Annotated[Mapping[str, Argument], Meta(title="Template")] = field(
        default_factory=dict
    )
    """Options of the chat template; enable_thinking is false unless it stands here."""
    trackers: Annotated[tuple[Name, ...], Meta(title="Trackers")] = ()
    """Where figures go as well while the run goes on: trackio, wandb."""
    workers: Annotated[int, Meta(ge=-1, title="Workers")] = -1
    """Processes that encode pictures ahead of the model; none when -1."""
    skip_broken: Annotated[bool, Meta(title="Skip broken pictures")] = False
    """Examples of a picture whose file is broken are left out; else the run ends and names it."""
    processes: Annotated[int, Meta(ge=1, title="Processes")] = 1
    """One for each GPU of the machine, or of each node."""
    sharded: Annotated[bool, Meta(title="Sharded")] = False
    """Weights, gradients and the optimizer's state are divided among the processes (FSDP 2)."""
    runner: Annotated[str, Meta(title="Runner")] = ""
    """A command that trains in place of the workbench's own trainer, in any environment (see
    `workbench.train.foreign`); when empty, none does.
    """

    @property
    def key(self) -> str:
        """Names what decides the weights: a checkpoint of one job goes on only under the same."""
        free = (
            *("name", "micro_batch", "checkpointing", "max_val", "processes", "sharded"),
            *("trackers", "workers"),
        )
        settings = {k: v for k, v in as_before(asdict(self)).items() if k not in free}
        return content_key(
            {**settings, "snapshot": Path(self.snapshot).name, "student": Path(self.student).name}
        )


_LATER: Mapping[str, Any] = {
    "max_pixels": LARGEST_PICTURE,
    "runner": "",
    "tiles": True,
    "soft_tokens": 0,
    "template": {},
    "trackers": (),
    "workers": -1,
    "skip_broken": False,
    "adapter_precision": "auto",
    "fast": False,
    **{part: {} for part in PARTS},
}
"""Settings that jobs did not have at first, with what those jobs did."""


def as_before(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A job's settings without the later ones where they change nothing.

    Keys are made of them, so that a job of an earlier version goes on from its checkpoint, and is
    still kin to a new one like it.
    """
    return {
        key: value for key, value in settings.items() if key not in _LATER or value != _LATER[key]
    }


_USUAL: Mapping[str, Mapping[str, Argument]] = {
    "small": {"method": "full", "lr": 1e-3, "warmup": 0.05, "batch": 32, "micro_batch": 32}
}


def usual(student: str) -> dict[str, Argument]:
    """Settings with which a student is taught where no others are given; the rest stand in `Job`.

    Args:
        student: as in `Job`.
    """
    return dict(_USUAL.get(base_of(student), {}))


def student_of(profile: Profile) -> str:
    """The student that a new job of a profile teaches: the base of the one that answers.

    A student that was distilled already stays as it is, and what it was taught from is taught
    anew.  It is `bundled` where the profile names no checkpoint of its own.
    """
    choice = profile.student
    if choice.part != "transformers":
        return "bundled"
    student = origin_of(str(choice.arguments.get("checkpoint", "")) or "bundled")
    if student in EMBEDDED:
        return student
    path = Path(student).expanduser()
    return str(real_path(path)) if path.is_dir() else student


def origin_of(checkpoint: str) -> str:
    """What stands at the beginning of a checkpoint's trainings; itself where none is known."""
    chain = {checkpoint}
    while (source := taught_from(checkpoint)) and source not in chain:
        chain.add(source)
        checkpoint = source
    return checkpoint


def taught_from(checkpoint: str) -> str:
    """The student that a checkpoint was made from by training; empty where no training is known.

    Args:
        checkpoint: an embedded name, the folder of a checkpoint or of a job, or a hub id.
    """
    if checkpoint in EMBEDDED:
        return base_of(checkpoint) if is_distilled(checkpoint) else ""
    if file := job_file(checkpoint):
        with suppress(ProfileError):
            return read_job(file).student
    return ""


def job_file(checkpoint: str) -> Path | None:
    """The file of the job that made a checkpoint; None where no job did."""
    if not is_folder(checkpoint):
        return None
    folder = Path(checkpoint).expanduser()
    return next((f for f in (folder / FILE, folder.parent / FILE) if f.is_file()), None)


def read_job(path: Path) -> Job:
    """Read a job file.

    Raises:
        ProfileError: names the file and lists every wrong key.
    """
    return job_of(read_toml(path, "job file", "vpd train writes one"), str(path))


def job_of(raw: Mapping[str, Any], where: str = "the job") -> Job:
    """A job from plain values.

    A part may be written by its name alone, and the objective as a table of part and arguments.

    Raises:
        ProfileError: lists every wrong key.
    """
    return read(Job, {**raw, **_tables(raw)}, where, ProfileError)


def _tables(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a job, each in the one way in which a job keeps it."""
    changes: dict[str, Any] = {
        table: {"part": raw[table]} if raw[table] else {}
        for table in PARTS
        if isinstance(raw.get(table), str)
    }
    objective = raw.get("objective")
    if isinstance(objective, Mapping):
        arguments = dict(objective)
        changes["objective"] = arguments.pop("part", "")
        changes["arguments"] = {**raw.get("arguments", {}), **arguments}
    return changes


def job_text(job: Job) -> str:
    """The job as TOML: every key, so that the file says what was run."""
    return tomli_w.dumps(asdict(job))


def write_job(job: Job, folder: Path) -> Path:
    """Write `job.toml` into a folder."""
    path = folder / FILE
    part = folder / f".{FILE}.{os.getpid()}"
    part.write_text(job_text(job), encoding="utf-8")
    part.replace(path)
    return path
