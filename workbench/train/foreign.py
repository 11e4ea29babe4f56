"""A job that another trainer runs: `python -m workbench.train.foreign job.toml`.

The job's `runner` is a command, in whatever environment it likes.  This process starts it in the
job's folder, gives the signs of life that the queue reads, hands a request to stop on to it, and
notes how it ended.  The command learns where it is by its environment, and by words in braces:

    VPD_JOB       {job}       the job's folder
    VPD_SNAPSHOT  {snapshot}  the snapshot's folder
    VPD_MODEL     {model}     where the command has to leave the model, as `save_pretrained` does

What it prints is the job's log.  Lines that it adds to `metrics.jsonl` of the job's folder, such as
`{"step": 3, "loss": 0.7}`, are the job's curves.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from workbench.environment import environment
from workbench.errors import InputError, MissingPart, WorkbenchError
from workbench.local_files import real_path
from workbench.records import JSON
from workbench.train.failure import explain
from workbench.train.job import FILE, Job, read_job
from workbench.train.sources import sources
from workbench.train.status_files import METRICS, RESULT, Board, read_json, read_lines, write_json

MODEL, STOP, LOG = "model", "stop", "log.txt"
LOOK = 0.5
"""Seconds between two looks at the command and at the request to stop."""
_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""What would lead another environment's Python to our packages."""


def command_of(job: Job, folder: Path) -> list[str]:
    """The words of a job's command.

    Raises:
        InputError: it cannot be split into words, or is empty.
    """
    try:
        words = shlex.split(job.runner)
    except ValueError as error:
        raise InputError(f"the runner {job.runner!r} is no command: {error}") from error
    if not words:
        raise InputError("the runner is empty; write the command that trains, or leave it out")
    places = _places(job, folder)
    for name, path in places.items():
        mark = "{" + name.removeprefix("VPD_").lower() + "}"
        words = [word.replace(mark, path) for word in words]
    return words


def _places(job: Job, folder: Path) -> dict[str, str]:
    return {
        "VPD_JOB": str(folder),
        "VPD_SNAPSHOT": str(real_path(folder / job.snapshot)),
        "VPD_MODEL": str(folder / MODEL),
    }


def _start(job: Job, folder: Path) -> subprocess.Popen[bytes]:
    words = command_of(job, folder)
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    try:
        return subprocess.Popen(  # noqa: S603 - the job's own command, which only a shell may set
            words, cwd=folder, env={**kept, **_places(job, folder)}, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise MissingPart(
            f"the runner {words[0]!r} cannot be started ({error.strerror}); give the path of a "
            "program, for example /path/of/venv/bin/python"
        ) from error


class _Watcher:
    """Watches a command until it ends.

    Args:
        process: the command.
        folder: the job's folder.
        board: gets the signs of life.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, board: Board) -> None:
        self._process, self._folder, self._board = process, folder, board
        self.stopping = False
        """Whether the command was told to stop."""

    def stop(self, *_: object) -> None:
        """Ask the command to stop, as Ctrl-C does, once."""
        if not self.stopping:
            self.stopping = True
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """The command's exit code."""
        while True:
            if (self._folder / STOP).exists():
                self.stop()
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(LOOK)
            self._tell()

    def _tell(self) -> None:
        rows = [row for row in read_lines(self._folder / METRICS) if "step" in row]
        last = rows[-1] if rows else {}
        self._board.say(
            phase="stopping" if self.stopping else "another trainer runs",
            step=int(last.get("step", 0)),
            total=int(last.get("total", 0)),
            loss=last.get("loss"),
        )


def _model_problem(folder: Path) -> str:
    """Why what a command left is no model; empty where it is one."""
    model = folder / MODEL
    if (model / "config.json").is_file():
        return ""
    if (model / "adapter_config.json").is_file():
        return (
            f"the command left adapters in {model}; let it merge them (merge_and_unload) and save "
            "the whole model there"
        )
    return (
        f"the command ended without an error and left no model in {model}; let it save one there "
        "({model} in the runner, or VPD_MODEL in its environment)"
    )


def _result(job: Job, seconds: float) -> dict[str, JSON]:
    return {
        "model": MODEL,
        "step": None,
        "steps": 0,
        "base": job.student,
        "student": job.student,
        "snapshot": Path(job.snapshot).name,
        "runner": job.runner,
        "rows": 0,
        "accuracy": None,
        "right": 0.0,
        "of": 0,
        "interval": [0.0, 1.0],
        "first": None,
        "left_out": [],
        "seconds": round(seconds, 1),
        "sources": dict(sources(job)),
        "environment": dict(environment()),
    }


def run(job: Job, folder: Path, board: Board) -> str:
    """Run a job's command to its end; returns `done` or `stopped`.

    Args:
        job: whose `runner` is the command.
        folder: the job's folder.
        board: gets the signs of life.

    Raises:
        InputError: the command is wrong, or left no model.
        MissingPart: the command cannot be started.
        WorkbenchError: the command failed.
    """
    began = time.monotonic()
    watcher = _Watcher(_start(job, folder), folder, board)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, watcher.stop)
    code = watcher.wait()
    if watcher.stopping:
        return "stopped"
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with the exit code {code}"
        raise WorkbenchError(f"the runner {how}; {_last_error(folder)}")
    if problem := _model_problem(folder):
        raise InputError(problem)
    write_json(folder / RESULT, _result(job, time.monotonic() - began))
    return "done"


def _last_error(folder: Path) -> str:
    """The last line of the log that a person would read first."""
    with suppress(OSError):
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        if text := next((line.strip() for line in reversed(lines) if line.strip()), ""):
            return f"its last line: {text[:400]}"
    return "it printed nothing"


def execute(folder: Path) -> int:
    """Run the job in a folder and note how it ended; returns the exit code (0: done or stopped)."""
    if read_json(folder / RESULT):
        return 0
    (folder / STOP).unlink(missing_ok=True)
    settings: Mapping[str, JSON] = {}
    with Board(folder) as board:
        try:
            job = read_job(folder / FILE)
            settings = asdict(job)
            state = run(job, folder, board)
        except WorkbenchError as error:
            text = f"{type(error).__name__}: {error}"
            print(text, file=sys.stderr, flush=True)
            board.say(state="failed", eta=None, failure=asdict(explain(text, settings)))
            return 2
        board.say(state=state, phase="", eta=None)
    return 0


if __name__ == "__main__":
    sys.exit(execute(real_path(Path(sys.argv[1]).parent)))
