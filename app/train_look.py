"""Looks at a job before it starts, in a process of their own: what the student will see, and what
it will cost.

The process is `python -m workbench.train.estimate`; it leaves its result in the folder of the look.
The same look at the same job is taken once; its result stays in its folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from workbench.errors import InputError
from workbench.records import content_key
from workbench.train.failure import explain
from workbench.train.job import FILE, Job, job_text, read_job, write_job
from workbench.train.status_files import read_json

Kind = Literal["preview", "measure"]

RESULT, LOG = "result.json", "log.txt"

KEPT = 40
"""Results kept on disk."""


class Looks:
    """Looks under way and taken.  Of each kind one is under way at a time: a new one ends the one
    before it.

    Args:
        root: where results lie.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._running: dict[Kind, tuple[str, subprocess.Popen[bytes], float]] = {}
        self._lock = threading.Lock()

    def begin(self, kind: Kind, job: Job) -> dict[str, Any]:
        """Begin a look, unless it was taken or is under way; returns its state as `state` does."""
        key = content_key(kind, job_text(job))
        folder = self._root / key
        with self._lock:
            running = self._running.get(kind)
            if not read_json(folder / RESULT).get("ok") and not (
                running and running[0] == key and running[1].poll() is None
            ):
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
            command += [
                "--result",
                str(folder / RESULT),
                *(["--preview"] if kind == "preview" else []),
            ]
            process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._running[kind] = key, process, time.time()

    def state(self, key: str) -> dict[str, Any]:
        """`running` with its seconds, `done` with the result, or `failed` with why and what to
        change.
        """
        if not key.isalnum():
            raise InputError("a look's key holds letters and digits alone; take the look again")
        folder = self._root / key
        with self._lock:
            found = next(
                ((p, since) for held, p, since in self._running.values() if held == key), None
            )
        running = found is not None and found[0].poll() is None
        result = read_json(folder / RESULT)
        if result:
            return {"key": key, "state": "done" if result["ok"] else "failed", **result}
        if running and found is not None:
            return {"key": key, "state": "running", "seconds": round(time.time() - found[1], 1)}
        if not folder.exists():
            return {"key": key, "state": "none"}
        tail = _tail(folder / LOG)
        return {
            "key": key,
            "state": "failed",
            "failure": asdict(explain(tail, asdict(read_job(folder / FILE)), killed=True)),
        }

    def result(self, kind: Kind, job: Job) -> dict[str, Any] | None:
        """What a look at this job found, if one was taken."""
        found = read_json(self._root / content_key(kind, job_text(job)) / RESULT)
        return found.get("found") if found.get("ok") else None

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
        held = self._running.pop(kind, None)
        if held is not None and held[1].poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(held[1].pid, signal.SIGKILL)
            held[1].wait()
            shutil.rmtree(self._root / held[0], ignore_errors=True)


def _tail(path: Path) -> str:
    with suppress(OSError):
        return path.read_bytes()[-8000:].decode("utf-8", "replace")
    return ""
