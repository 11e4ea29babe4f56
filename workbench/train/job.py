"""A job as written: one TOML file that says everything a run needs; a wrong key or value names what was expected."""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from workbench.errors import ProfileError
from workbench.records import JSON, content_key

FILE = "job.toml"


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adapters; the paper's generalist: r = 8 on every linear layer, its specialists: the encoder alone."""

    r: int = 8
    alpha: int = 16
    dropout: float = 0.0
    where: Literal["everywhere", "encoder"] = "everywhere"
    """`encoder`: what turns the picture into positions, the projector included."""
    targets: tuple[str, ...] = ()
    """Names of linear layers (`q_proj`, ...); empty: every one but the head."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to train, on what, and how.  Defaults follow the paper (Hu et al. 2024, section 4) where it says."""

    snapshot: str
    """Folder of a snapshot; relative to the job's folder."""
    student: str = "bundled"
    """`bundled`, a checkpoint's folder, or a hub id."""
    name: str = ""
    objective: str = "vpd"
    """A registered objective."""
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    """Of the objective: `weight` for vpd."""
    method: Literal["lora", "qlora", "full"] = "lora"
    lora: Lora = field(default_factory=Lora)
    lr: float = 1e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = 0.01
    """Share of the steps; at least one step."""
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.0
    clip: float = 1.0
    """Longest gradient; 0: not clipped."""
    batch: int = 16
    """Examples per step, over all devices and micro-batches."""
    micro_batch: int = 4
    """Examples per device at once; what is left of `batch` is accumulated."""
    epochs: float = 3.0
    steps: int = 0
    """Above 0, it decides and `epochs` does not."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """`auto`: bfloat16 where the device multiplies it natively."""
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, a third slower."""
    seed: int = 0
    eval_every: int = 50
    """Steps between evaluations on the held-out side, each with a checkpoint."""
    patience: int = 0
    """Stop after so many evaluations without a better one; 0: never."""
    max_val: int = 200
    """Held-out questions asked at most; the same ones each time."""
    max_tokens: int = 16
    """Longest answer at evaluation, in tokens."""
    processes: int = 1
    """One a GPU; on one machine, or on each node."""
    sharded: bool = False
    """Weights, gradients and the optimizer's state are divided among processes too (FSDP 2)."""

    @property
    def key(self) -> str:
        """Names what decides the weights: a checkpoint of one job goes on only under the same."""
        free = ("name", "micro_batch", "checkpointing", "max_val", "processes", "sharded")
        held = {k: v for k, v in asdict(self).items() if k not in free}
        return content_key({**held, "snapshot": Path(self.snapshot).name, "student": Path(self.student).name})


_AT_LEAST: Mapping[str, tuple[float, bool]] = {
    "lr": (0, True), "warmup": (0, False), "weight_decay": (0, False), "clip": (0, False), "batch": (1, False),
    "micro_batch": (1, False), "epochs": (0, True), "steps": (0, False), "seed": (0, False), "eval_every": (1, False),
    "patience": (0, False), "max_val": (1, False), "max_tokens": (1, False), "processes": (1, False),
    "r": (1, False), "alpha": (1, False), "dropout": (0, False),
}  # fmt: skip
"""Lowest value, and whether the value itself is excluded."""
_BELOW_ONE = ("dropout", "warmup")


def read_job(path: Path) -> Job:
    """Read a job file.  Raises ProfileError naming the file, the key and what was expected."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProfileError(f"no job file at {path}; vpd train writes one") from error
    except OSError as error:
        raise ProfileError(f"the job file {path} cannot be read: {error.strerror}; give a .toml file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} is not valid TOML: {error}") from error
    return job_of(raw, str(path))


def job_of(raw: Mapping[str, Any], where: str = "the job") -> Job:
    """A job from plain values.  Raises ProfileError."""
    lora = raw.get("lora", {})
    if not isinstance(lora, Mapping):
        raise ProfileError(f"{where}: lora must be a table ([lora]), found {lora!r:.60}")
    made = _checked(Job, {k: v for k, v in raw.items() if k != "lora"}, where)
    return Job(**made, lora=Lora(**_checked(Lora, lora, f"{where}: [lora]")))


def _checked(record: type, raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    hints = get_type_hints(record)
    if unknown := sorted(set(raw) - set(hints)):
        raise ProfileError(f"{where}: unknown key {', '.join(unknown)}; there are: {', '.join(hints)}")
    if record is Job and not raw.get("snapshot"):
        raise ProfileError(f"{where}: the job lacks a snapshot; write snapshot = 'folder', vpd snapshot makes one")
    return {key: _value(f"{where}: {key}", key, hints[key], value) for key, value in raw.items()}


def _value(where: str, key: str, kind: Any, value: Any) -> Any:
    if options := [option for option in get_args(kind) if isinstance(option, str)]:
        if value not in options:
            raise ProfileError(f"{where} must be one of {', '.join(options)}, found {value!r:.60}")
        return value
    if kind in (int, float):
        wrong = isinstance(value, bool) or not isinstance(value, int if kind is int else int | float)
        least, excluded = _AT_LEAST[key]
        if wrong or not math.isfinite(value) or value < least or (excluded and value == least):
            what = "a whole number" if kind is int else "a number"
            raise ProfileError(f"{where} must be {what} {'above' if excluded else 'from'} {least}, found {value!r:.60}")
        if key in _BELOW_ONE and value >= 1:
            raise ProfileError(f"{where} must be below 1, found {value!r}")
        return kind(value)
    if kind in (str, bool):
        if not isinstance(value, kind):
            raise ProfileError(f"{where} must be {'text' if kind is str else 'true or false'}, found {value!r:.60}")
        return value
    if key == "arguments":
        if not isinstance(value, Mapping):
            raise ProfileError(f"{where} must be a table, found {value!r:.60}")
        return dict(value)
    if key == "betas":
        good = isinstance(value, list | tuple) and len(value) == 2
        if not good or not all(isinstance(b, float | int) and 0 <= b < 1 for b in value):
            raise ProfileError(f"{where} must be two numbers from 0 to below 1, found {value!r:.60}")
        return tuple(map(float, value))
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
        raise ProfileError(f"{where} must be a list of names, found {value!r:.60}")
    return tuple(value)


def job_text(job: Job) -> str:
    """The job as TOML: every key, so that the file says what was run."""
    tables: dict[str, Mapping[str, Any]] = {"arguments": job.arguments, "lora": asdict(job.lora)}
    lines = [f"{f.name} = {_toml(getattr(job, f.name))}" for f in fields(Job) if f.name not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):  # a TOML string takes JSON's escapes, but for the delete character
        return json.dumps(value).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)


def write_job(job: Job, folder: Path) -> Path:
    """Write `job.toml` into a folder."""
    path = folder / FILE
    part = folder / f".{FILE}.{os.getpid()}"
    part.write_text(job_text(job), encoding="utf-8")
    part.replace(path)
    return path
