"""Progress on stderr: a bar per stage with rate and estimate, or plain lines if stderr is not a
terminal.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.progress import Task as RichTask
from rich.text import Text

from workbench.cli.text import console
from workbench.pipeline import Progress

EVERY = 10.0
"""Seconds between two plain lines."""

PATIENCE = 2.0
"""Seconds of loading after which a plain line says so."""


def rate_of(task: RichTask) -> float:
    """Units per second since the stage began.

    Rich's own speed looks at the last updates: where a batch ends at once it would say hundreds a
    second for what takes six seconds each.
    """
    elapsed = task.finished_time if task.finished else task.elapsed
    return task.completed / elapsed if elapsed else 0.0


class _Rate(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: RichTask) -> Text:
        speed = rate_of(task)
        if not speed:
            return Text("")
        return Text(
            f"{speed:.1f} {task.fields['unit']}/s" if speed >= 1 else f"{1 / speed:.1f} s each"
        )


class _Left(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: RichTask) -> Text:
        speed = rate_of(task)
        if not speed or task.total is None:
            return Text("-:--:--")
        return Text(str(timedelta(seconds=round((task.total - task.completed) / speed))))


class Bars:
    """Shows the `Progress` that it is called with; a context manager."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._live = self._console.is_terminal
        self._bars: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._said: dict[str, float] = {}
        self._loading: TaskID | None = None
        self._timer: threading.Timer | None = None
        self._progress = RichProgress(
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            _Left(),
            console=self._console,
        )

    def __enter__(self) -> Bars:
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end_loading()
        if self._live:
            self._progress.stop()

    def load(self) -> None:
        """Show that models are being loaded, until the first stage says how far it is.

        A line is only printed where it takes a while.
        """
        if self._live:
            self._loading = self._progress.add_task("load models", total=None, unit="")
        else:
            words = "loading the models of the profile; this may take a minute"
            self._timer = threading.Timer(PATIENCE, self._console.print, [words])
            self._timer.daemon = True
            self._timer.start()

    def __call__(self, progress: Progress) -> None:
        self._end_loading()
        if self._live:
            self._draw(progress)
        else:
            self._say(progress)

    def _end_loading(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loading is not None:
            self._progress.remove_task(self._loading)
            self._loading = None

    def _draw(self, progress: Progress) -> None:
        if progress.stage not in self._bars:
            self._bars[progress.stage] = self._progress.add_task(
                progress.stage, total=None, unit=progress.unit
            )
        self._progress.update(
            self._bars[progress.stage], completed=progress.done, total=progress.total or None
        )

    def _say(self, progress: Progress) -> None:
        now = time.monotonic()
        started = self._started.setdefault(progress.stage, now)
        ended = progress.done >= progress.total > 0
        if not ended and now - self._said.setdefault(progress.stage, now) < EVERY:
            return
        self._said[progress.stage] = now
        rate = progress.done / (now - started) if now > started else 0.0
        left = (
            f", {(progress.total - progress.done) / rate:.0f} s left" if rate and not ended else ""
        )
        speed = f", {rate:.1f}/s" if rate else ""
        self._console.print(
            f"{progress.stage}: {progress.done} of {progress.total} {progress.unit}{speed}{left}"
        )
