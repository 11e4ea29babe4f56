"""The settings of a job as the walkthrough shows them, and what is wrong with what was chosen."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from app.train_data import folder_of, leak, opened
from workbench import registry
from workbench.errors import WorkbenchError
from workbench.store import Project
from workbench.train.job import Job, Lora, job_of, job_text
from workbench.train.schedule import total_steps

BASIC: Mapping[str, tuple[str, str]] = {
    "name": ("Name", "what you call it"),
    "epochs": ("Epochs", "times that every example is seen; steps decide where they are given"),
    "steps": ("Steps", "0: epochs decide"),
    "batch": ("Batch", "examples per step, over all devices"),
    "lr": ("Learning rate", "the highest one"),
    "eval_every": ("Evaluate every", "steps; each with a checkpoint"),
    "seed": ("Seed", "of adapters and order"),
}
ADVANCED: Mapping[str, tuple[str, str]] = {
    "micro_batch": ("Micro-batch", "examples per device at once; changes memory, never the result"),
    "checkpointing": ("Recompute activations", "less memory, a third slower"),
    "precision": ("Precision", "auto: bfloat16 where the device multiplies it natively"),
    "schedule": ("Schedule", "of the learning rate"),
    "warmup": ("Warm-up", "share of the steps"),
    "weight_decay": ("Weight decay", ""),
    "clip": ("Longest gradient", "0: not clipped"),
    "betas": ("Adam's betas", "two numbers"),
    "patience": ("Patience", "evaluations without a better one before the run ends; 0: never"),
    "max_val": ("Held-out questions", "asked at most, the same ones each time"),
    "max_tokens": ("Longest answer", "tokens, at evaluation"),
    "processes": ("Processes", "one a GPU"),
    "sharded": ("Sharded", "weights are divided among processes (FSDP 2)"),
    "lora.r": ("LoRA rank", "the paper's: 8"),
    "lora.alpha": ("LoRA alpha", ""),
    "lora.dropout": ("LoRA dropout", ""),
    "lora.where": ("LoRA on", "the encoder alone, as the paper's specialists, or everywhere"),
    "lora.targets": ("LoRA layers", "names of linear layers; empty: every one but the head"),
}
_FLAGS = ("objective", "student", "name", "epochs", "steps", "batch", "lr", "seed")
"""Settings with an option of their own in `vpd train`."""

_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def form() -> list[dict[str, Any]]:
    """Every setting with its kind, default and words; read off the job's own record."""
    return [
        _field(key, words, group)
        for group, all in (("basic", BASIC), ("advanced", ADVANCED))
        for key, words in all.items()
    ]


def _field(key: str, words: tuple[str, str], group: str) -> dict[str, Any]:
    table, _, name = key.rpartition(".")
    record = Lora if table else Job
    [found] = [one for one in fields(record) if one.name == name]
    hint = get_type_hints(record)[name]
    options = [one for one in get_args(hint) if isinstance(one, str)]
    kinds = {int: "whole", float: "number", bool: "yes", str: "text"}
    kind = "choice" if options else kinds.get(hint, "numbers" if name == "betas" else "names")
    default = list(found.default) if isinstance(found.default, tuple) else found.default
    return {
        "key": key,
        "label": words[0],
        "says": words[1],
        "group": group,
        "kind": kind,
        "options": options,
        "default": default,
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
class Checked:
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


def checked(project: Project, given: Mapping[str, Any]) -> Checked:
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
            content = opened(folder).manifest.content
            rows = {side: int(held["count"]) for side, held in content.rows.items()}
            if not rows["train"]:
                reasons.append("the snapshot has no example to train on")
            reasons += _leaks(leak(project, content))
        except WorkbenchError as error:
            reasons.append(str(error))
    job = None
    if folder is not None and not problems:
        job = job_of({**given, "snapshot": str(folder)})
    return Checked(job, problems, reasons, _changed(job) if job else (), rows["train"], rows["val"])


def _leaks(found: Mapping[str, Any]) -> list[str]:
    same, near = found["same"], found["near"]
    if not same + near:
        return []
    what = f"evaluation has {same} of its pictures" + (f" and {near} that look like one" if near else "")
    return [f"{what} ({', '.join(found['splits'])}); take the snapshot again: pictures of evaluation stay out then"]


def _problems(given: Mapping[str, Any]) -> dict[str, str]:
    """Every wrong setting by itself, so that each is told beside its field."""
    tables = given.get("lora", {})
    single = {key: {key: value} for key, value in given.items() if key not in ("snapshot", "lora")}
    nested = (
        {f"lora.{key}": {"lora": {key: value}} for key, value in tables.items()}
        if isinstance(tables, Mapping)
        else {"lora": {"lora": tables}}
    )
    found = {}
    for key, raw in {**single, **nested}.items():
        try:
            job_of({"snapshot": "-", **raw}, "")
        except WorkbenchError as error:
            found[key] = (
                str(error).removeprefix(": ").removeprefix(f"[lora]: {key.rpartition('.')[2]} ").removeprefix(f"{key} ")
            )
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
    """Why a student cannot be one, as far as can be seen without loading it; empty when nothing speaks against it."""
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
    return [key for key in now if key not in ("snapshot", "name", "student") and now[key] != plain[key]]


def flat(job: Job) -> dict[str, Any]:
    """Every setting by one key; those of tables as `lora.r`."""
    held = asdict(job)
    tables = {"lora": held.pop("lora"), "arguments": held.pop("arguments")}
    return {**held, **{f"{table}.{key}": value for table, inner in tables.items() for key, value in inner.items()}}


def told(project: Project, found: Checked) -> dict[str, Any]:
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
        **shown, "toml": job_text(job), "command": command(project, job),
        "steps": total_steps(job, found.examples) if found.examples else None, "batch": min(job.batch, found.examples),
    }  # fmt: skip


def command(project: Project, job: Job) -> str:
    """The same job from the command line."""
    words = ["vpd", "train", "--project", str(project.path.resolve()), "--snapshot", Path(job.snapshot).name]
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
