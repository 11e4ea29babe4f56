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
from workbench.pipeline.live_names import side_names
from workbench.store import Selection
from workbench.study.two_by_two import COUNTINGS, Counting, Table, TwoByTwo, compare


def main(
    project: Path | None, counting: str | None, by: str, split: str | None, as_json: bool
) -> None:
    """Print the 2x2 table with McNemar's p, and its slices.

    Args:
        project: folder of the project; None takes the one around the current folder.
        counting: when the pipeline counts as right: first, vote or any; None shows first and vote.
        by: slices of the table: family or tool.
        split: take only the questions of this split.
        as_json: print JSON instead of text.

    Raises:
        InputError: `by` is neither family nor tool.
    """
    if by not in ("family", "tool"):
        raise InputError(f"slices are by family or tool, found '{by}'")
    with open_project(project, read_only=True) as opened:
        outcomes = opened.outcomes(None, Selection(split))
        student = side_names(opened.profile())["student"].model
    comparison = compare(outcomes, cast(Counting, counting or "first"))
    also = [compare(outcomes, "vote")] if counting is None else []
    if as_json:
        more = {other.counting: other.to_json() for other in also}
        print(json.dumps(comparison.to_json() | more, indent=1))
        return
    if not comparison.all.of:
        console().print(
            "no labelled question has both verdicts and the student's answer yet; run: vpd run"
            + (f" (questions so far: {comparison.left_out})" if comparison.left_out else "")
        )
        return
    for one in (comparison, *also):
        _print(one, by, student)


def _print(comparison: TwoByTwo, by: str, student: str) -> None:
    out, table = console(), comparison.all
    square = Printed(box=SIMPLE, pad_edge=False)
    for name in ("", "student right", "student wrong", "pipeline"):
        square.add_column(name, justify="right" if name else "left")
    square.add_row(
        "pipeline right", str(table.both), str(table.pipeline), percent(table.pipeline_right.value)
    )
    square.add_row("pipeline wrong", str(table.student), str(table.neither), "")
    square.add_row("student", percent(table.student_right.value), "", f"of {table.of}")
    out.print(square)
    out.print(f"pipeline right: {COUNTINGS[comparison.counting]}")
    out.print(f"pipeline  {table.pipeline_right}  (95 % interval)")
    out.print(f"student   {table.student_right}  ({safe(student)})")
    out.print(
        f"McNemar's exact test: {_p(table)}"
        + (f"; {comparison.left_out} questions left out" * bool(comparison.left_out))
    )
    slices = Printed(box=SIMPLE, pad_edge=False)
    slices.add_column(by)
    for name in ("questions", "pipeline", "student", "only pipeline", "only student", "p"):
        slices.add_column(name, justify="right")
    for name, one in (comparison.families if by == "family" else comparison.tools).items():
        shares = (percent(one.pipeline_right.value), percent(one.student_right.value))
        cells = (str(one.of), *shares, str(one.pipeline), str(one.student), _p(one, short=True))
        slices.add_row(Text(safe(name or "(none)", 40)), *cells)
    out.print(slices)


def _p(table: Table, short: bool = False) -> str:
    """The p of McNemar's test; without a question that separates the sides there is none."""
    if table.p is None and table.by_label:
        return "-" if short else "none, since the label chose among the programs"
    if table.p is None:
        return "-" if short else "no question separates the two"
    small = table.p < 0.001
    if short:
        return "< 0.001" if small else f"{table.p:.3f}"
    p = "p < 0.001" if small else f"p = {table.p:.3f}"
    return f"{p} over {table.pipeline + table.student} questions that one side alone got right"
