"""Processes that outlive whoever started them: a note by which one is known again, and its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from workbench.records import JSON


def begin(
    command: Sequence[str], log: Path, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own; what it prints is added to the file `log`.

    Args:
        command: the program and its arguments.
        log: the file.
        variables: of its environment, beside those of this process.
    """
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - callers start our own modules
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(variables or {})},
        )


def share(number: int, of: int) -> dict[str, str]:
    """Variables by which processes side by side share a machine, where nobody chose otherwise.

    Args:
        number: of the process, from 0; it takes the card of this number.
        of: number of processes, which divide the processors.
    """
    variables = {}
    cards = len(list(Path("/dev").glob("nvidia[0-9]*")))
    if cards > 1 and "CUDA_VISIBLE_DEVICES" not in os.environ:
        variables["CUDA_VISIBLE_DEVICES"] = str(number % cards)
    if "OMP_NUM_THREADS" not in os.environ:
        variables["OMP_NUM_THREADS"] = str(max((os.cpu_count() or 1) // of, 1))
    return variables


def note_of(pid: int) -> dict[str, JSON] | None:
    """What to write down of a process, so that a later one of its number is not taken for it.

    None where it has ended already.
    """
    with suppress(psutil.Error):
        born = psutil.Process(pid).create_time()
        return {"pid": pid, "born": born, "host": socket.gethostname()}
    return None


def living(note: Mapping[str, Any]) -> psutil.Process | None:
    """The process of a note, if it still runs here; a later one of its number does not count."""
    if note.get("host") != socket.gethostname():
        return None
    with suppress(psutil.Error, KeyError):
        process = psutil.Process(note["pid"])
        if (
            abs(process.create_time() - note["born"]) < 1
            and process.status() != psutil.STATUS_ZOMBIE
        ):
            return process
    return None


def interrupt(note: Mapping[str, Any]) -> None:
    """Ask a process to end, as Ctrl-C does; Windows has no such request, and ends it."""
    process = living(note)
    if process is not None:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)


def end(note: Mapping[str, Any]) -> None:
    """End a process that leads a session of its own, with all that it started."""
    if living(note) is not None:
        with suppress(ProcessLookupError):
            os.killpg(note["pid"], signal.SIGKILL)
