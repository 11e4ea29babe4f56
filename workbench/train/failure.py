"""Why a run failed, and what to change: read off its error, or off the log of a run that died."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from workbench.records import JSON

Cause = Literal[
    "memory", "disk", "snapshot", "picture", "layers", "checkpoint",
    "student", "package", "job", "diverged", "killed", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FailureCard:
    """Why a run failed, and what to do, for people."""

    cause: Cause
    text: str
    """What happened, one or two sentences."""
    advice: str
    change: Mapping[str, JSON] = field(default_factory=dict)
    """Keys of the job to change before it is tried again."""


_CAUSES: Sequence[tuple[Cause, str, str]] = (
    ("memory", r"out of memory|OutOfMemory|can't allocate memory|MemoryError|bad_alloc", ""),
    (
        "disk",
        r"No space left on device|Errno 28|Disk quota exceeded|Errno 122",
        "Free space, then resume.",
    ),
    ("diverged", r"loss is no(t a)? number", ""),
    (
        "picture",
        r"ImageError|picture .* (missing|cannot)",
        "Take the snapshot again: its pictures are checked then.",
    ),
    (
        "snapshot",
        r"SnapshotError|no snapshot|no training example",
        "Take the snapshot again, then clone the job.",
    ),
    (
        "layers",
        r"no linear layer|Target modules",
        "Name layers that the message lists, or leave targets empty.",
    ),
    (
        "checkpoint",
        r"checkpoint of another|cannot be read \(.*; delete step-",
        "Clone the job to start anew.",
    ),
    (
        "student",
        r"the (student|model) '.*' (cannot be loaded|has no processor)|no model folder at",
        "Give a checkpoint that is there.",
    ),
    (
        "package",
        r"MissingPart|ModuleNotFoundError|ImportError",
        "Install what the message names, then resume.",
    ),
    ("job", r"ProfileError", "Correct the job's settings."),
)


def explain(
    text: str, job: Mapping[str, JSON], peak: str = "", killed: bool = False
) -> FailureCard:
    """The card of an error's text.

    Args:
        text: `TypeOfError: message`, or the last lines of a log.
        job: the job's settings, which the change is made to.
        peak: the highest use of memory, for people; empty where it is unknown.
        killed: whether the process ended without an error of its own.
    """
    lines = [line for line in text.splitlines() if re.search(r"\w(Error|Part|Memory)\b", line)]
    brief = " ".join((lines[-1] if lines else text).split())[:600]
    for cause, pattern, advice in _CAUSES:
        if not re.search(pattern, text):
            continue
        if cause == "memory":
            return _out_of_memory(job, peak)
        if cause == "diverged":
            lower = {"lr": float(f"{float(job.get('lr', 1e-4)) / 3:.2g}")}
            return FailureCard(cause, brief, f"Try lr = {lower['lr']}.", lower)
        return FailureCard(cause, brief, advice)
    if killed:
        what = (
            "The process ended without a word: it was killed, by a person or by a system short of "
            "memory."
        )
        advice = "Resume; if it happens again, try the change."
        return FailureCard("killed", what, advice, smaller(job))
    what = brief or "The run ended without a word."
    return FailureCard("unknown", what, "Read the last lines; resuming is safe.")


def _out_of_memory(job: Mapping[str, JSON], peak: str) -> FailureCard:
    change = smaller(job)
    settings = ", ".join(f"{key} = {str(value).lower()}" for key, value in change.items())
    advice = f"Try {settings}." if change else _ROOM
    return FailureCard("memory", f"Memory ran out{peak and f' ({peak})'}.", advice, change)


_ROOM = "Take a smaller student, or a machine with more memory."


def smaller(job: Mapping[str, JSON]) -> dict[str, JSON]:
    """Settings that need less memory and leave the result as it is.

    Micro-batches become smaller first; then activations are computed again.
    """
    micro = int(job.get("micro_batch", 4))
    if micro > 1:
        return {"micro_batch": micro // 2}
    return {} if job.get("checkpointing") else {"checkpointing": True}
