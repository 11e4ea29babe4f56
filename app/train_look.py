"""Looks at a job before it starts: what the student will see, or what the job will cost.

Each look is a process of its own, `python -m workbench.train.estimate`, which leaves its result in
the folder of the look.  The same look at the same job is taken once.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from msgspec import ValidationError, convert

from workbench.errors import InputError
from workbench.records import content_key
from workbench.train.failure import FailureCard, explain
from workbench.train.job import FILE, Job, job_text, read_job, write_job
from workbench.train.looks import Estimate, LessonPreview
from workbench.train.status_files import read_json

Kind = Literal["preview", "measure"]

RESULT, LOG = "result.json", "log.txt"

KEPT = 40
"""Results kept on disk."""


Findings = Estimate | list[LessonPreview]
"""What a look tells: of `measure` the cost, of `preview` the lessons."""


@dataclass(frozen=True, slots=True)
class LookState:
    """How a look is getting on."""

    key: str
    state: Literal["none", "running", "done", "failed"]
    seconds: float | None = None
    """Seconds since it began, while it runs."""
    found: Findings | None = None
    """What it told, when it is done."""
    failure: FailureCard | None = None
    """Why it failed, and what to change."""


@dataclass(frozen=True, slots=True)
class LookProcess:
    """A look under way."""

    key: str
    process: subprocess.Popen[bytes]
    begin: float
    """When it began, in seconds since 1970."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None


class Looks:
    """The looks of a project.  Of each kind one runs at a time: a new one ends the one before it.

    Args:
        root: where results lie.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._running: dict[Kind, LookProcess] = {}
        self._lock = threading.Lock()

    def begin(self, kind: Kind, job: Job) -> LookState:
        """Begin a look, unless it was taken or is under way; returns its state."""
        key = content_key(kind, job_text(job))
        folder = self._root / key
        with self._lock:
            look = self._running.get(kind)
            is_running = look is not None and look.key == key and look.alive
            if not is_running and not read_json(folder / RESULT).get("ok"):
                self._end(kind)
                self._begin(kind, key, folder, job)
        return self.state(key)

    def _begin(self, kind: Kind, key: str, folder: Path, job: Job) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        for old in sorted(self._root.iterdir(), key=lambda path: path.stat().st_mtime)[: 1 - KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write_job(job, folder)
        with (folder / LOG).open("wb") as log:
            command = [sys.executable, "-m", "workbench.train.estimate", str(folder)]
            command += ["--result", str(folder / RESULT)]
            if kind == "preview":
                command.append("--preview")
            process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._running[kind] = LookProcess(key, process, time.time())

    def state(self, key: str) -> LookState:
        """How a look is getting on.

        Raises:
            InputError: the key is not that of a look.
        """
        if not key.isalnum():
            raise InputError("a look's key holds letters and digits alone; take the look again")
        folder = self._root / key
        with self._lock:
            look = next((one for one in self._running.values() if one.key == key), None)
            is_running = (
                look is not None and look.alive
            )  # before the result is read: it comes first
        result = read_json(folder / RESULT)
        if result:
            return _final_state(key, result)
        if look is not None and is_running:
            return LookState(key, "running", seconds=round(time.time() - look.begin, 1))
        if not folder.exists():
            return LookState(key, "none")
        settings = asdict(read_job(folder / FILE))
        failure = explain(_tail(folder / LOG), settings, killed=True)
        return LookState(key, "failed", failure=failure)

    def estimate(self, job: Job) -> Estimate | None:
        """What this job will cost; None where that was not measured."""
        result = read_json(self._root / content_key("measure", job_text(job)) / RESULT)
        if not result.get("ok"):
            return None
        with suppress(ValidationError):  # of an earlier version, with other fields
            return convert(result["found"], Estimate)
        return None

    def cancel(self, kind: Kind) -> None:
        """End what is under way."""
        with self._lock:
            self._end(kind)

    def close(self) -> None:
        """End all that is under way."""
        with self._lock:
            for kind in list(self._running):
                self._end(kind)

    def _end(self, kind: Kind) -> None:
        look = self._running.pop(kind, None)
        if look is not None and look.alive:
            with suppress(ProcessLookupError):
                os.killpg(look.process.pid, signal.SIGKILL)
            look.process.wait()
            shutil.rmtree(self._root / look.key, ignore_errors=True)


def _final_state(key: str, result: Mapping[str, Any]) -> LookState:
    """The state of a look that has written its result."""
    if result["ok"]:
        return LookState(key, "done", found=convert(result["found"], Findings))
    return LookState(key, "failed", failure=convert(result["failure"], FailureCard))


def _tail(path: Path) -> str:
    with suppress(OSError):
        return path.read_bytes()[-8000:].decode("utf-8", "replace")
    return ""
