"""A run's figures as curves: read on from where the last look ended, smoothed, thinned out."""

from __future__ import annotations

import json
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.shares import wilson
from workbench.train.status_files import METRICS, STATUS, read_json

MOST = 1000
"""Points of one series in one answer; the page asks for all of them anew when it holds more than
1,500.
"""

HELD = 16
"""Runs whose figures are kept in memory."""

BESIDE = ("step", "epoch", "examples", "seconds")
MEASURED = ("lr", "norm", "tokens_per_s", "memory_mb")
"""What a step's line holds beside its losses, which the objective names."""

Point = tuple[int, int, float, float]
"""Step, examples seen, seconds spent, value."""


class Curves:
    """Curves of the runs that somebody looks at.  Safe for several threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[Path, _Curve] = OrderedDict()
        self._lock = threading.Lock()

    def since(self, folder: Path, cursor: str = "") -> dict[str, Any]:
        """What is new in a run's folder since a cursor; everything where the file is another one or
        the cursor empty.

        `series` are lists of points by name, `smooth` the losses' running means, `evals` one row
        each.
        """
        with self._lock:
            curve = self._held.setdefault(folder, _Curve(folder))
            self._held.move_to_end(folder)
            while len(self._held) > HELD:
                self._held.popitem(last=False)
            curve.read()
            return curve.since(cursor)


class _Curve:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin(0)

    def _begin(self, file: int) -> None:
        self._file, self._offset, self._lines = file, 0, 0
        self._seconds, self._examples = 0.0, 0
        self._sums: dict[str, tuple[float, float]] = {}
        # with the line that each came from
        self._points: dict[str, list[tuple[int, Point]]] = {}
        self._evals: list[tuple[int, dict[str, Any]]] = []

    def read(self) -> None:
        """Take in the lines that are whole.  A run that goes on from a checkpoint writes another
        file.
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
            held = {name: row[name] for name in ("accuracy", "right", "of", "eval_loss")}
            self._evals.append((self._lines, {"at": at, **held, "low": low, "high": high}))
            return
        for name, value in row.items():
            if name in BESIDE or not isinstance(value, int | float) or not math.isfinite(value):
                continue
            self._points.setdefault(name, []).append((self._lines, (*at, value)))
            if name not in MEASURED:
                total, weight = self._sums.get(name, (0.0, 0.0))
                total, weight = keep * total + value, keep * weight + 1
                self._sums[name] = total, weight
                self._points.setdefault(f"smooth {name}", []).append(
                    (self._lines, (*at, total / weight))
                )

    def since(self, cursor: str) -> dict[str, Any]:
        file, _, line = cursor.partition(".")
        known = file == str(self._file) and line.isdecimal() and int(line) <= self._lines
        after = int(line) if known else 0
        series = {
            name: thin([point for at, point in points[_first(points, after) :]])
            for name, points in self._points.items()
        }
        return {
            "cursor": f"{self._file}.{self._lines}",
            "anew": not known,
            "series": {name: points for name, points in series.items() if points},
            "evals": [row for at, row in self._evals if at > after],
        }


def _first(points: Sequence[tuple[int, Point]], after: int) -> int:
    """Position of the first point that came after a line."""
    low, high = 0, len(points)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if points[middle][0] <= after else (low, middle)
    return low


def thin(points: Sequence[Point], most: int = MOST) -> list[Point]:
    """At most so many points: of each stretch its lowest and its highest, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    out: list[Point] = []
    stretches = most // 2
    for at in range(stretches):
        stretch = points[at * len(points) // stretches : (at + 1) * len(points) // stretches]
        ends = {min(stretch, key=lambda p: p[3]), max(stretch, key=lambda p: p[3])}
        out += sorted(ends)
    return out
