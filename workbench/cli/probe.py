"""`vpd probe`: tests whether a student's answer depends on its own rationale."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from workbench import registry
from workbench.cli.bars import Bars
from workbench.cli.text import console, open_project, safe
from workbench.evaluate.faithfulness.corrupt import KINDS
from workbench.evaluate.faithfulness.probe import Line, Probe
from workbench.recipes.ports import AnswerProbe
from workbench.screen.part_names import part_name
from workbench.study.answering import student_by_name
from workbench.study.judging import measure
from workbench.study.probing import probe
from workbench.study.transfer import compare_systems


def main(
    project: Path | None,
    model: str | None,
    split: str | None,
    limit: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Probe a student, and print how often its answer moved under each condition.

    Args:
        project: folder of the project; None takes the one around the current folder.
        model: name of a student; None takes the profile's.
        split: take only the questions of this split.
        limit: number of questions to draw.
        seed: seed for the choice of questions and of what to corrupt.
        as_json: print JSON instead of text.
    """
    with open_project(project, read_only=True) as opened, Bars() as bars:
        result = probe(opened, student_by_name(opened, model).student, split, limit, seed, bars)
    if as_json:
        print(json.dumps(result.to_json(), indent=1))
        return
    _print(result)


def ratings(project: Path | None, name: str, as_json: bool) -> None:
    """Print what a probe finds in people's blind ratings, or in stored evaluations.

    Args:
        project: folder of the project; None takes the one around the current folder.
        name: of the probe.
        as_json: print JSON instead of text.
    """
    part = registry.build("probe", name)
    if isinstance(part, AnswerProbe):
        _transfer(project, part, as_json)
        return
    with open_project(project, read_only=True) as opened:
        report, parts = measure(opened, name), opened.parts
    if as_json:
        print(json.dumps(asdict(report), indent=1))
        return
    out = console()
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("takes", "judged", "system", "share of questions (95 %)"):
        table.add_column(title)
    for row in report.shares:
        part = parts.get(row.system)
        words = part_name(part, parts.values()) if part else f"the programs ({row.system})"
        table.add_row(row.kind, row.axis, safe(words, 60), str(row.share))
    out.print(table)
    for one in report.agreements:
        value = "not defined: one word throughout" if one.kappa is None else f"{one.kappa:.2f}"
        out.print(
            f"{one.axis}: {safe(one.first, 40)} and {safe(one.second, 40)}, kappa {value} over "
            f"{one.n} answers"
        )


def _transfer(project: Path | None, part: AnswerProbe, as_json: bool) -> None:
    with open_project(project, read_only=True) as opened:
        reports = compare_systems(opened, part)
    if as_json:
        rows = [
            {"benchmark": benchmark, "split": split, **asdict(report)}
            for (benchmark, split), report in reports.items()
        ]
        print(json.dumps(rows, indent=1))
        return
    out = console()
    for (benchmark, split), report in reports.items():
        out.print(f"{safe(benchmark or 'all questions', 60)}, split {safe(split or 'any', 40)}")
        table = Table(box=SIMPLE, pad_edge=False)
        for title in ("kind", "system", "share (95 %)", "against the base (95 %)"):
            table.add_column(title)
        for row in report.rows:
            apart = ""
            if row.difference is not None:
                ends = f"{100 * (row.low or 0):+.1f} to {100 * (row.high or 0):+.1f}"
                apart = f"{100 * row.difference:+.1f} points ({ends})"
            table.add_row(row.kind, safe(row.name, 60), str(row.share), apart)
        out.print(table)
        words = f"the base is {safe(report.base, 60)}" if report.base else "there is no base"
        out.print(
            f"{words}; {report.left_out} questions that not all of them answered are left out"
        )


def _print(result: Probe) -> None:
    out = console()
    out.print(
        f"student {safe(result.model.name)} {safe(result.model.version)}, {result.asked} questions"
    )
    out.print(
        f"reasons before the answer: {result.explained}; of these, an answer that can be read: "
        f"{result.readable}"
    )
    if not result.readable.hits:
        out.print(
            "nothing to corrupt: a student that was not taught rationales repeats its answer; "
            "probe one that was"
        )
        return
    table = Table(box=SIMPLE, pad_edge=False)
    for name in ("changed", "of", "moved", "95 %", "above control", "as told"):
        table.add_column(name, justify="left" if name == "changed" else "right")
    group = result.lines[0].group
    for line in result.lines:
        if line.group != group:
            group = line.group
            table.add_section()
        table.add_row(*_cells(line))
    out.print(table)
    out.print("moved: the answer is another one than behind its own reasons")
    out.print(
        "above control: than with an unrelated fact in front (a box: off by a hair; else: "
        "its own reasons again)"
    )
    out.print(
        "as told: the answer became the one that the wrong fact leads to, where that can be told"
    )
    families = Table(box=SIMPLE, pad_edge=False)
    families.add_column("family")
    names = list(
        dict.fromkeys(line.condition for lines in result.families.values() for line in lines)
    )
    for name in names:
        families.add_column(name, justify="right")
    for family, lines in result.families.items():
        cells = {
            line.condition: f"{100 * (line.moved.value or 0):.0f} % of {line.moved.of}"
            for line in lines
        }
        families.add_row(safe(family or "(none)", 40), *(cells.get(name, "-") for name in names))
    out.print(families)


def _cells(line: Line) -> tuple[str, ...]:
    low, high = line.moved.interval
    apart, led = line.difference, line.followed
    return (
        "- " * (line.condition in KINDS) + line.words,
        str(line.moved.of),
        f"{100 * (line.moved.value or 0):.0f} %",
        f"{100 * low:.0f} to {100 * high:.0f}",
        f"{100 * apart.difference:+.0f} ({100 * apart.low:.0f} to {100 * apart.high:.0f})"
        if apart is not None
        else "",
        f"{led.hits:.0f} of {led.of}" if led.of else "",
    )
