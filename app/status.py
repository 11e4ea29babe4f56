"""What the header says beside the project: work that goes on, and the device; each only when it is
true.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time

from app.header import DeviceChip, JobChip
from app.site import Site
from workbench.store import STAGES, Project
from workbench.store.reading.figures import current_run

FRESH = 60.0
"""Seconds without a written batch after which a run is no longer taken for going on."""

LOOK = 5.0
"""Seconds between two looks at the device."""


def add(site: Site) -> None:
    """Add both chips to the header."""
    device = Device()
    site.chips.append(lambda person: {"job": job(site.project)})
    site.chips.append(lambda person: {"device": device.look()})


def job(project: Project) -> JobChip | None:
    """The run of the loop that writes now, in this process or another; None where there is none."""
    run = current_run(project.database, FRESH)
    if run is None:
        return None
    place = f"{STAGES.index(run.stage) + 1} of {len(STAGES)}" if run.stage in STAGES else ""
    return JobChip(f"run {run.id}", run.stage, place, run.rows)


class Device:
    """The first NVIDIA device, looked at every few seconds at most; None where there is none."""

    def __init__(self) -> None:
        self._command = shutil.which("nvidia-smi")
        self._lock = threading.Lock()
        self._at = -LOOK
        self._last: DeviceChip | None = None

    def look(self) -> DeviceChip | None:
        """The device now, or as it was a few seconds ago."""
        if self._command is None:
            return None
        with self._lock:
            if time.monotonic() - self._at >= LOOK:
                self._last, self._at = self._ask(self._command), time.monotonic()
            return self._last

    @staticmethod
    def _ask(command: str) -> DeviceChip | None:
        fields = "name,utilization.gpu,memory.used,memory.total,temperature.gpu"
        try:
            done = subprocess.run(  # noqa: S603
                [command, f"--query-gpu={fields}", "--format=csv,noheader,nounits"],
                capture_output=True,
                text=True,
                timeout=3,
                check=True,
            )
            name, used, memory, total, heat = (
                cell.strip() for cell in done.stdout.splitlines()[0].split(",")
            )
            return DeviceChip(name, int(used), int(memory), int(total), int(heat))
        except (OSError, subprocess.SubprocessError, ValueError, IndexError):
            return None
