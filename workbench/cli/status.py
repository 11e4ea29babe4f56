"""`vpd status`: where a project stands."""

from __future__ import annotations

import json
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.cli.text import console, open_project, percent, safe, seconds
from workbench.pipeline import Report, report
from workbench.pipeline.report import GroupShares
from workbench.shares import Share
from workbench.store import Selection


def main(project: Path | None, as_json: bool, split: str | None, limit: int | None) -> None:
    """Print the figures of a project."""
    with open_project(project, read_only=True) as opened:
        found = report(opened, None, Selection(split, limit))
        where = opened.path
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
        return
    out = console()
    out.print(f"project {safe(where)}")
    print_report(out, found)


def print_report(out: Console, found: Report) -> None:
    """The table of a report: figures with their denominators, then stages, then failures."""
    counts = found.counts
    out.print(
        f"{counts.tasks} tasks ({counts.labelled} labelled), {counts.programs} programs, {counts.traces} run, "
        f"{counts.judged} tasks judged, {counts.rationales} rationales ({counts.faithful} faithful), "
        f"{counts.predictions} answers of the student"
        + (f", {counts.bad_rows} rows left out on import" if counts.bad_rows else "")
    )
    sizes = list(found.all.passed)
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("family")
    for name in ("tasks", *(f"pass@{size}" for size in sizes), "yield", "executed", "student"):
        table.add_column(name, justify="right")
    for name, figures in found.families.items():
        table.add_row(*_row(name or "(none)", figures))
    table.add_section()
    table.add_row(*_row("all", found.all))
    out.print(table)
    out.print(
        f"pass@k, yield: of {found.all.kept.of} judged labelled tasks with {found.k} programs each; "
        f"executed: of {found.all.executed.of} programs; student: of {found.all.student.of} labelled answers"
    )
    for name, share in (
        (f"pass@{sizes[0]}", found.all.passed[sizes[0]]),
        ("yield", found.all.kept),
        ("student", found.all.student),
    ):
        if share.of:
            out.print(f"{name:<8}{share}  (95 % interval)")
    if found.all.agreed.of:
        out.print(
            f"agreed  {found.all.agreed}  of unlabelled tasks: agreement among programs, not correctness"
        )
    spent = [
        f"{stage} {seconds(cost.per_question)}"
        for stage, cost in found.stages.items()
        if cost.per_question is not None
    ]
    if spent:
        out.print(f"seconds per question: {', '.join(spent)}")
    out.print(
        f"an answer by programs: {seconds(found.seconds_per_question)} per question; "
        f"by the student: {seconds(found.student_seconds)}"
        + (f"; peak memory {found.peak_rss / 2**20:.0f} MiB" if found.peak_rss else "")
    )
    if counts.failures:
        out.print("failures: " + ", ".join(f"{kind} {n}" for kind, n in counts.failures.items()))


def _row(name: str, found: GroupShares) -> list[Text]:
    shares: list[Share] = [*found.passed.values(), found.kept, found.executed, found.student]
    return [
        Text(safe(name, 40)),
        Text(str(found.tasks)),
        *(Text(percent(share.value)) for share in shares),
    ]
