"""JobMonitor: a training job while it runs, read off its files; the kernel stays free."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import traitlets

from workbench.errors import InputError, WorkbenchError
from workbench.store import Project
from workbench.train.jobs import Jobs, JobView
from workbench.train.status_files import METRICS, read_lines
from workbench.widgets import plain
from workbench.widgets.base import Widget, script
from workbench.widgets.current import current

MOST = 300
"""Points of a curve: more cannot be told apart in a cell."""
LINES = 12
"""Lines of the log."""

ENDED = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class JobGlance:
    """What the page shows of a job beside its name and state."""

    id: str
    place: int | None
    """Place in the queue."""
    eta: float | None
    """Seconds left."""
    silent: float | None
    """Seconds since its last sign of life."""
    failure: dict[str, Any] | None


class JobMonitor(Widget):
    """Follow a job: its state, the curves of loss and accuracy, its log; stop it.

    Traits: `state`, `done`, `total` (read them).  The job runs on when the notebook is closed.

    Args:
        job: its id (or the beginning of one) among the project's jobs, or its folder.
        every: seconds between two looks.

    Raises:
        InputError: there is no such job.
    """

    _esm = script("monitor.js")
    name = traitlets.Unicode().tag(sync=True)
    state = traitlets.Unicode().tag(sync=True)
    done = traitlets.Int().tag(sync=True)
    total = traitlets.Int().tag(sync=True)
    seen = traitlets.Dict().tag(sync=True)
    """What else the page shows of the job (`JobGlance`); empty before the first look."""
    curves = traitlets.Dict().tag(sync=True)
    """{figure: [[step, value], ...]}, at most `MOST` points each."""
    lines: traitlets.List[str] = traitlets.List().tag(sync=True)
    """The end of its log."""

    def __init__(
        self, job: str | Path | JobView, project: Project | None = None, *, every: float = 1.0
    ) -> None:
        folder = job.folder if isinstance(job, JobView) else Path(job)
        if isinstance(job, str) and not folder.is_dir():
            folder = Jobs(current(project).path / "jobs", start=False).show(job).folder
        self._jobs, self._which = Jobs(folder.parent, start=False), folder.name
        self._every, self._size = every, -1
        self._closed, self._lock = threading.Event(), threading.Lock()
        super().__init__()
        self.look()
        self._thread = threading.Thread(target=self._follow, name="job-monitor", daemon=True)
        self._thread.start()

    @property
    def figures(self) -> list[dict[str, Any]]:
        """Every row of the job's metrics so far."""
        return read_lines(self._jobs.root / self._which / METRICS)

    def look(self) -> str:
        """Read the job's files now; returns its state."""
        job = self._jobs.show(self._which)
        path = job.folder / METRICS
        size = path.stat().st_size if path.exists() else 0
        with self._lock, self.hold_sync():
            self.name = job.name or job.id
            self.state, self.done, self.total = job.state, job.step, job.total
            failure = dict(job.failure) if job.failure else None
            self.seen = asdict(JobGlance(job.id, job.place, job.eta, job.silent, failure))
            if size != self._size:
                self._size, self.curves = size, curves(self.figures)
            self.lines = self._jobs.log(self._which, LINES)
        return job.state

    def stop(self, save: bool = True) -> None:
        """End the job after the step at hand, with a checkpoint; or at once.  Raises InputError
        when it has ended.
        """
        self._jobs.stop(self._which, save)
        self.look()

    def wait(self, timeout: float | None = None) -> str:
        """Wait until the job has ended (the kernel is not free meanwhile); returns its state."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.look() not in ENDED and (until is None or time.monotonic() < until):
            time.sleep(min(self._every, 0.5))
        return self.state

    def close(self) -> None:
        """End the widget; the job goes on."""
        self._closed.set()
        super().close()

    def answer(self, request: Mapping[str, Any]) -> Any:
        if request.get("do") != "stop":
            raise InputError(f"this widget cannot do {request.get('do')!r:.40}")
        self.stop()
        return self.state

    def _follow(self) -> None:
        while not self._closed.wait(self._every):
            try:
                if self.look() in ENDED:
                    return
            except (WorkbenchError, OSError):
                # the job was deleted meanwhile, or a file is half written: the next look tells
                if not (self._jobs.root / self._which).exists():
                    return

    def plain(self) -> str:
        rows = [("job", self.name), ("state", self.state), ("step", f"{self.done} of {self.total}")]
        rows += [(name, f"{points[-1][1]:.4g}") for name, points in self.curves.items()]
        return plain.facts(rows)


def curves(rows: list[dict[str, Any]]) -> dict[str, list[list[float]]]:
    """The figures that are drawn, by name; of long ones every so many points, the last always."""
    lines = {}
    for name in ("loss", "accuracy"):
        points = [
            [row["step"], row[name]]
            for row in rows
            if _number(row.get(name)) and _number(row.get("step"))
        ]
        every = max(1, -(-len(points) // MOST))
        if points:
            lines[name] = points[::-1][::every][::-1]
    return lines


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
