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

from app.train_data import SharedPictures, folder_of, open_snapshot, shared_pictures
from app.train_fields import FieldKind, FormField, card_fields, teacher_problem
from workbench import registry
from workbench.catalogue import recipes
from workbench.errors import WorkbenchError
from workbench.local_files import real_path
from workbench.models.weights import EMBEDDED, NAMES, SMALL, small_folder
from workbench.records import JSON
from workbench.schema import describe, problems, sentences
from workbench.snapshot import Snapshot
from workbench.store import Project
from workbench.train.job import PARTS, Job, Lora, job_of, job_text, student_of, usual
from workbench.train.looks import Estimate
from workbench.train.methods import METHODS
from workbench.train.schedule import total_steps
from workbench.trust import code_of_job

BASIC = ("name", "epochs", "steps", "batch", "lr", "eval_every", "seed")
"""Settings that the form always shows, in its order; the others are behind a fold."""
APART = (
    "snapshot", "student", "objective", "arguments", "method", "runner", "template", *PARTS,
)  # fmt: skip
"""Settings that have a place of their own in the walkthrough, or none: a page starts no command."""
_KINDS: Mapping[type, FieldKind] = {
    kinds.IntType: "whole", kinds.FloatType: "number", kinds.BoolType: "yes", kinds.StrType: "text",
    kinds.LiteralType: "choice", kinds.TupleType: "numbers", kinds.VarTupleType: "names",
}  # fmt: skip
"""Kind of a field's control, by the type of the setting."""
_UNCLEAR = ("whole", "number", "numbers")
"""Kinds whose control does not show by itself what it takes."""
_FLAGS = ("objective", "student", "name", "epochs", "steps", "batch", "lr", "seed")
"""Settings with an option of their own in `vpd train`."""

JobTable = dict[str, JSON]
"""The keys of a job's file with their values: any JSON, since it comes from people and the keys of
`arguments` are those of an objective that may be a stranger's.
"""

_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def form() -> list[FormField]:
    """Every setting with its kind, default and words, as the job's own record has them."""
    job = {key: setting for key, setting in describe(Job).items() if key not in APART}
    inner = [_field(Lora, key, "lora.") for key in describe(job.pop("lora").hint)]
    return [_field(Job, key) for key in (*BASIC, *(key for key in job if key not in BASIC))] + inner


def _field(record: type, key: str, table: str = "") -> FormField:
    """The field of one setting.

    Args:
        record: the record that has the setting.
        key: its name there.
        table: what the form puts before the key, such as `lora.`.
    """
    setting = describe(record)[key]
    kind = _KINDS[type(setting.kind)]
    takes = f" Takes {setting.expected}." if kind in _UNCLEAR else ""
    default = setting.default
    return FormField(
        key=f"{table}{key}",
        label=setting.label,
        says=sentences(record)[key] + takes,
        group="advanced" if table or key not in BASIC else "basic",
        kind=kind,
        options=list(setting.options),
        default=list(default) if isinstance(default, tuple) else default,
    )


@dataclass(frozen=True, slots=True)
class ObjectiveChoice:
    """An objective, as the form offers it."""

    name: str
    says: str
    """What it does, in a sentence or two; empty where nobody said it."""
    needs_teacher: bool
    fields: list[FormField]
    """Its settings; empty for one without a card."""


def objectives() -> list[ObjectiveChoice]:
    """Every registered objective; those that are published methods say so by their cards."""
    cards = {one.card.name: one.card for one in recipes() if one.card.port == "objective"}
    return [
        ObjectiveChoice(
            name=name,
            says=cards[name].idea if name in cards else "",
            needs_teacher=name in cards and "teacher" in cards[name].needs,
            fields=card_fields(cards[name]) if name in cards else [],
        )
        for name in registry.parts("objective")
    ]


def methods() -> dict[str, str]:
    """Why a method is not there on this machine; empty where it is."""
    needs = []
    if shutil.which("nvidia-smi") is None:
        needs.append("a CUDA device")
    if importlib.util.find_spec("bitsandbytes") is None:
        needs.append("the package bitsandbytes")
    return {"lora": "", "qlora": f"needs {' and '.join(needs)}" if needs else "", "full": ""}


@dataclass(frozen=True, slots=True)
class JudgedSettings:
    """The settings of a job, judged."""

    job: Job | None
    """None where a setting is wrong."""
    problems: Mapping[str, str]
    """What is wrong, by setting; `lora.r` is one of a table."""
    reasons: Sequence[str]
    """Why the job cannot start; empty when it can."""
    changed: Sequence[str]
    """Settings that differ from the defaults."""
    examples: int
    """Number of examples to train on."""
    held_out: int
    """Number of examples to validate on."""


def judge(project: Project, settings: Mapping[str, Any]) -> JudgedSettings:
    """Judge settings: the keys of a job, with the snapshot as its hash."""
    problems = _problems(settings)
    reasons = [f"{key}: {text}" for key, text in problems.items()]
    rows = {"train": 0, "val": 0}
    folder: Path | None = None
    if not settings.get("snapshot"):
        reasons.insert(0, "no snapshot is chosen")
    else:
        try:
            folder = folder_of(project, str(settings["snapshot"]))
            snapshot = open_snapshot(folder)
            rows = _rows(snapshot, str(settings.get("objective", "vpd")))
            if not rows["train"]:
                reasons.append(_nothing(str(settings.get("objective", "vpd"))))
            reasons += _leaks(shared_pictures(project, snapshot.manifest.content))
        except WorkbenchError as error:
            reasons.append(str(error))
    job = None
    if folder is not None and not problems:
        job = job_of({**settings, "snapshot": str(folder)})
    return JudgedSettings(
        job, problems, reasons, _changes(job) if job else (), rows["train"], rows["val"]
    )


def _rows(snapshot: Snapshot, objective: str) -> dict[str, int]:
    """How many rows each side has for an objective."""
    if objective in METHODS:
        train = sum(one.kind == "rationale" for one in snapshot.pairs("train"))
        return {"train": train, "val": int(snapshot.manifest.content.rows["val"]["count"])}
    return {side: int(part["count"]) for side, part in snapshot.manifest.content.rows.items()}


def _nothing(objective: str) -> str:
    """Why a job cannot start from a snapshot that has no row for an objective."""
    if objective in METHODS:
        return (
            "the snapshot has no preference pair of rationales; take one with vpd snapshot --pairs"
        )
    return "the snapshot has no example to train on"


def _leaks(leak: SharedPictures) -> list[str]:
    """Why a job cannot start from pictures that evaluation has; nothing where there are none."""
    if not leak.same + leak.near:
        return []
    alike = f" and {leak.near} that look like one" if leak.near else ""
    return [
        f"evaluation has {leak.same} of its pictures{alike} ({', '.join(leak.splits)}); "
        "take the snapshot again: pictures of evaluation stay out then"
    ]


def _problems(settings: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each setting, by its key, so that it stands beside its field."""
    texts = problems(Job, {**settings, "snapshot": "-"})
    if settings.get("runner"):  # who may open a page may not run any program by it
        texts["runner"] = "a command is not taken from a page; use vpd train --set runner=COMMAND"
    for line in code_of_job({**settings, "runner": ""}):
        role, _, code = line.partition(": ")
        texts[role] = f"code of one's own ({code:.80}) is not taken from a page; use vpd train"
    if "student" not in texts:
        texts["student"] = student_problem(str(settings.get("student", "bundled")))
    if text := methods().get(str(settings.get("method", "lora")), ""):
        texts["method"] = text
    if "arguments" not in texts and "objective" not in texts:
        texts["objective"] = _objective_problem(settings)
    if "teacher" not in texts:
        texts["teacher.part"] = teacher_problem(settings.get("teacher") or {})
    return {key: text for key, text in texts.items() if text}


def _objective_problem(settings: Mapping[str, Any]) -> str:
    """Why there is no such objective with these arguments; empty where there is one."""
    name, arguments = str(settings.get("objective", "vpd")), settings.get("arguments", {})
    names = registry.parts("objective")
    if name not in names:
        return f"there is no objective '{name}'; registered are: {', '.join(names)}"
    needs = next((one.card.needs for one in recipes() if one.card.name == name), ())
    teacher = settings.get("teacher")
    if "teacher" in needs and not (teacher and teacher.get("part")):
        return f"{name} needs a teacher: choose one"
    if arguments:
        try:
            registry.build("objective", name, **arguments)
        except WorkbenchError as error:
            return str(error)
    return ""


def student_problem(student: str) -> str:
    """Why a student cannot be one, as far as that shows without loading it; empty when it can."""
    if student in SMALL:
        try:
            small_folder(student)
        except WorkbenchError as error:
            return str(error)
    if student in EMBEDDED or (Path(student) / "config.json").is_file():
        return ""
    if Path(student).is_absolute() or student.startswith((".", "~")) or not _HUB.fullmatch(student):
        return (
            f"'{student:.80}' is no folder with a config.json; give {NAMES}, "
            "a checkpoint's folder or a hub id (owner/name)"
        )
    return ""


def _changes(job: Job) -> list[str]:
    now, plain = flat(job), flat(Job(job.snapshot))
    return [
        key
        for key in now
        if key not in ("snapshot", "name", "student") and now[key] != plain.get(key)
    ]


def flat(job: Job) -> JobTable:
    """Every setting by one key; those of tables as `lora.r`."""
    settings = asdict(job)
    for table in ("lora", "arguments", *PARTS):
        for key, value in settings.pop(table).items():
            settings[f"{table}.{key}"] = value
    return settings


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the walkthrough shows of the settings at hand."""

    problems: Mapping[str, str]
    """What is wrong, by setting; `lora.r` is one of a table."""
    reasons: Sequence[str]
    """Why the job cannot start; empty when it can."""
    changed: Sequence[str]
    """Settings that differ from the defaults."""
    examples: int
    """Number of examples to train on."""
    held_out: int
    """Number of examples to validate on."""
    toml: str
    """The job's file; empty where a setting is wrong."""
    command: str
    """The same job from the command line; empty where a setting is wrong."""
    steps: int | None
    """Number of steps; None where a setting is wrong, or without an example."""
    batch: int | None
    """Number of examples in a step; None where a setting is wrong."""
    measured: Estimate | None
    """What the job will cost, where that was measured."""
    free_mb: float
    """Space on the project's disk."""


def judgement(
    project: Project, settings: JudgedSettings, estimate: Estimate | None = None
) -> Judgement:
    """What was judged, for the page: with steps, batch, the command and the file.

    Args:
        project: the project that the job belongs to.
        settings: what `judge` returned.
        estimate: what the job will cost, where that was measured.
    """
    job, examples = settings.job, settings.examples
    return Judgement(
        problems=settings.problems,
        reasons=settings.reasons,
        changed=settings.changed,
        examples=examples,
        held_out=settings.held_out,
        toml=job_text(job) if job else "",
        command=command(project, job) if job else "",
        steps=total_steps(job, examples) if job and examples else None,
        batch=min(job.batch, examples) if job else None,
        measured=estimate,
        free_mb=shutil.disk_usage(project.path).free / 2**20,
    )


def command(project: Project, job: Job) -> str:
    """The same job from the command line."""
    words = ["vpd", "train", "--project", str(real_path(project.path))]
    words += ["--snapshot", Path(job.snapshot).name]
    # a command without --student teaches the profile's, and each student as is usual for it
    unsaid = flat(job_of({"snapshot": job.snapshot, **usual(job.student)}))
    now, plain = flat(job), {**unsaid, "student": student_of(project.profile())}
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
