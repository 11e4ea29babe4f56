"""The figure that every bench gives, its line in the table, and how a bench's command prints it."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from workbench.records import JSON
from workbench.shares import Share


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value."""

    name: str
    value: float
    """NaN where nothing could be measured; the note then gives the reason."""
    unit: str = ""
    aim: str = ""
    """The limit that the value should keep, with its unit; empty where there is none."""
    note: str = ""
    """What was measured and how often, for people."""

    def line(self) -> str:
        """The figure as a row of the table that every bench prints."""
        aim = f"aim {self.aim}" if self.aim else ""
        row = f"{self.name:<48}{_number(self.value):>10} {self.unit:<11}{aim:<17}{self.note}"
        return row.rstrip()

    def to_json(self) -> dict[str, JSON]:
        """The figure as plain values; a value that is not a number becomes null."""
        value = None if math.isnan(self.value) else self.value
        return {**asdict(self), "value": value}


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    whole = float(value).is_integer() or abs(value) >= 100
    return f"{value:,.0f}" if whole else f"{value:.2f}"


def share_figure(name: str, share: Share) -> Figure:
    """A share in percent, with its denominator and its 95 % interval."""
    if share.value is None:
        return Figure(name, math.nan, "%", note="of 0")
    low, high = share.interval
    note = f"of {share.of} ({100 * low:.1f} to {100 * high:.1f})"
    return Figure(name, 100 * share.value, "%", note=note)


def percentile_figure(
    name: str, milliseconds: Sequence[float], aim: str = "", note: str = ""
) -> Figure:
    """The 95th percentile of some durations, with their median and their number.

    Args:
        name: name of the figure.
        milliseconds: at least one duration.
        aim: limit of the 95th percentile, with its unit.
        note: what to add to the note.
    """
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    parts = [f"p50 {median(ordered):.1f} ms", note, f"n {len(ordered)}"]
    return Figure(name, p95, "ms p95", aim, ", ".join(filter(None, parts)))


def durations(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds (of all threads of this process) of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def bench_parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser for the options of `vpd bench NAME`, with `--json`, which all benches have."""
    parser = argparse.ArgumentParser(prog=f"vpd bench {name}", description=description)
    parser.add_argument("--json", action="store_true", help="print each figure as a line of JSON")
    return parser


def print_figures(figures: Iterable[Figure], as_json: bool) -> None:
    """Print figures as soon as they come, as rows of a table or as lines of JSON."""
    for figure in figures:
        text = json.dumps(figure.to_json(), ensure_ascii=False) if as_json else figure.line()
        print(text, flush=True)
