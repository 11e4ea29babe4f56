"""`vpd check`: flags runs that may be right for the wrong reason, tells program errors from tool
errors, and measures the checks.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from workbench.cli.bars import Bars
from workbench.cli.text import console, open_project, percent, safe
from workbench.errors import InputError
from workbench.evaluate.wrong_reasons.blame import Attribution
from workbench.evaluate.wrong_reasons.measure_checks import CheckMeasures, Flagging
from workbench.evaluate.wrong_reasons.suspicion import CHECKS
from workbench.evidence import FLAGGED
from workbench.shares import Share
from workbench.store import Project, Selection
from workbench.study import checking
from workbench.study.checking import Check


def main(
    project: Path | None,
    split: str | None,
    limit: int | None,
    exact: bool,
    measure: bool,
    top: int,
    as_json: bool,
) -> None:
    """Check kept runs; with `exact` or `measure`, make those figures instead.

    Args:
        project: folder of the project; None takes the one around the current folder.
        split: take only the questions of this split.
        limit: take only this many questions.
        exact: tell program errors from tool errors instead.
        measure: measure how often the checks are right instead.
        top: number of flagged runs to list.
        as_json: print JSON instead of text.

    Raises:
        InputError: both `exact` and `measure` are set.
    """
    if exact and measure:
        raise InputError("--exact and --measure are two questions; ask one at a time")
    selection, out = Selection(split, limit), console()
    with open_project(project, read_only=False) as opened, Bars() as bars:
        if exact:
            attribution = checking.attribute(opened, selection, bars)
            if as_json:
                _print_json(attribution.to_json())
            else:
                _print_attribution(out, attribution)
        elif measure:
            figures = checking.measure_checks(opened, selection, bars)
            if as_json:
                _print_json(figures.to_json())
            else:
                _print_measures(out, figures)
        else:
            outcome = checking.check(opened, selection, bars)
            if as_json:
                _print_json([dataclasses.asdict(one) for one in outcome.checks.values()])
                return
            counts = f"{len(outcome.checks)} in all, {outcome.flagged} flagged"
            out.print(f"{outcome.new} kept runs checked now, {counts}")
            _print_counts(out, outcome.checks)
            _print_worst(out, opened, outcome.checks, top)


def _print_json(content: object) -> None:
    print(json.dumps(content, indent=1))


def _print_counts(out: Console, checks: Mapping[str, Check]) -> None:
    for name, title in CHECKS.items():
        flagged = sum(
            any(f.check == name and f.flag for f in one.findings) for one in checks.values()
        )
        if flagged:
            out.print(f"  {flagged:>4}  flag:{name:<12} {title}")


def _print_worst(out: Console, project: Project, checks: Mapping[str, Check], top: int) -> None:
    worst = sorted(checks.values(), key=lambda one: (-one.suspicion, one.task_id))[: max(top, 0)]
    tasks = {task.id: task for task in project.tasks([one.task_id for one in worst])}
    for one in worst:
        if one.suspicion >= FLAGGED:
            out.print(
                f"{one.suspicion:.2f}  {safe(one.task_id, 60)}  "
                f"{safe(tasks[one.task_id].question, 90)}"
            )
            for finding in one.findings:
                out.print(f"      {safe(finding.text, 200)}")


def _print_attribution(out: Console, attribution: Attribution) -> None:
    if not attribution.all.of:
        out.print(
            "no labelled question about a drawn scene was run yet; "
            "exact tools know no other pictures"
        )
        return
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("family")
    for name in ("programs", "right", "by luck", "program error", "tool error", "undecided"):
        table.add_column(name, justify="right")
    for name, one in {**attribution.families, "all": attribution.all}.items():
        errors = (_part(one.program, one.program_share), _part(one.tool, one.tool_share))
        counts = (str(one.of), str(one.right), str(one.lucky), *errors, str(one.undecided))
        table.add_row(safe(name or "(none)", 40), *counts)
    out.print(table)
    out.print(
        f"program errors  {attribution.all.program_share}  of the wrong answers that could be "
        "decided (95 % interval)"
    )
    out.print(f"tool errors     {attribution.all.tool_share}")
    out.print(
        f"right by luck   {attribution.all.lucky_share}  of the right answers that could be decided"
    )
    if attribution.left_out:
        out.print(
            f"{attribution.left_out} programs left out: "
            "their questions have no label or no drawn scene"
        )


def _part(number: int, share: Share) -> str:
    return f"{number} ({percent(share.value)})"


def _print_measures(out: Console, figures: CheckMeasures) -> None:
    if not figures.sets["natural"]["suspicion"].alarms.of:
        out.print(
            "no kept run about a drawn scene has a label; "
            "there is nothing to measure the checks with"
        )
        return
    for name, flaggings in figures.sets.items():
        suspected = flaggings["suspicion"]
        out.print(f"{name}: {suspected.recall.of} wrong programs, {suspected.alarms.of} right ones")
        table = Table(box=SIMPLE, pad_edge=False)
        table.add_column("check")
        for column in ("flagged", "precision %", "recall %", "alarms %", "AUC"):
            table.add_column(column, justify="right")
        for check, one in flaggings.items():
            if one.precision.of or check in ("suspicion", "fitted"):
                shares = map(_interval, (one.precision, one.recall, one.alarms))
                table.add_row(check, str(one.precision.of), *shares, _area(one))
        out.print(table)
    out.print(
        "flagged, by kind of edit: "
        + ", ".join(f"{kind} {share.hits:g}/{share.of}" for kind, share in figures.edits.items())
    )
    out.print(
        f"{figures.undecided} kept runs left out: neither right nor clearly wrong on other scenes"
    )


def _interval(share: Share) -> str:
    """A share in per cent with its 95 % interval, as `54 (35-71)`."""
    low, high = share.interval
    return (
        f"{100 * share.hits / share.of:.0f} ({100 * low:.0f}-{100 * high:.0f})" if share.of else "-"
    )


def _area(one: Flagging) -> str:
    return f"{one.auc[0]:.2f} ({one.auc[1]:.2f}-{one.auc[2]:.2f})" if one.auc is not None else ""
