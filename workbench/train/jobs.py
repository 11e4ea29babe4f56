"""The queue of training jobs: folders, nothing else.

States are read off the disk, so that any process may ask for them at any time, and nothing is lost
when one dies.

jobs/<id>/
    job.toml       what to run
    queue.json     its place; there only while it waits
    process.json   the process that runs it
    log.txt        what that process printed
    stop           a request to stop: `save` or `now`
    ...            what the run writes (`status_files`, `checkpoint`)

One job runs at a time, unless more are asked for.  A runner (`python -m workbench.train.jobs FOLDER
[NUMBER]`), itself detached, starts one after the other, each in a session of its own; killed, it
leaves the jobs running, and whoever next asks starts another runner.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench import processes, trust
from workbench.errors import InputError, ProfileError
from workbench.local_files import real_path
from workbench.records import JSON
from workbench.train.failure import explain
from workbench.train.job import FILE, Job, job_of, read_job, write_job
from workbench.train.launchers import local_command
from workbench.train.status_files import RESULT, STATUS, State, read_json, write_json

QUEUE, PROCESS, LOG, STOP = "queue.json", "process.json", "log.txt", "stop"
RUNNER_LOCK = ".runner.lock"
LOOK = 0.5
"""Seconds between two looks at jobs that run side by side."""
SILENT = 95.0
"""Seconds without a sign of life after which a job no longer counts as running."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the disk shows it."""

    id: str
    name: str
    state: State
    step: int
    total: int
    eta: float | None
    """Seconds left; None where they are unknown."""
    place: int | None
    """Place in the queue, from 1; None outside it."""
    silent: float | None
    """Seconds since the last sign of life of a running job; None unless they are many."""
    failure: Mapping[str, JSON] | None
    """Cause, text, advice and change of a failed job."""
    folder: Path


class Jobs:
    """The jobs in a folder.

    Args:
        root: the folder, which the first job makes.
        start: whether to start a runner when there is work; else somebody else runs the queue.
        at_once: number of jobs that a runner started here runs side by side; they share the
            processors and the cards.  Small students use a few processors better so.
    """

    def __init__(self, root: Path, start: bool = True, at_once: int = 1) -> None:
        self.root = real_path(root)
        self._start = start
        self._at_once = max(at_once, 1)

    # what is there

    def all(self) -> list[JobView]:
        """All jobs: the running one, the queue in order, then the ended ones, the newest first."""
        queue = {folder.name: at for at, folder in enumerate(self._queue(), start=1)}
        rows = [
            _view(path.parent, queue.get(path.parent.name))
            for path in self.root.glob(f"[!.]*/{FILE}")
        ]
        rank = {"running": 0, "stopping": 0, "queued": 1}
        newest = {row.id: -(row.folder / FILE).stat().st_mtime for row in rows}
        return sorted(
            rows, key=lambda row: (rank.get(row.state, 2), row.place or 0, newest[row.id])
        )

    def show(self, which: str) -> JobView:
        """One job, by id or the beginning of one."""
        folder = self._folder(which)
        queue = [path.name for path in self._queue()]
        return _view(folder, queue.index(folder.name) + 1 if folder.name in queue else None)

    def log(self, which: str, lines: int = 30) -> list[str]:
        """The last lines of a job's log."""
        return _tail(self._folder(which), lines)

    # what may be done

    def submit(self, job: Job, request: str = "", hand: Callable[[Path], str] | None = None) -> str:
        """Put a job at the end of the queue, or hand it to a cluster; returns its id.

        Whoever submits a job trusts the command and the code that it names.

        Args:
            job: what to run.
            request: names the request; the same one again is the same job.
            hand: gives the job's folder to a cluster and returns the cluster's name for it (see
                `launchers`).
        """
        name = (
            hashlib.sha256(request.encode()).hexdigest()[:12] if request else uuid.uuid4().hex[:12]
        )
        trust.trust(self.root.parent, trust.code_of_job(asdict(job)))
        with self._lock():
            target = self.root / name
            if not target.exists():
                part = self.root / f".{name}.{os.getpid()}"
                part.mkdir()
                write_job(job, part)
                if hand is None:
                    self._enqueue(part)
                part.replace(target)
                if hand is not None:
                    _hand_over(target, hand)
        self.advance()
        return name

    def resume(self, which: str) -> None:
        """Queue a job that stopped or failed; it goes on from its newest checkpoint.

        Raises:
            InputError: it did neither.
            UntrustedCode: it came along with the project, and would run code of its own.
        """
        with self._lock():
            view = self.show(which)
            if view.state not in ("stopped", "failed"):
                raise InputError(
                    f"job {view.id} is {view.state}; only a stopped or failed job can be resumed"
                )
            self._check_code(read_job(view.folder / FILE))
            (view.folder / STOP).unlink(missing_ok=True)
            self._enqueue(view.folder)
        self.advance()

    def clone(self, which: str, changes: Mapping[str, Any] | None = None, request: str = "") -> str:
        """Submit a job's settings again with changes; returns the new id.

        Args:
            which: id of the job, or its beginning.
            changes: new values of settings.
            request: as `submit`.

        Raises:
            ProfileError: a change is wrong.
            UntrustedCode: the job came along with the project, and would run code of its own.
        """
        earlier = read_job(self._folder(which) / FILE)
        self._check_code(earlier)
        return self.submit(job_of({**asdict(earlier), **(changes or {})}), request)

    def _check_code(self, job: Job) -> None:
        trust.check(self.root.parent, trust.code_of_job(asdict(job)))

    def stop(self, which: str, save: bool = True) -> None:
        """Take a job out of the queue, or end it.

        Args:
            which: id of the job, or its beginning.
            save: whether to end after the step at hand, with a checkpoint; else it ends at once,
                and what came after its last checkpoint is lost.

        Raises:
            InputError: it neither waits nor runs.
        """
        with self._lock():
            view = self.show(which)
            if view.state == "queued":
                write_json(
                    view.folder / STATUS, {**read_json(view.folder / STATUS), "state": "stopped"}
                )
                (view.folder / QUEUE).unlink()
                return
            if view.state not in ("running", "stopping"):
                raise InputError(f"job {view.id} is {view.state}: there is nothing to stop")
            (view.folder / STOP).write_text("save" if save else "now", encoding="utf-8")
            if not save:
                processes.end(read_json(view.folder / PROCESS))

    def move(self, which: str, place: int) -> None:
        """Give a waiting job another place, from 1.

        Raises:
            InputError: it does not wait.
        """
        with self._lock():
            folder = self._folder(which)
            waiting = [path for path in self._queue() if path != folder]
            if not (folder / QUEUE).exists():
                raise InputError(f"job {folder.name} is not in the queue")
            waiting.insert(max(place, 1) - 1, folder)
            for order, path in enumerate(waiting):
                write_json(path / QUEUE, {"order": order})

    def delete(self, which: str) -> None:
        """Remove a job with its checkpoints and its model.

        Raises:
            InputError: it runs.
        """
        with self._lock():
            view = self.show(which)
            if view.state in ("running", "stopping"):
                raise InputError(f"job {view.id} is running; stop it first")
            trash = self.root / f".deleted-{view.id}"
            view.folder.replace(trash)
        shutil.rmtree(trash, ignore_errors=True)

    def advance(self) -> None:
        """Start a runner where a job waits; one that meets another runner ends at once."""
        if self._start and self._queue():
            command = [sys.executable, "-m", "workbench.train.jobs", str(self.root)]
            command.append(str(self._at_once))
            processes.begin(command, self.root / ".runner.log")

    def at_work(self) -> bool:
        """Whether a runner is at the queue: for those who look again and again, since a runner that
        is started only to meet another one costs half a second of a processor.
        """
        try:
            with FileLock(self.root / RUNNER_LOCK, timeout=0):
                return False
        except Timeout:
            return True

    def work(self) -> None:
        """Run the queue until it is empty; returns at once where another process does."""
        with suppress(Timeout), FileLock(self.root / RUNNER_LOCK, timeout=0):
            for path in self.root.glob(f"[!.]*/{PROCESS}"):
                _outlive(path)
            places: dict[int, subprocess.Popen[bytes]] = {}
            while True:
                places = {at: one for at, one in places.items() if one.poll() is None}
                if len(places) < self._at_once and self._fill(places):
                    continue
                if not places:
                    return
                with suppress(subprocess.TimeoutExpired):
                    next(iter(places.values())).wait(None if self._at_once == 1 else LOOK)

    def _fill(self, places: dict[int, subprocess.Popen[bytes]]) -> bool:
        """Start the first job that waits in a place that is free; false where none waits."""
        with self._lock():
            waiting = self._queue()
            if not waiting:
                return False
            place = min(set(range(self._at_once)) - set(places))
            process = _start_job(waiting[0], place, self._at_once)
            if process is not None:
                places[place] = process
            return True

    def _queue(self) -> list[Path]:
        places = [
            (read_json(path).get("order", 0), path.parent)
            for path in self.root.glob(f"[!.]*/{QUEUE}")
        ]
        return [folder for _, folder in sorted(places)]

    def _enqueue(self, folder: Path) -> None:
        last = max((read_json(path / QUEUE).get("order", 0) for path in self._queue()), default=-1)
        write_json(folder / QUEUE, {"order": last + 1})

    def _lock(self) -> FileLock:
        self.root.mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / ".lock", timeout=30)

    def _folder(self, which: str) -> Path:
        folders = [
            path.parent
            for path in self.root.glob(f"[!.]*/{FILE}")
            if path.parent.name.startswith(which)
        ]
        if len(folders) != 1 or not which:
            there = (
                ", ".join(sorted(path.parent.name for path in self.root.glob(f"[!.]*/{FILE}")))
                or "none"
            )
            raise InputError(
                f"{len(folders) or 'no'} jobs are called '{which}'; there are: {there}"
            )
        return folders[0]


def _hand_over(folder: Path, hand: Callable[[Path], str]) -> None:
    """Give a job to a cluster; from here on its folder says that it runs elsewhere.

    Nothing of the job is left where that fails.
    """
    try:
        name = hand(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    write_json(folder / PROCESS, {"host": name})
    if not read_json(folder / STATUS):
        write_json(
            folder / STATUS, {"state": "running", "phase": f"handed to {name}", "at": time.time()}
        )


def _start_job(folder: Path, place: int, places: int) -> subprocess.Popen[bytes] | None:
    """Start a job in a session of its own, with its log in a file.

    From here on its folder says that it runs; None where its file is wrong, or where it came along
    with a project and names a command or code that nobody here has trusted.

    Args:
        folder: the job's.
        place: its place among those side by side, from 0.
        places: number of jobs side by side.
    """
    try:
        job = read_job(folder / FILE)
        trust.check(folder.parent.parent, trust.code_of_job(asdict(job)))
    except ProfileError as error:  # edited by hand meanwhile
        text = f"{type(error).__name__}: {error}"
        write_json(folder / STATUS, {"state": "failed", "failure": asdict(explain(text, {}))})
        (folder / QUEUE).unlink()
        return None
    (folder / STOP).unlink(missing_ok=True)
    status = read_json(folder / STATUS)
    write_json(
        folder / STATUS,
        {
            "state": "running",
            "phase": "starting",
            "step": status.get("step", 0),
            "total": status.get("total", 0),
            "at": time.time(),
        },
    )
    shared = processes.share(place, places) if places > 1 else {}
    process = processes.begin(local_command(folder, job), folder / LOG, shared)
    note = processes.note_of(process.pid)
    if note is not None:
        write_json(folder / PROCESS, note)
    (folder / QUEUE).unlink()
    return process


def _outlive(path: Path) -> None:
    while processes.living(read_json(path)) is not None:
        time.sleep(LOOK)


def _tail(folder: Path, lines: int) -> list[str]:
    try:
        with (folder / LOG).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 64_000))
            return log.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []


def _view(folder: Path, place: int | None) -> JobView:
    status = read_json(folder / STATUS)
    try:
        job = asdict(read_job(folder / FILE))
    except ProfileError:
        job = {}
    state, silent, failure = _state(folder, status, job, place)
    return JobView(
        folder.name,
        str(job.get("name", "")),
        state,
        int(status.get("step", 0)),
        int(status.get("total", 0)),
        status.get("eta"),
        place,
        silent,
        failure,
        folder,
    )


def _state(
    folder: Path, status: Mapping[str, Any], job: Mapping[str, JSON], place: int | None
) -> tuple[State, float | None, Mapping[str, JSON] | None]:
    if read_json(folder / RESULT):
        return "done", None, None
    if place is not None:
        return "queued", None, None
    state = status.get("state", "stopped")
    if state != "running":
        return state, None, status.get("failure") if state == "failed" else None
    quiet = time.time() - float(status.get("at", 0))
    process = read_json(folder / PROCESS)
    elsewhere = process.get("host", socket.gethostname()) != socket.gethostname()
    order = (folder / STOP).read_text(encoding="utf-8") if (folder / STOP).exists() else ""
    if elsewhere or processes.living(process) is not None or (not process and quiet < SILENT):
        return "stopping" if order else "running", quiet if quiet > SILENT else None, None
    if order == "now":
        return "stopped", None, None
    return "failed", None, asdict(explain("\n".join(_tail(folder, 30)), job, killed=True))


if __name__ == "__main__":
    Jobs(Path(sys.argv[1]), at_once=int(sys.argv[2]) if len(sys.argv) > 2 else 1).work()
