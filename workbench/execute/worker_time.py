"""Processor time of a sandbox worker: read, and bounded, by its process id, where Linux tells."""

from __future__ import annotations

import math
import os
import sys

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def worker_time(process: int | None) -> float | None:
    """Seconds of the processor that a process has used; None where that cannot be told."""
    if process is None or sys.platform != "linux":
        return None
    try:
        handle = os.open(f"/proc/{process}/stat", os.O_RDONLY)
        text = os.read(handle, 1024)
        os.close(handle)
    except OSError:  # it has ended
        return None
    user, system = text.rpartition(b")")[2].split()[11:13]  # the name before may hold anything
    return (int(user) + int(system)) / _TICKS


def limit_worker(process: int | None, seconds: float | None) -> None:
    """Let the system end a process once it has used so many seconds; None takes the bound away."""
    if process is None or sys.platform != "linux":
        return
    import resource  # absent on Windows

    try:
        _, most = resource.prlimit(process, resource.RLIMIT_CPU)
        soft = most if seconds is None else max(math.ceil(seconds), 1)
        resource.prlimit(process, resource.RLIMIT_CPU, (soft, most))
    except (OSError, ValueError):
        return  # the process has ended, or the system does not allow it: the wall limit stays
