"""A run's figures as curves: read on from the last look, smoothed, thinned out."""

from __future__ import annotations

import json
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.shares import wilson
from workbench.train.status_files import METRICS, STATUS, read_json

MOST = 1000
"""Points of one series in one answer; a page with more than 1,500 asks for all of them anew."""

KEPT = 16
"""Runs whose figures are kept in memory."""

BESIDE = ("step", "epoch", "examples", "seconds", "processor_s")
MEASURED = ("lr", "norm", "tokens_per_s", "memory_mb")
"""What a step's line holds beside its losses, which the objective names."""

Point = tuple[int, int, float, float]
"""Step, number of examples so far, seconds so far, value."""


@dataclass(frozen=True, slots=True)
class CheckpointFigures:
    """One evaluation of a run on its held-out side."""

    at: tuple[int, int, float]
    """Step, number of examples so far, seconds so far."""
    accuracy: float
    right: float
    """Sum of the scores; with whole scores the number of right answers."""
    of: int
    """Number of held-out questions."""
    eval_loss: float
    low: float
    """Lower end of the 95 % interval of the accuracy."""
    high: float


@dataclass(frozen=True, slots=True)
class CurveNews:
    """What is new of a run's figures."""

    cursor: str
    """What to send next time."""
    anew: bool
    """Whether everything is here, and replaces what the page has."""
    series: Mapping[str, list[Point]]
    """Points by name; `smooth NAME` is the running mean of a loss."""
    evals: list[CheckpointFigures]


class Curves:
    """Curves of the runs that somebody looks at.  Safe for several threads."""

    def __init__(self) -> None:
        self._curves: OrderedDict[Path, _Curve] = OrderedDict()
        self._lock = threading.Lock()

    def since(self, folder: Path, cursor: str = "") -> CurveNews:
        """What is new in a run's folder since a cursor.

        It is everything if the cursor is empty, or if the file is another one meanwhile.
        """
        with self._lock:
            curve = self._curves.setdefault(folder, _Curve(folder))
            self._curves.move_to_end(folder)
            while len(self._curves) > KEPT:
                self._curves.popitem(last=False)
            curve.read()
            return curve.since(cursor)


class _Curve:
    """The figures of one run, as far as they were read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin(0)

    def _begin(self, file: int) -> None:
        self._file, self._offset, self._lines = file, 0, 0
        self._seconds, self._examples = 0.0, 0
        self._sums: dict[str, tuple[float, float]] = {}
        # with the line that each came from
        self._points: dict[str, list[tuple[int, Point]]] = {}
        self._evals: list[tuple[int, CheckpointFigures]] = []

    def read(self) -> None:
        """Take in the lines that are whole.

        A run that goes on from a checkpoint writes another file: then it begins anew.
        """
        try:
            with (self._folder / METRICS).open("rb") as file:
                number = os.fstat(file.fileno()).st_ino
                if number != self._file:
                    self._begin(number)
                file.seek(self._offset)
                new = file.read()
        except OSError:
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        total = int(read_json(self._folder / STATUS).get("total", 0))
        keep = 1 - 1 / min(max(total // 40, 5), 200)
        for line in whole.splitlines():
            self._lines += 1
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and isinstance(row.get("step"), int):
                self._take(row, keep)

    def _take(self, row: Mapping[str, Any], keep: float) -> None:
        self._seconds += float(row.get("seconds", 0.0)) + float(row.get("eval_seconds", 0.0))
        self._examples = int(row.get("examples", self._examples))
        at = (int(row["step"]), self._examples, round(self._seconds, 2))
        if "eval_loss" in row:
            low, high = wilson(row["right"], row["of"])
            names = ("accuracy", "right", "of", "eval_loss")
            figures = {name: row[name] for name in names}
            self._evals.append(
                (self._lines, CheckpointFigures(at=at, **figures, low=low, high=high))
            )
            return
        for name, value in row.items():
            if name in BESIDE or not isinstance(value, int | float) or not math.isfinite(value):
                continue
            self._add(name, (*at, value))
            if name not in MEASURED:
                total, weight = self._sums.get(name, (0.0, 0.0))
                total, weight = keep * total + value, keep * weight + 1
                self._sums[name] = total, weight
                self._add(f"smooth {name}", (*at, total / weight))

    def _add(self, name: str, point: Point) -> None:
        self._points.setdefault(name, []).append((self._lines, point))

    def since(self, cursor: str) -> CurveNews:
        file, _, line = cursor.partition(".")
        goes_on = file == str(self._file) and line.isdecimal() and int(line) <= self._lines
        after = int(line) if goes_on else 0
        series = {
            name: thin([point for at, point in points[_first(points, after) :]])
            for name, points in self._points.items()
        }
        return CurveNews(
            cursor=f"{self._file}.{self._lines}",
            anew=not goes_on,
            series={name: points for name, points in series.items() if points},
            evals=[row for at, row in self._evals if at > after],
        )


def _first(points: Sequence[tuple[int, Point]], after: int) -> int:
    """Position of the first point that came after a line."""
    low, high = 0, len(points)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if points[middle][0] <= after else (low, middle)
    return low


def thin(points: Sequence[Point], most: int = MOST) -> list[Point]:
    """At most so many points: the lowest and highest of each stretch, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    out: list[Point] = []
    stretches = most // 2
    for at in range(stretches):
        stretch = points[at * len(points) // stretches : (at + 1) * len(points) // stretches]
        ends = {min(stretch, key=lambda p: p[3]), max(stretch, key=lambda p: p[3])}
        out += sorted(ends)
    return out
