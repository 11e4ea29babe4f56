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

_COSTS = ("seconds", "tool calls", "tokens")
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
    """Print the table of all systems.

    Args:
        project: folder of the project; None takes the one around the current folder.
        baseline: the system that all others are compared with.
        benchmark: take only the questions of this source.
        split: take only the questions of this split.
        by: system or objective.
        as_json: print JSON instead of text.
        markdown: print Markdown instead of tables for a terminal.
    """
    with open_project(project, read_only=False) as opened:
        ingest(opened)
        table = results(opened, baseline, benchmark, split, cast(By, by))
    if as_json:
        print(json.dumps(table.to_json(), indent=1))
    else:
        show(table, markdown)


def show(table: Results, markdown: bool = False) -> None:
    """Print the table of systems, the table of families, the curve of pass@k, and remarks."""
    systems = _systems(table)
    if markdown:
        tables = [systems]
    else:  # a terminal is narrow
        columns = len(_COSTS)
        tables = [
            [row[:-columns] for row in systems],
            [[row[0], *row[-columns:]] for row in systems],
        ]
    for cells in [*tables, _families(table), *([_curve(table)] if table.curve else [])]:
        show_cells(cells, markdown)
    for text in _remarks(table):
        console().print(text + "\n" * markdown)


def show_cells(cells: Sequence[Cells], markdown: bool = False) -> None:
    """Print a table whose first row is its head."""
    (_as_markdown if markdown else _as_table)(cells)


def _systems(table: Results) -> list[Cells]:
    head = ["system", f"{_metric(table)}, %", "n", f"over {table.baseline}", "p", *_COSTS]
    return [head, *([*_figure(row), *_difference(row.against), *_costs(row)] for row in table.rows)]


def _metric(table: Results) -> str:
    names = {row.metric for row in table.rows if row.mode != "any"}
    return names.pop() if len(names) == 1 else "figure"


def _figure(row: SystemRow) -> list[str]:
    name = f"{row.system}, {row.seeds} seeds" if row.seeds > 1 else row.system
    return [name, with_range(row.value, row.low, row.high), str(row.questions)]


def with_range(value: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    """A share in percent with its interval; a dash where there is none.

    Args:
        value: the share, or a difference of shares.
        low: lower end of its interval; None for no interval.
        high: upper end of its interval.
        sign: `+` for a difference.
    """
    if value is None:
        return "-"
    around = (
        f" ({100 * low:.1f} to {100 * high:.1f})" if low is not None and high is not None else ""
    )
    return f"{100 * value:{sign}.1f}{around}"


def _difference(against: Against | None) -> list[str]:
    if against is None:
        return ["", ""]
    p = "< 0.001" if against.p_holm < 0.001 else f"{against.p_holm:.3f}"
    return [with_range(against.difference, against.low, against.high, "+"), p]


def _costs(row: SystemRow) -> list[str]:
    took = f"{row.latency['median']:.2f}" if row.latency else "-"
    return [
        took,
        *(
            "-" if (cost := row.cost.get(name)) is None else f"{cost:.1f}"
            for name in ("calls", "tokens")
        ),
    ]


def _families(table: Results) -> list[Cells]:
    """The table of families: one row per family, one column per system."""
    sizes: dict[str, int] = {}
    for row in table.rows:
        for name, share in row.families.items():
            sizes[name] = max(sizes.get(name, 0), share["of"])
    return [
        ["family, %", "n", *(row.system for row in table.rows)],
        *(
            [
                name or "(none)",
                str(size),
                *(
                    with_range(row.families.get(name, {}).get("value"), None, None)
                    for row in table.rows
                ),
            ]
            for name, size in sorted(sizes.items())
        ),
    ]


def _curve(table: Results) -> list[Cells]:
    return [
        ["k", "pass@k, %", "n", "over pass@1", "relative"],
        *(
            [
                str(point.k),
                with_range(point.value, point.low, point.high),
                str(point.of),
                f"{100 * point.gain:+.1f}",
                "-" if point.relative is None else f"{100 * point.relative:+.1f} %",
            ]
            for point in table.curve
        ),
    ]


def _remarks(table: Results) -> list[str]:
    timed = {row.latency["n"] for row in table.rows if row.latency}
    where = " ".join(filter(None, [table.benchmark, table.split])) or "all questions of the project"
    first = f" (the first {table.task_limit})" if table.task_limit is not None else ""
    remarks = [
        f"Questions: {safe(where)}{first}. Intervals: 95 %, a picture's questions together"
        + ("; of several seeds, seeds too." if any(row.seeds > 1 for row in table.rows) else "."),
        f"Differences: paired with {safe(table.baseline)}, in points; "
        "p corrected for all comparisons (Holm).",
    ]
    if timed:
        number = "/".join(map(str, sorted(timed)))
        remarks.append(
            f"Seconds: median of {number} questions asked one by one, warm, with nothing cached."
        )
    if table.curve:
        remarks.append(_NO_LABEL)
    remarks += [
        f"{safe(row.system)}: {row.note}." for row in table.rows if row.note and row.mode != "any"
    ]
    return remarks


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
    """Print a table as Markdown, without the characters that Markdown takes for more than text.

    Names come from jobs and datasets.
    """
    for at, row in enumerate(cells):
        texts = ("".join(char for char in safe(cell, 60) if char not in "|<>`[]") for cell in row)
        print("| " + " | ".join(texts) + " |")
        if at == 0:
            print("|---" + "|---:" * (len(row) - 1) + "|")
    print()
