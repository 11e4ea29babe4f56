"""`vpd critic`: who orders the queue by what people accept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from workbench.cli.options import key_value
from workbench.cli.text import console, open_project, safe
from workbench.store.people import reviewed
from workbench.study import criticising


def fit(project: Path | None, name: str, settings: Sequence[str], dry: bool, as_json: bool) -> None:
    """Let a critic learn, and print how well it orders.

    Args:
        project: folder of the project; None takes the one around the current folder.
        name: of the critic.
        settings: its arguments, as KEY=VALUE.
        dry: measure, and change nothing.
        as_json: print JSON instead of text.
    """
    with open_project(project, read_only=dry) as opened:
        report = criticising.fit(opened, name, dict(map(key_value, settings)), dry)
    if as_json:
        print(json.dumps(asdict(report), indent=1))
        return
    out = console()
    out.print(
        f"{report.decisions} decisions, {report.accepted} of them accepted, about "
        f"{report.pictures} pictures; measured on pictures that were not learnt from"
    )
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("", "ROC-AUC", *(f"precision at recall {r}" for r in report.figures.precision)):
        table.add_column(title, justify="right" if title else "left")
    for words, figures in ((report.critic.name, report.figures), ("plain facts", report.facts)):
        values = (figures.auc, *figures.precision.values())
        table.add_row(safe(words, 40), *(f"{value:.3f}" for value in values))
    out.print(table)
    low, high = report.difference
    out.print(f"difference in ROC-AUC: {low:+.3f} to {high:+.3f} (95 %, drawn by picture)")
    if not report.better:
        out.print("it is not better beyond the interval: the queue is ordered by plain facts")
    elif dry:
        out.print("it is better; nothing was changed")
    else:
        out.print(f"it is better: the order 'acceptance' is by its scores of {report.scored} runs")


def show(project: Path | None, as_json: bool) -> None:
    """Print which critic orders the queue.

    Args:
        project: folder of the project; None takes the one around the current folder.
        as_json: print JSON instead of text.
    """
    with open_project(project, read_only=True) as opened:
        critic = reviewed.in_force(opened.database)
    if as_json:
        print(json.dumps(asdict(critic) if critic else None, indent=1))
    elif critic is None:
        console().print("no critic is in force: the order 'acceptance' is by plain facts")
    else:
        console().print(
            f"{safe(critic.part['name'], 80)}, learnt from {critic.decisions} decisions, "
            f"has scored {critic.scores} runs"
        )
