"""`vpd compare`: pipeline against student, question by question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from rich.box import SIMPLE
from rich.table import Table as Printed
from rich.text import Text

from workbench.cli.text import console, open_project, percent, safe
from workbench.errors import InputError
from workbench.store import Selection
from workbench.study.two_by_two import COUNTINGS, Counting, Table, TwoByTwo, compare


def main(project: Path | None, counting: str, by: str, split: str | None, as_json: bool) -> None:
    """Print the 2x2 table with McNemar's p, and its slices."""
    if by not in ("family", "tool"):
        raise InputError(f"slices are by family or tool, found '{by}'")
    with open_project(project, read_only=True) as opened:
        found = compare(opened.outcomes(None, Selection(split)), cast(Counting, counting))
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
        return
    if not found.all.of:
        console().print(
            "no labelled question has both verdicts and the student's answer yet; run: vpd run"
            + (f" (questions so far: {found.left_out})" if found.left_out else "")
        )
        return
    _print(found, by)


def _print(found: TwoByTwo, by: str) -> None:
    out, table = console(), found.all
    square = Printed(box=SIMPLE, pad_edge=False)
    for name in ("", "student right", "student wrong", "pipeline"):
        square.add_column(name, justify="right" if name else "left")
    square.add_row(
        "pipeline right", str(table.both), str(table.pipeline), percent(table.pipeline_right.value)
    )
    square.add_row("pipeline wrong", str(table.student), str(table.neither), "")
    square.add_row("student", percent(table.student_right.value), "", f"of {table.of}")
    out.print(square)
    out.print(f"pipeline right: {COUNTINGS[found.counting]}")
    out.print(f"pipeline  {table.pipeline_right}  (95 % interval)")
    out.print(f"student   {table.student_right}")
    out.print(
        f"McNemar's exact test: {_p(table)}"
        + (f"; {found.left_out} questions left out" * bool(found.left_out))
    )
    slices = Printed(box=SIMPLE, pad_edge=False)
    slices.add_column(by)
    for name in ("questions", "pipeline", "student", "only pipeline", "only student", "p"):
        slices.add_column(name, justify="right")
    for name, one in (found.families if by == "family" else found.tools).items():
        shares = (percent(one.pipeline_right.value), percent(one.student_right.value))
        cells = (str(one.of), *shares, str(one.pipeline), str(one.student), _p(one, short=True))
        slices.add_row(Text(safe(name or "(none)", 40)), *cells)
    out.print(slices)


def _p(table: Table, short: bool = False) -> str:
    """Where the two never differ there is nothing to test."""
    if table.p is None:
        return "-" if short else "no question separates the two"
    shown = "< 0.001" if table.p < 0.001 else f"{table.p:.3f}" if short else f"= {table.p:.3f}"
    return (
        shown
        if short
        else f"p {shown} over {table.pipeline + table.student} questions that one side alone got right"
    )
