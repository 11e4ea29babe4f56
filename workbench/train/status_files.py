"""The files in which a run tells how it is: the heartbeat, the figures, the result.

status.json       state, step, time left; a thread writes it again every few seconds, whole or not
metrics.jsonl     one line for each step, and one for each evaluation
validation.jsonl  the answers to the same few held-out questions at each evaluation
left_out.jsonl    the examples that the student cannot take, each with its reason
result.json       figures of the finished model; there only when the whole model is
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from workbench.environment import environment
from workbench.records import JSON

State = Literal["queued", "running", "stopping", "stopped", "failed", "done"]
LEFT_OUT = "left_out.jsonl"
STATUS, METRICS, VALIDATION, RESULT = (
    "status.json",
    "metrics.jsonl",
    "validation.jsonl",
    "result.json",
)
BEAT = 10.0
"""Seconds between signs of life."""


def write_json(path: Path, value: JSON) -> None:
    """Write a small file whole or not at all; readers see the old one or the new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        part.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """A small file's object; empty where there is none or it cannot be read."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a .jsonl file; a line that is cut off or broken is left out."""
    rows = []
    with contextlib.suppress(OSError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                rows.append(json.loads(line))
    return [row for row in rows if isinstance(row, dict)]


class FigureFollower(Protocol):
    """Who gets the figures of a run as well."""

    def log(self, figures: Mapping[str, JSON]) -> None:
        """Take the figures of a step or an evaluation."""
        ...

    def finish(self) -> None:
        """End; the run has ended."""
        ...


class Board:
    """A run's files; used as a context, whose end stops the heartbeat."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._status: dict[str, JSON] = {
            "state": "running",
            "phase": "loading",
            "step": 0,
            "total": 0,
            "eta": None,
            "started": time.time(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "environment": dict(environment()),
        }
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._followers: list[FigureFollower] = []

    def __enter__(self) -> Board:
        self.say()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for follower in self._followers:
            follower.finish()

    def follow(self, followers: Iterable[FigureFollower]) -> None:
        """Let others have the figures of each step and evaluation as well."""
        self._followers += followers

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with contextlib.suppress(OSError):  # a full disk is noticed where something is lost
                self.say()

    def say(self, **changes: JSON) -> None:
        """Change what status.json holds, and give a sign of life."""
        with self._lock:
            self._status.update(changes)
            write_json(self.folder / STATUS, {**self._status, "at": time.time()})

    def add(self, file: str, rows: Iterable[Mapping[str, JSON]]) -> None:
        """Add lines to a .jsonl file."""
        lines = list(rows)
        with (self.folder / file).open("a", encoding="utf-8") as out:
            out.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines))
        if file == METRICS:
            for follower in self._followers:
                for row in lines:
                    follower.log(row)

    def write(self, file: str, rows: Iterable[Mapping[str, JSON]]) -> None:
        """Write a .jsonl file anew, whole or not at all."""
        part = self.folder / f".{file}.part"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        part.write_text(text, encoding="utf-8")
        part.replace(self.folder / file)

    def rewind(self, step: int) -> None:
        """Drop the figures beyond a step, from which the run goes on."""
        for file in (METRICS, VALIDATION):
            path = self.folder / file
            if path.exists():
                kept = [row for row in read_lines(path) if row.get("step", 0) <= step]
                part = path.with_name(f".{file}.part")
                part.write_text(
                    "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept),
                    encoding="utf-8",
                )
                part.replace(path)
