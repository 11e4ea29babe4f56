"""The settings of a job as the walkthrough shows them, and what is wrong with what was chosen."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from msgspec import inspect as kinds

from app.train_data import folder_of, leak, open_snapshot
from workbench import registry
from workbench.errors import WorkbenchError
from workbench.schema import describe, problems, sentences
from workbench.store import Project
from workbench.train.job import Job, Lora, job_of, job_text
from workbench.train.schedule import total_steps

BASIC = ("name", "epochs", "steps", "batch", "lr", "eval_every", "seed")
"""Settings that the form always shows, in its order; the others are behind a fold."""
APART = ("snapshot", "student", "objective", "arguments", "method")
"""Settings that have a place of their own in the walkthrough."""
_KINDS: Mapping[type, str] = {
    kinds.IntType: "whole", kinds.FloatType: "number", kinds.BoolType: "yes", kinds.StrType: "text",
    kinds.LiteralType: "choice", kinds.TupleType: "numbers", kinds.VarTupleType: "names",
}  # fmt: skip
"""Kind of a field's control, by the type of the setting."""
_TOLD = ("whole", "number", "numbers")
"""Kinds whose control does not show by itself what it takes."""
_FLAGS = ("objective", "student", "name", "epochs", "steps", "batch", "lr", "seed")
"""Settings with an option of their own in `vpd train`."""

_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def form() -> list[dict[str, Any]]:
    """Every setting with its kind, default and words, as the job's own record has them."""
    job = {key: setting for key, setting in describe(Job).items() if key not in APART}
    inner = [_field(Lora, key, "lora.") for key in describe(job.pop("lora").hint)]
    return [_field(Job, key) for key in (*BASIC, *(key for key in job if key not in BASIC))] + inner


def _field(record: type, key: str, table: str = "") -> dict[str, Any]:
    setting = describe(record)[key]
    kind = _KINDS[type(setting.kind)]
    takes = f" Takes {setting.expected}." if kind in _TOLD else ""
    return {
        "key": f"{table}{key}",
        "label": setting.label,
        "says": sentences(record)[key] + takes,
        "group": "advanced" if table or key not in BASIC else "basic",
        "kind": kind,
        "options": list(setting.options),
        "default": list(setting.default) if isinstance(setting.default, tuple) else setting.default,
    }


def methods() -> dict[str, str]:
    """Why a method is not there on this machine; empty where it is."""
    lacking = []
    if shutil.which("nvidia-smi") is None:
        lacking.append("a CUDA device")
    if importlib.util.find_spec("bitsandbytes") is None:
        lacking.append("the package bitsandbytes")
    return {"lora": "", "qlora": f"needs {' and '.join(lacking)}" if lacking else "", "full": ""}


@dataclass(frozen=True, slots=True)
class JudgedSettings:
    """What was chosen, judged."""

    job: Job | None
    """None where a setting is wrong."""
    problems: Mapping[str, str]
    """By setting; `lora.r` is one of a table."""
    reasons: Sequence[str]
    """Why it cannot start; empty when it can."""
    changed: Sequence[str]
    """Settings that differ from the defaults."""
    examples: int
    """To train on."""
    held_out: int


def judge(project: Project, given: Mapping[str, Any]) -> JudgedSettings:
    """Judge settings: the keys of a job, with the snapshot as its hash."""
    problems = _problems(given)
    reasons = [f"{key}: {text}" for key, text in problems.items()]
    rows = {"train": 0, "val": 0}
    folder: Path | None = None
    if not given.get("snapshot"):
        reasons.insert(0, "no snapshot is chosen")
    else:
        try:
            folder = folder_of(project, str(given["snapshot"]))
            content = open_snapshot(folder).manifest.content
            rows = {side: int(held["count"]) for side, held in content.rows.items()}
            if not rows["train"]:
                reasons.append("the snapshot has no example to train on")
            reasons += _leaks(leak(project, content))
        except WorkbenchError as error:
            reasons.append(str(error))
    job = None
    if folder is not None and not problems:
        job = job_of({**given, "snapshot": str(folder)})
    return JudgedSettings(
        job, problems, reasons, _changed(job) if job else (), rows["train"], rows["val"]
    )


def _leaks(found: Mapping[str, Any]) -> list[str]:
    same, near = found["same"], found["near"]
    if not same + near:
        return []
    what = f"evaluation has {same} of its pictures" + (
        f" and {near} that look like one" if near else ""
    )
    return [
        f"{what} ({', '.join(found['splits'])}); take the snapshot again: pictures of evaluation stay out then"
    ]


def _problems(given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each setting, by its key, so that it is told beside its field."""
    found = problems(Job, {**given, "snapshot": "-"})
    if text := "" if "student" in found else student_problem(str(given.get("student", "bundled"))):
        found["student"] = text
    if text := methods().get(str(given.get("method", "lora")), ""):
        found["method"] = text
    if "arguments" not in found and "objective" not in found and (text := _objective(given)):
        found["objective"] = text
    return found


def _objective(given: Mapping[str, Any]) -> str:
    name, arguments = str(given.get("objective", "vpd")), given.get("arguments", {})
    if name not in registry.parts("objective"):
        return f"there is no objective '{name}'; registered are: {', '.join(registry.parts('objective'))}"
    if arguments:
        try:
            registry.build("objective", name, **arguments)
        except WorkbenchError as error:
            return str(error)
    return ""


def student_problem(student: str) -> str:
    """Why a student cannot be one, as far as can be seen without loading it; empty when nothing
    speaks against it.
    """
    if student == "bundled" or (Path(student) / "config.json").is_file():
        return ""
    if Path(student).is_absolute() or student.startswith((".", "~")) or not _HUB.fullmatch(student):
        return (
            f"'{student:.80}' is no folder with a config.json; give 'bundled', a checkpoint's folder or a hub id "
            "(owner/name)"
        )
    return ""


def _changed(job: Job) -> list[str]:
    now, plain = flat(job), flat(Job(job.snapshot))
    return [
        key for key in now if key not in ("snapshot", "name", "student") and now[key] != plain[key]
    ]


def flat(job: Job) -> dict[str, Any]:
    """Every setting by one key; those of tables as `lora.r`."""
    held = asdict(job)
    tables = {"lora": held.pop("lora"), "arguments": held.pop("arguments")}
    return {
        **held,
        **{
            f"{table}.{key}": value
            for table, inner in tables.items()
            for key, value in inner.items()
        },
    }


def judgement(project: Project, found: JudgedSettings) -> dict[str, Any]:
    """What was judged, for the page: with steps, batch, the command and the file."""
    job = found.job
    shown = {
        "problems": found.problems,
        "reasons": found.reasons,
        "changed": found.changed,
        "examples": found.examples,
        "held_out": found.held_out,
    }
    if job is None:
        return {**shown, "toml": "", "command": "", "steps": None, "batch": None}
    return {
        **shown,
        "toml": job_text(job),
        "command": command(project, job),
        "steps": total_steps(job, found.examples) if found.examples else None,
        "batch": min(job.batch, found.examples),
    }


def command(project: Project, job: Job) -> str:
    """The same job from the command line."""
    words = [
        "vpd",
        "train",
        "--project",
        str(project.path.resolve()),
        "--snapshot",
        Path(job.snapshot).name,
    ]
    now, plain = flat(job), flat(Job(job.snapshot))
    for key, value in now.items():
        if key == "snapshot" or value == plain.get(key):
            continue
        if key in _FLAGS:
            words += [f"--{key}", str(value)]
        elif key == "arguments.weight":
            words += ["--weight", str(value)]
        else:
            words += ["--set", f"{key}={json.dumps(value)}"]
    return shlex.join(words)
