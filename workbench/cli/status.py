"""`vpd status`: where a project stands."""

from __future__ import annotations

import json
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.cli.text import console, open_project, percent, safe, seconds, without_pandas
from workbench.pipeline.report import GroupShares, Report, report
from workbench.pipeline.report_repairs import RepairShares
from workbench.shares import Share
from workbench.store import Selection
from workbench.store.reading.variety import Variety
from workbench.usage import Usage, per_rationale


def main(project: Path | None, as_json: bool, split: str | None, limit: int | None) -> None:
    """Print the figures of a project.

    Args:
        project: folder of the project; None takes the one around the current folder.
        as_json: print JSON instead of text.
        split: take only the questions of this split.
        limit: take only this many questions.
    """
    with without_pandas(), open_project(project, read_only=True) as opened:
        figures = report(opened, None, Selection(split, limit))
        where = opened.path
    if as_json:
        print(json.dumps(figures.to_json(), indent=1))
        return
    out = console()
    out.print(f"project {safe(where)}")
    print_report(out, figures)


def print_report(out: Console, figures: Report) -> None:
    """Print a report: figures with their denominators, then stages, then failures."""
    counts = figures.counts
    out.print(
        f"{counts.tasks} tasks ({counts.labelled} labelled), {counts.programs} programs, "
        f"{counts.traces} run, "
        f"{counts.judged} tasks judged, "
        f"{counts.rationales} rationales ({counts.faithful} faithful, "
        f"{counts.bare} bare, {counts.unchecked} with unchecked claims), "
        f"{counts.predictions} answers of the student"
        + (f", {counts.bad_rows} rows left out on import" if counts.bad_rows else "")
    )
    sizes = list(figures.all.passed)
    # so that it fits into 80 columns
    table = Table(box=SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("family")
    passed = (f"pass@{size}" for size in sizes)
    for name in ("tasks", *passed, "yield", "evidence", "executed", "student"):
        table.add_column(name, justify="right")
    for name, shares in figures.families.items():
        table.add_row(*_row(name or "(none)", shares))
    table.add_section()
    table.add_row(*_row("all", figures.all))
    out.print(table)
    out.print(
        f"pass@k, yield, yield with evidence: of {figures.all.kept.of} judged labelled tasks "
        f"with {figures.k} programs each; "
        f"executed: of {figures.all.executed.of} programs; student: "
        f"of {figures.all.student.of} labelled answers"
    )
    for name, share in (
        (f"pass@{sizes[0]}", figures.all.passed[sizes[0]]),
        ("first program", figures.all.first),
        ("likeliest one", figures.likeliest),
        ("yield", figures.all.kept),
        ("with evidence", figures.all.looked),
        ("student", figures.all.student),
    ):
        if share.of:
            out.print(f"{name:<15}{share}  (95 % interval)")
    if figures.all.agreed.of:
        out.print(
            f"{'agreed':<15}{figures.all.agreed}  of unlabelled tasks: agreement among programs, "
            "not correctness"
        )
    _print_variety(out, figures.variety, figures.k)
    if figures.repairs is not None:
        _print_repairs(out, figures.repairs)
    _print_costs(out, figures)
    if counts.evidence:
        kinds = ", ".join(f"{kind} {n}" for kind, n in counts.evidence.items())
        out.print(f"kept answers rest on: {kinds}")
    if counts.failures:
        out.print("failures: " + ", ".join(f"{kind} {n}" for kind, n in counts.failures.items()))


def _print_variety(out: Console, variety: Variety | None, k: int) -> None:
    """Print how much the k programs of a question differ, and what pass@1 then is."""
    if variety is None or k == 1:
        return
    tasks = variety.tasks
    out.print(
        f"different programs: {variety.different / tasks:.1f} of {k} on average over {tasks} tasks "
        f"(names of variables and prints set aside); {variety.with_repeats} tasks have a program "
        f"twice, {variety.all_equal} have one alone"
    )
    if variety.redraws:
        out.print(
            f"drawn again: {variety.redrawn} programs, {variety.redraws} times in all, since they "
            f"were there already; so pass@1 is the mean over {k} programs that avoid one another, "
            f"and pass@{k} that of such {k}"
        )


def _print_repairs(out: Console, repairs: RepairShares) -> None:
    """Print what writing again brought; none of it counts in the figures above."""
    out.print(
        f"written again: {repairs.programs} programs in at most {repairs.rounds} rounds, after "
        f"{repairs.answered.of} that failed or had an empty answer; not counted above"
    )
    for name, share in (
        ("answers now", repairs.answered),
        ("right now", repairs.right),
        ("rescued", repairs.rescued),
        ("wrong reason", repairs.wrong_reason),
        ("  sampled ones", repairs.wrong_reason_sampled),
        *((f"pass@{k} with it", share) for k, share in repairs.passed.items()),
    ):
        out.print(f"{name:<15}{share}")
    out.print(
        "rescued: of questions with a program written again; wrong reason: flagged, of right ones "
        "that were checked"
    )


def _print_costs(out: Console, figures: Report) -> None:
    spent = [
        f"{stage} {seconds(cost.per_question)}"
        for stage, cost in figures.stages.items()
        if cost.per_question is not None
    ]
    if spent:
        out.print(f"seconds per question: {', '.join(spent)}")
    out.print(
        f"an answer by programs: {seconds(figures.seconds_per_question)} per question; "
        f"by the student: {seconds(figures.student_seconds)}"
        + (f"; peak memory {figures.peak_rss / 2**20:.0f} MiB" if figures.peak_rss else "")
    )
    _print_usage(out, figures)


def _print_usage(out: Console, figures: Report) -> None:
    """Print what endpoints were asked, by stage; nothing where none was."""
    for stage, usage in figures.usage.items():
        out.print(f"endpoints, {stage}: {usage}")
    if len(figures.usage) > 1:
        out.print(f"endpoints, all: {sum(figures.usage.values(), Usage())}")
    each = per_rationale(sum(figures.usage.values(), Usage()), figures.rationales)
    if each:
        out.print(f"endpoints, per kept rationale: {each} ({figures.rationales} rationales)")


def _row(name: str, group: GroupShares) -> list[Text]:
    shares: list[Share] = [*group.passed.values(), group.kept, group.looked]
    shares += [group.executed, group.student]
    return [
        Text(safe(name, 40)),
        Text(str(group.tasks)),
        *(Text(percent(share.value)) for share in shares),
    ]
