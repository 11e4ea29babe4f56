"""Jobs as the Train page shows them: the list, one of them, several beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from app.site import Site
from app.train_form import JobTable, command, flat
from workbench.errors import InputError, WorkbenchError
from workbench.records import JSON
from workbench.snapshot import Snapshot
from workbench.train.failure import FailureCard
from workbench.train.job import FILE, Job, job_text, read_job
from workbench.train.jobs import Jobs, JobView
from workbench.train.sources import changed_sources
from workbench.train.status_files import RESULT, STATUS, VALIDATION, State, read_json, read_lines

TOGETHER = 8
"""Runs compared at once."""

LOG_LINES = 30

ENDED = ("done", "failed", "stopped")


ValidationLine = Mapping[str, JSON]
"""One line that a run wrote of a held-out question, as its file of JSON lines holds it."""

SnapshotTable = dict[str, JSON]
"""Sizes of a snapshot and the wish behind it, by name: any JSON, since it is only compared."""

Change = Literal["improved", "broke", "same"]
"""What became of an answer between the first and the last checkpoint."""


@dataclass(frozen=True, slots=True)
class JobListing:
    """A job's line in the list."""

    id: str
    name: str
    state: State
    step: int
    total: int
    eta: float | None
    """Seconds left; None where that is not known."""
    place: int | None
    """Place in the queue, from 1; None where it does not wait."""
    silent: float | None
    """Seconds without a sign of life, where a running job gave none for long."""
    phase: str
    """What the run is doing, such as training."""
    loss: float | None
    cause: str | None
    """Why it failed, in a word."""
    at: float
    """When it was submitted, in seconds since 1970."""
    student: str
    objective: str
    method: str
    snapshot: str
    """Hash of the snapshot."""
    accuracy: float | None
    """Share of held-out questions that the finished model answers rightly."""
    interval: tuple[float, float] | None
    """95 % interval of that share."""
    of: int | None
    """Number of held-out questions."""
    first: float | None
    """The same share before training."""
    steps: int | None
    """Number of steps of the finished run."""
    memory_mb: float | None
    rows: int | None
    """Number of examples that it was trained on."""
    seconds: float | None
    """Duration of the finished run."""
    resume: str
    """Why it cannot be resumed; empty when it can."""


@dataclass(frozen=True, slots=True)
class CheckpointAnswer:
    """The student's answer to one question at one checkpoint."""

    step: int
    answer: str
    right: float
    """Score of the answer, 0 to 1."""
    cut: bool
    """Whether it was cut at the longest answer of the job."""


@dataclass(frozen=True, slots=True)
class FixedAnswer:
    """One of the few held-out questions that are asked at every checkpoint."""

    task: str
    question: str
    gold: str
    thumb: str | None
    """Address of the picture; None where the project does not have it."""
    answers: list[CheckpointAnswer]
    change: Change


@dataclass(frozen=True, slots=True)
class JobDetail(JobListing):
    """One job with all that its page shows."""

    folder: str
    settings: JobTable
    """The keys of the job's file; none where it cannot be read."""
    toml: str
    """The job's file."""
    command: str
    """The same job from the command line."""
    failure: FailureCard | None
    """Why it failed, and what to change."""
    log: list[str]
    """The last lines of the log."""
    checkpoints: list[int]
    """Steps of the checkpoints on the disk, in order."""
    best: int | None
    """Step whose weights the finished model has."""
    answers: list[FixedAnswer]
    card: str
    """The model card; empty without a finished model."""
    model: str
    """Folder of the finished model; empty without one."""


@dataclass(frozen=True, slots=True)
class JobComparison:
    """Several jobs beside each other."""

    jobs: list[JobListing]
    settings: Mapping[str, list[JSON]]
    """By setting that differs, the value of each job; None where a job lacks it."""
    snapshots: Mapping[str, list[JSON]]
    """By figure that differs, the value of each job's snapshot; None where it lacks it."""


def row(view: JobView) -> JobListing:
    """A job's line in the list."""
    job = _job(view)
    result = read_json(view.folder / RESULT)
    status = read_json(view.folder / STATUS)
    return JobListing(
        id=view.id,
        name=view.name,
        state=view.state,
        step=view.step,
        total=view.total,
        eta=view.eta,
        place=view.place,
        silent=view.silent,
        phase=status.get("phase", ""),
        loss=status.get("loss"),
        cause=str(view.failure["cause"]) if view.failure else None,
        at=(view.folder / FILE).stat().st_mtime,
        student=student_name(view, job.student) if job else "",
        objective=job.objective if job else "",
        method=job.method if job else "",
        snapshot=Path(job.snapshot).name if job else "",
        accuracy=result.get("accuracy"),
        interval=_interval(result.get("interval")),
        of=result.get("of"),
        first=result.get("first"),
        steps=result.get("steps"),
        memory_mb=result.get("memory_mb"),
        rows=result.get("rows"),
        seconds=result.get("seconds"),
        resume=resume_problem(view, job),
    )


def _interval(ends: Sequence[float] | None) -> tuple[float, float] | None:
    if not ends:
        return None
    low, high = ends
    return low, high


def student_name(view: JobView, student: str) -> str:
    """What a student is called: an earlier job's model by its job, a folder by its last part."""
    path = Path(student)
    if path.name == "model" and path.parent.parent == view.folder.parent:
        return f"model of {path.parent.name}"
    return path.name if path.is_absolute() else student


def _job(view: JobView) -> Job | None:
    try:
        return read_job(view.folder / FILE)
    except WorkbenchError:
        return None


def resume_problem(view: JobView, job: Job | None) -> str:
    """Why a job cannot be resumed; empty when it can."""
    if view.state not in ("stopped", "failed"):
        return f"it is {view.state}"
    if job is None:
        return "its job.toml cannot be read; clone an earlier one"
    if not (view.folder / job.snapshot / "manifest.json").is_file():
        return "its snapshot is gone; take it again, then clone the job"
    states = sorted((view.folder / "checkpoints").glob("step-*/state.json"))
    if states and read_json(states[-1]).get("key") not in ("", job.key):
        return "its settings were edited since its last checkpoint; clone it to start anew"
    if states and (changed := changed_sources(read_json(states[-1]), job)):
        return f"{changed} holds something else since its last checkpoint; clone it to start anew"
    return ""


def detail(site: Site, jobs: Jobs, which: str) -> JobDetail:
    """One job with its log, checkpoints, answers on the fixed held-out pictures, and model card.

    Args:
        site: the pages; the job's command names their project.
        jobs: the jobs of that project.
        which: id of the job, or the beginning of one.

    Raises:
        InputError: there is no such job.
    """
    view = jobs.show(which)
    job, result = _job(view), read_json(view.folder / RESULT)
    model = view.folder / result["model"] if result else None
    states = (view.folder / "checkpoints").glob("step-*/state.json")
    return JobDetail(
        **asdict(row(view)),
        folder=str(view.folder),
        settings=asdict(job) if job else {},
        toml=job_text(job) if job else "",
        command=command(site.project, job) if job else "",
        failure=_failure_card(view),
        log=[line[:2000] for line in jobs.log(view.id, LOG_LINES)],
        checkpoints=sorted(int(path.parent.name[5:]) for path in states),
        best=result.get("step"),
        answers=_answers(site, view.folder),
        card=_text(model / "README.md") if model else "",
        model=str(model) if model else "",
    )


def _failure_card(view: JobView) -> FailureCard | None:
    """Why a job failed, as its status file says."""
    card = view.failure
    if card is None:
        return None
    return FailureCard(card["cause"], card["text"], card["advice"], card["change"])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:20_000]
    except OSError:
        return ""


def _answers(site: Site, folder: Path) -> list[FixedAnswer]:
    """Each fixed held-out question with its answer at every checkpoint."""
    by_task: dict[str, list[ValidationLine]] = defaultdict(list)
    for line in read_lines(folder / VALIDATION):
        by_task[str(line.get("task_id"))].append(line)
    return [_fixed_answer(site, lines) for lines in by_task.values()]


def _fixed_answer(site: Site, lines: Sequence[ValidationLine]) -> FixedAnswer:
    """One question, of the lines that checkpoints wrote about it, in order."""
    last = lines[-1]
    picture = site.project.images.path(last["image"])
    return FixedAnswer(
        task=last["task_id"],
        question=last["question"],
        gold=last["gold"],
        thumb=f"thumb/{last['image']}" if picture else None,
        answers=[
            CheckpointAnswer(one["step"], one["answer"], one["right"], bool(one.get("cut")))
            for one in lines
        ],
        change=_change(last["right"] - lines[0]["right"]),
    )


def _change(gain: float) -> Change:
    if gain > 0:
        return "improved"
    return "broke" if gain < 0 else "same"


def together(jobs: Jobs, ids: Sequence[str]) -> JobComparison:
    """Several jobs beside each other: their figures, and what differs in settings and snapshots.

    Args:
        jobs: the jobs of the project.
        ids: at most 8 of them; the newest five that have run if empty.

    Raises:
        InputError: there is no such job, or they are too many.
    """
    if len(ids) > TOGETHER:
        raise InputError(f"{len(ids)} runs were chosen; at most {TOGETHER} fit beside each other")
    views = [jobs.show(one) for one in dict.fromkeys(ids)]
    if not views:
        views = [one for one in jobs.all() if one.step or one.state in ENDED][:5]
    settings = _differing([_settings(one) for one in views])
    settings.pop("name", None)
    return JobComparison(
        jobs=[row(one) for one in views],
        settings=settings,
        snapshots=_differing([_snapshot(one) for one in views]),
    )


def _differing(tables: Sequence[Mapping[str, JSON]]) -> dict[str, list[JSON]]:
    """What is not the same in all tables, by key: the value of each; None where one lacks it."""
    keys = dict.fromkeys(key for one in tables for key in one)
    columns = {key: [one.get(key) for one in tables] for key in keys}
    return {key: column for key, column in columns.items() if column != column[:1] * len(column)}


def _settings(view: JobView) -> JobTable:
    job = _job(view)
    return {**flat(job), "snapshot": Path(job.snapshot).name} if job else {}


def _snapshot(view: JobView) -> SnapshotTable:
    """Sizes of a job's snapshot, and the wish that chose its questions."""
    job = _job(view)
    try:
        manifest = Snapshot.open(view.folder / job.snapshot).manifest if job else None
    except WorkbenchError:
        manifest = None
    if manifest is None:
        return {"hash": None}
    counts, rows = manifest.content.counts, manifest.content.rows
    return {
        "hash": manifest.hash,
        "name": manifest.name,
        "train": rows["train"]["count"],
        "val": rows["val"]["count"],
        **{key: counts[key] for key in ("rationales", "edited", "pictures", "kinds", "families")},
        **{f"filter: {key}": value for key, value in manifest.content.filter.items()},
    }
