"""Progress on stderr: a bar per stage with rate and estimate, or plain lines if stderr is not a
terminal.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.progress import Task as RichTask
from rich.text import Text

from workbench.cli.text import console
from workbench.pipeline.progress import Progress

EVERY = 10.0
"""Seconds between two plain lines."""

PATIENCE = 2.0
"""Seconds of loading after which a plain line says so."""

SETTLE = 0.25
"""Seconds that a plain line waits, since what was done together is told one by one."""


def rate_of(task: RichTask) -> float:
    """Units per second since the stage was first told of.

    Rich's own speed looks at the last updates: where a batch ends at once it would say hundreds a
    second for what takes six seconds each.
    """
    elapsed = task.finished_time if task.finished else task.elapsed
    return (task.completed - task.fields.get("first", 0)) / elapsed if elapsed else 0.0


def in_words(speed: float, unit: str = "") -> str:
    """A rate for people: so many a second, or so many seconds each; "" for none."""
    if not speed:
        return ""
    return f"{speed:.1f}{unit}/s" if speed >= 1 else f"{1 / speed:.1f} s each"


class _Rate(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: RichTask) -> Text:
        return Text(in_words(rate_of(task), f" {task.fields['unit']}"))


class _Left(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: RichTask) -> Text:
        speed = rate_of(task)
        if not speed or task.total is None:
            return Text("-:--:--")
        return Text(str(timedelta(seconds=round((task.total - task.completed) / speed))))


@dataclass(slots=True)
class _PlainLines:
    """What the plain lines of one stage say."""

    first: int
    """What was done when the stage was first told of."""
    started: float
    """When that was."""
    printed: float
    """When its last line was printed."""
    latest: Progress
    """The last that was told of it."""
    at: float
    """When that was."""

    def text(self) -> str:
        """How far the stage is, how fast, and how long it will take."""
        now, seconds = self.latest, self.at - self.started
        rate = (now.done - self.first) / seconds if seconds > 0 else 0.0
        speed = in_words(rate)
        left = now.total - now.done
        return (
            f"{now.stage}: {now.done} of {now.total} {now.unit}"
            + (f", {speed}" if speed else "")
            + (f", {left / rate:.0f} s left" if speed and left > 0 else "")
        )


class Bars:
    """Shows the `Progress` that it is called with; a context manager."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._live = self._console.is_terminal
        self._bars: dict[str, TaskID] = {}
        self._lines: dict[str, _PlainLines] = {}
        self._due: threading.Timer | None = None
        self._lock = threading.Lock()
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
        with self._lock:
            if self._due is not None:
                self._due.cancel()
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
                progress.stage, total=None, unit=progress.unit, first=progress.done
            )
        self._progress.update(
            self._bars[progress.stage], completed=progress.done, total=progress.total or None
        )

    def _say(self, progress: Progress) -> None:
        now = time.monotonic()
        with self._lock:
            lines = self._lines.get(progress.stage)
            if lines is None:
                lines = _PlainLines(progress.done, now, now, progress, now)
                self._lines[progress.stage] = lines
            elif lines.latest == progress and lines.printed == lines.at:
                return  # its end was told already
            lines.latest, lines.at = progress, now
            if progress.done >= progress.total > 0:
                self._print(lines)
            elif self._due is None and now - lines.printed >= EVERY:
                self._due = threading.Timer(SETTLE, self._print_late, [lines])
                self._due.daemon = True
                self._due.start()

    def _print_late(self, lines: _PlainLines) -> None:
        with self._lock:
            if self._due is not None:  # it has not been printed since
                self._print(lines)

    def _print(self, lines: _PlainLines) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        lines.printed = lines.at
        self._console.print(lines.text())
