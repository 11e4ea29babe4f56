"""`vpd ratings`: prints people's ratings of two models' explanations, beside the figures of the
paper's human evaluation.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from workbench.cli.text import console, open_project, percent, safe
from workbench.evaluate.human import (
    ASKED,
    PAPER,
    HumanEvaluation,
    human_evaluation,
    rated_pairs,
    table,
)
from workbench.records import PartRef
from workbench.screen.part_names import part_name


def main(project: Path | None, as_json: bool, as_csv: bool) -> None:
    """Print every pair of models that people rated, or all ratings.

    Args:
        project: folder of the project; None takes the one around the current folder.
        as_json: print JSON instead of text.
        as_csv: print every rating as CSV.
    """
    with open_project(project, read_only=True) as opened:
        ratings, parts = opened.curation.ratings(), opened.parts
    if as_csv:
        rows = table(ratings)
        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else ["question"])
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
        return
    evaluations = [
        human_evaluation(ratings, first, second) for first, second in rated_pairs(ratings)
    ]
    if as_json:
        print(json.dumps([one.to_json() for one in evaluations], indent=1))
        return
    out = console()
    if not evaluations:
        out.print(
            "nobody has rated two models yet; rate them in the app: vpd app, then Curate, "
            "Rate models"
        )
    for one in evaluations:
        _print(out, one, parts)


def _cell(value: object) -> object:
    """A value for a CSV file; a text that looks like a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def _print(out: Console, evaluation: HumanEvaluation, parts: Mapping[str, PartRef]) -> None:
    out.print(
        f"A = {_name(evaluation.first, parts)}, B = {_name(evaluation.second, parts)}: "
        f"{evaluation.questions} questions, "
        f"{evaluation.ratings} ratings by {len(evaluation.raters)}"
    )
    figures = Table(box=SIMPLE, pad_edge=False)
    for at, name in enumerate(("", "", "share", "of", "95 %", "paper")):
        figures.add_column(name, justify="right" if at > 1 else "left")
    for name, words in ASKED.items():
        for side, share, paper in zip("AB", evaluation.shares[name], PAPER[name], strict=True):
            low, high = share.interval
            where = f"{100 * low:.0f} to {100 * high:.0f}" if share.of else "-"
            figures.add_row(
                words if side == "A" else "",
                side,
                percent(share.value),
                str(share.of),
                where,
                percent(paper),
            )
        if (apart := evaluation.differences[name]) is not None:
            where = f"{100 * apart.low:.0f} to {100 * apart.high:.0f}"
            first, second = PAPER[name]
            points = f"{100 * (second - first):+.1f}"
            figures.add_row(
                "", "B - A", f"{100 * apart.difference:+.1f}", str(apart.n), where, points
            )
    out.print(figures)
    out.print("paper: PaLI-X-Instruct (A) and PaLI-X-VPD (B), 600 questions")
    sides = {"first": "A", "second": "B", "both": "both alike", "neither": "neither"}
    out.print(
        "preferred: "
        + ", ".join(f"{sides[name]} {share}" for name, share in evaluation.preferences.items())
    )
    for name, pairs in evaluation.agreement.items():
        for one in pairs:
            kappa = "-" if one.kappa is None else f"{one.kappa:.2f}"
            out.print(
                f"agreement on {ASKED.get(name, name)}: "
                f"{safe(one.first, 40)} and {safe(one.second, 40)} alike on "
                f"{one.same} of {one.n}, Cohen's kappa {kappa} {one.note}".rstrip()
            )


def _name(key: str, parts: Mapping[str, PartRef]) -> str:
    ref = parts.get(key)
    if ref is None:
        return f"the programs ({key})"
    return safe(part_name(ref, parts.values()))
