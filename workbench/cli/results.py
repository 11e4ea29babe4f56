"""`vpd results`: all systems on the same questions in one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from workbench.cli.text import console, open_project, safe
from workbench.pipeline.ingesting import ingest
from workbench.study.results import Against, By, Results, SystemRow, results

Cells = Sequence[str]

_SPENT = ("seconds", "tool calls", "tokens")
_NO_LABEL = "pass@k knows the label: it bounds what choosing among k programs could give."


def main(
    project: Path | None,
    baseline: str | None,
    benchmark: str | None,
    split: str | None,
    by: str,
    as_json: bool,
    markdown: bool,
) -> None:
    """Print the table."""
    with open_project(project, read_only=False) as opened:
        ingest(opened)
        found = results(opened, baseline, benchmark, split, cast(By, by))
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
    else:
        show(found, markdown)


def show(found: Results, markdown: bool = False) -> None:
    """The table, its families, the curve of pass@k, and what the figures are."""
    systems = _systems(found)
    if markdown:
        tables = [systems]
    else:  # a terminal is narrow
        spent = len(_SPENT)
        tables = [[row[:-spent] for row in systems], [[row[0], *row[-spent:]] for row in systems]]
    for table in [*tables, _families(found), *([_curve(found)] if found.curve else [])]:
        (_as_markdown if markdown else _as_table)(table)
    for text in _remarks(found):
        console().print(text + "\n" * markdown)


def _systems(found: Results) -> list[Cells]:
    head = ["system", f"{_metric(found)}, %", "n", f"over {found.baseline}", "p", *_SPENT]
    return [head, *([*_figure(row), *_apart(row.against), *_spent(row)] for row in found.rows)]


def _metric(found: Results) -> str:
    names = {row.metric for row in found.rows if row.mode != "any"}
    return names.pop() if len(names) == 1 else "figure"


def _figure(row: SystemRow) -> list[str]:
    name = f"{row.system}, {row.seeds} seeds" if row.seeds > 1 else row.system
    return [name, _with_range(row.value, row.low, row.high), str(row.questions)]


def _with_range(value: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    around = (
        f" ({100 * low:.1f} to {100 * high:.1f})" if low is not None and high is not None else ""
    )
    return f"{100 * value:{sign}.1f}{around}"


def _apart(against: Against | None) -> list[str]:
    if against is None:
        return ["", ""]
    p = "< 0.001" if against.p_holm < 0.001 else f"{against.p_holm:.3f}"
    return [_with_range(against.difference, against.low, against.high, "+"), p]


def _spent(row: SystemRow) -> list[str]:
    took = f"{row.latency['median']:.2f}" if row.latency else "-"
    return [
        took,
        *(
            "-" if (held := row.cost.get(name)) is None else f"{held:.1f}"
            for name in ("calls", "tokens")
        ),
    ]


def _families(found: Results) -> list[Cells]:
    """A line each, a column for each system."""
    sizes: dict[str, int] = {}
    for row in found.rows:
        for name, share in row.families.items():
            sizes[name] = max(sizes.get(name, 0), share["of"])
    return [
        ["family, %", "n", *(row.system for row in found.rows)],
        *(
            [
                name or "(none)",
                str(size),
                *(
                    _with_range(row.families.get(name, {}).get("value"), None, None)
                    for row in found.rows
                ),
            ]
            for name, size in sorted(sizes.items())
        ),
    ]


def _curve(found: Results) -> list[Cells]:
    return [
        ["k", "pass@k, %", "n", "over pass@1", "relative"],
        *(
            [
                str(point.k),
                _with_range(point.value, point.low, point.high),
                str(point.of),
                f"{100 * point.gain:+.1f}",
                "-" if point.relative is None else f"{100 * point.relative:+.1f} %",
            ]
            for point in found.curve
        ),
    ]


def _remarks(found: Results) -> list[str]:
    timed = {row.latency["n"] for row in found.rows if row.latency}
    where = " ".join(filter(None, [found.benchmark, found.split])) or "all questions of the project"
    first = f" (the first {found.task_limit})" if found.task_limit is not None else ""
    said = [
        f"Questions: {safe(where)}{first}. Intervals: 95 %, a picture's questions together"
        + ("; of several seeds, seeds too." if any(row.seeds > 1 for row in found.rows) else "."),
        f"Differences: paired with {safe(found.baseline)}, in points; p corrected for all comparisons (Holm).",
    ]
    if timed:
        number = "/".join(map(str, sorted(timed)))
        said.append(
            f"Seconds: median of {number} questions asked one by one, warm, with nothing cached."
        )
    if found.curve:
        said.append(_NO_LABEL)
    said += [
        f"{safe(row.system)}: {row.note}." for row in found.rows if row.note and row.mode != "any"
    ]
    return said


def _as_table(cells: Sequence[Cells]) -> None:
    table = Table(box=SIMPLE, pad_edge=False, padding=0)
    for at, title in enumerate(cells[0]):
        # A title may wrap, what stands under it may not.
        least = max((len(safe(row[at], 60)) for row in cells[1:]), default=0)
        table.add_column(Text(safe(title, 60)), justify="right" if at else "left", min_width=least)
    for row in cells[1:]:
        table.add_row(*(Text(safe(cell, 60)) for cell in row))
    console().print(table)


def _as_markdown(cells: Sequence[Cells]) -> None:
    """Names come from jobs and datasets: what Markdown would take for more than text is taken out."""
    for at, row in enumerate(cells):
        shown = ("".join(char for char in safe(cell, 60) if char not in "|<>`[]") for cell in row)
        print("| " + " | ".join(shown) + " |")
        if at == 0:
            print("|---" + "|---:" * (len(row) - 1) + "|")
    print()
