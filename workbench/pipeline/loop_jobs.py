"""Imports and runs of the loop that pages begin: processes that outlive the page and the server.

States are read off the disk, so that any process may ask for them at any time.  A process attaches
to the store of the server that began it, or owns the store itself where that server has ended.

runs/<id>/
    wish.json      what to do
    process.json   the process that does it
    status.json    how far it is, or how it ended
    log.txt        what it printed
    stop           somebody asked it to stop

One works at a time.  What it wrote is kept however it ends; the same wish begun again does what is
left.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock
from msgspec import ValidationError, convert

from workbench import processes, registry
from workbench.errors import InputError
from workbench.ports import HasSplits
from workbench.records import JSON
from workbench.settings import Choice
from workbench.store import Project
from workbench.store.reading.work import ahead
from workbench.store.records import sources
from workbench.tasks.bundled import BUNDLED
from workbench.train.status_files import STATUS, read_json, write_json

FOLDER = "runs"
WISH, PROCESS, LOG, STOP = "wish.json", "process.json", "log.txt", "stop"

KEPT = 20
"""Ended jobs whose folders are kept."""

MOST = 100_000
"""Questions that may be asked for at once."""

YOUNG = 30.0
"""Seconds in which a job may be without a process: whoever began it is about to note it."""

LoopWork = Literal["import", "run"]
LoopState = Literal["running", "stopping", "stopped", "failed", "done"]


@dataclass(frozen=True, slots=True)
class LoopWish:
    """What a job is to do; it says the same however often it is begun."""

    work: LoopWork
    questions: int
    """Number of questions that somebody asked for."""
    limit: int
    """Number of questions of the split that the project is to have, or to bring through the loop.
    """
    split: str | None = None
    """None takes all."""
    k: int | None = None
    """Programs of a question; None takes the profile's number."""
    source: str = ""
    """Name of the task source of an import."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Arguments of that source."""
    selected: int | None = None
    """How many questions of this source and split the project remembers that it is to have; None
    where it takes all of them anyway.
    """
    person: str = ""
    """Who asked."""


@dataclass(frozen=True, slots=True)
class LoopJob:
    """A job as the disk shows it."""

    id: str
    work: LoopWork
    questions: int
    split: str | None
    source: str
    person: str
    state: LoopState
    stage: str
    """Stage at work; `load` while models are loaded, empty before it says so."""
    done: int
    total: int
    unit: str
    """What is counted, such as `programs`."""
    stage_left: float | None
    """Seconds left in this stage; None where that cannot be said."""
    left: float | None
    """Seconds left in all; None where no earlier run tells what a later stage takes."""
    at: float
    """When it was begun, in seconds since 1970."""
    seconds: float
    """How long it has worked, or did."""
    problem: str
    """Why it failed, and what to do; empty where it did not."""
    notes: list[str]
    """What it did and what was left out, in sentences."""


class LoopJobs:
    """The jobs of a project.

    Args:
        project: folder of the project.
    """

    def __init__(self, project: Path) -> None:
        self.root = project.resolve() / FOLDER

    def all(self) -> list[LoopJob]:
        """All jobs, the newest first."""
        jobs = [job for path in self.root.glob(f"[!.]*/{WISH}") if (job := _view(path.parent))]
        return sorted(jobs, key=lambda job: (-job.at, job.id))

    def latest(self) -> LoopJob | None:
        """The job that works, or the one that did so last; None where there was none."""
        return next(iter(self.all()), None)

    def show(self, which: str) -> LoopJob:
        """One job.  Raises InputError where there is none of this id."""
        job = next((one for one in self.all() if one.id == which), None)
        if job is None:
            raise InputError(f"no job is called '{which}'; reload the page to see which there are")
        return job

    def begin(self, wish: LoopWish, request: str) -> str:
        """Begin a job; returns its id.

        Args:
            wish: what to do.
            request: names the request; the same one again is the same job.

        Raises:
            InputError: another job works.
        """
        name = hashlib.sha256(request.encode()).hexdigest()[:12]
        with self._lock():
            folder = self.root / name
            if (folder / WISH).exists():
                return name
            self._check_free()
            self._forget()
            folder.mkdir(exist_ok=True)
            write_json(folder / WISH, asdict(wish))
            _start(folder)
        return name

    def resume(self, which: str) -> None:
        """Begin a job again that stopped or failed: it does what is left.

        Raises:
            InputError: it did neither, or another job works.
        """
        with self._lock():
            job = self.show(which)
            if job.state not in ("stopped", "failed"):
                raise InputError(f"this work is {job.state}; only what stopped or failed can go on")
            self._check_free()
            folder = self.root / job.id
            (folder / STOP).unlink(missing_ok=True)
            (folder / STATUS).unlink(missing_ok=True)
            (folder / PROCESS).unlink(missing_ok=True)
            _start(folder)

    def stop(self, which: str) -> None:
        """Ask a job to stop as Ctrl-C does; asked again, end it at once.

        Raises:
            InputError: it does not work.
        """
        with self._lock():
            job = self.show(which)
            if job.state not in ("running", "stopping"):
                raise InputError(f"this work is {job.state}: there is nothing to stop")
            folder = self.root / job.id
            note = read_json(folder / PROCESS)
            (folder / STOP).touch()
            if job.state == "stopping":
                processes.end(note)
            else:
                processes.interrupt(note)

    def _check_free(self) -> None:
        busy = next((one for one in self.all() if one.state in ("running", "stopping")), None)
        if busy is not None:
            what = "an import" if busy.work == "import" else "a run"
            raise InputError(
                f"{what} of {busy.person or 'somebody'} is {busy.state} here; stop it, or wait "
                "until it has ended"
            )

    def _forget(self) -> None:
        for job in self.all()[KEPT - 1 :]:
            shutil.rmtree(self.root / job.id, ignore_errors=True)

    def _lock(self) -> FileLock:
        self.root.mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / ".lock", timeout=30)


def run_wish(
    project: Project, questions: int, split: str | None, k: int | None, person: str
) -> LoopWish:
    """Bring so many waiting questions through the loop.

    Args:
        project: an open project.
        questions: how many of those that wait, in the order of import.
        split: only questions of this split; None takes all.
        k: programs of a question; None takes the profile's number.
        person: who asks.

    Raises:
        InputError: a number is out of range, or the profile cannot be read.
    """
    _check_questions(questions)
    k = k or project.profile().k
    if not 1 <= k <= 100:
        raise InputError(f"a question gets 1 to 100 programs; found {k}")
    limit = ahead(project.database, split, questions, k).limit
    return LoopWish("run", questions, limit, split, k, person=person)


def import_wish(
    project: Project, source: Choice, questions: int, split: str | None, person: str
) -> LoopWish:
    """Add so many questions of a source to those that the project has.

    Args:
        project: an open project.
        source: where they come from.
        questions: how many.
        split: only questions of this split; None takes all.
        person: who asks.

    Raises:
        InputError: the number is out of range.
    """
    _check_questions(questions)
    chosen = [one for one in sources.selections(project.database) if one.choice == source]
    takes_all = any(one.limit is None and one.split in (None, split) for one in chosen)
    earlier = next((one.limit or 0 for one in chosen if one.split == split), 0)
    return LoopWish(
        "import",
        questions,
        project.count_tasks(split) + questions,
        split,
        source=source.part,
        arguments=dict(source.arguments),
        selected=None if takes_all else earlier + questions,
        person=person,
    )


def _check_questions(questions: int) -> None:
    if not 1 <= questions <= MOST:
        raise InputError(f"1 to {MOST:,} questions are taken at once; found {questions:,}")


def sources_of(project: Project) -> list[Choice]:
    """Where questions may come from: the project's own sources, and those that come along."""
    own = project.sources()
    return [*own, *(one for one in map(Choice, BUNDLED) if one not in own)]


def splits_of(source: Choice) -> list[str]:
    """The splits of a source, where it knows them before it reads a row; else none.

    Raises:
        WorkbenchError: the source cannot be built any more.
    """
    task_source = registry.build("source", source.part, **source.arguments)
    return list(task_source.splits) if isinstance(task_source, HasSplits) else []


def read_wish(folder: Path) -> LoopWish | None:
    """What a job is to do; None where its file is of another version, or broken."""
    try:
        return convert(read_json(folder / WISH), LoopWish)
    except ValidationError:
        return None


def _start(folder: Path) -> None:
    """Start a job's process, in a session of its own, with its log in a file."""
    write_json(folder / STATUS, {"state": "running", "began": time.time()})
    command = [sys.executable, "-m", "workbench.pipeline.loop_job", str(folder)]
    process = processes.begin(command, folder / LOG)
    note = processes.note_of(process.pid)
    if note is not None:
        write_json(folder / PROCESS, note)


def _view(folder: Path) -> LoopJob | None:
    wish = read_wish(folder)
    if wish is None:
        return None
    process = read_json(folder / PROCESS)  # before the status: what ended has written that last
    alive = processes.living(process) is not None
    status = read_json(folder / STATUS)
    began = float(status.get("began", 0.0))
    state = _state(folder, status, alive or (not process and time.time() - began < YOUNG))
    works = state in ("running", "stopping")
    return LoopJob(
        id=folder.name,
        work=wish.work,
        questions=wish.questions,
        split=wish.split,
        source=wish.source,
        person=wish.person,
        state=state,
        stage=str(status.get("stage", "")),
        done=int(status.get("done", 0)),
        total=int(status.get("total", 0)),
        unit=str(status.get("unit", "")),
        stage_left=status.get("stage_left") if works else None,
        left=status.get("left") if works else None,
        at=began,
        seconds=round((time.time() if works else float(status.get("at", began))) - began, 1),
        problem=_problem(folder, status) if state == "failed" else "",
        notes=list(status.get("notes", ())),
    )


def _state(folder: Path, status: Mapping[str, JSON], alive: bool) -> LoopState:
    stop = (folder / STOP).exists()
    ends: tuple[LoopState, ...] = ("done", "failed", "stopped")
    for end in ends:
        if status.get("state") == end:
            return end
    if alive:
        return "stopping" if stop else "running"
    return "stopped" if stop else "failed"


def _problem(folder: Path, status: Mapping[str, JSON]) -> str:
    """Why a job failed, as it said itself, or as its silence does."""
    if status.get("state") == "failed":
        return str(status.get("problem", ""))
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        lines = []
    last = next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
    return (
        "Its process ended without a word: it was killed, ran out of memory, or the machine was "
        "started again. What it wrote is kept." + (f" It printed last: {last}" if last else "")
    )
