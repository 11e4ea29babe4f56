"""`vpd evaluate`: a student or the pipeline on a set of questions, into the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from workbench.cli.bars import Bars
from workbench.cli.text import console, open_project, percent, safe, seconds
from workbench.evaluate.benchmarks.scores import SystemAnswer
from workbench.evaluate.benchmarks.submission import write
from workbench.store import Evaluation, Project, Selection
from workbench.store.reading import evaluations
from workbench.study import evaluate


def main(
    project: Path | None,
    models: Sequence[str],
    pipeline: int | None,
    explain: bool,
    benchmark: str | None,
    split: str | None,
    limit: int | None,
    timed: int,
    submit: Path | None,
    as_json: bool,
) -> None:
    """Evaluate what was named, print each figure as it comes; without a name, the profile's
    student.
    """
    selection = Selection(split, limit, benchmark)
    asked: list[str | None] = list(models) or ([None] if pipeline is None else [])
    made: list[Evaluation] = []
    with open_project(project, read_only=False) as opened, Bars() as bars:
        if pipeline is not None:
            made += evaluate.evaluate_pipeline(opened, pipeline, selection, timed, bars)
        made += [
            evaluate.evaluate(opened, model, selection, explain, timed, bars) for model in asked
        ]
        if submit is not None:
            _submit(opened, selection, made, submit)
    if as_json:
        print(json.dumps([asdict(row) for row in made], indent=1, default=str))
        return
    out = console()
    for row in made:
        out.print(line(row))
    out.print("all systems side by side: vpd results")


def line(row: Evaluation) -> str:
    """An evaluation in one line."""
    where = f" ({percent(row.low)} to {percent(row.high)})" if row.low is not None else ""
    took = (
        f", {seconds(row.latency['median'])} a question (median of {row.latency['n']})"
        if row.latency
        else ""
    )
    unread = (
        f", {row.details['unreadable']} without a readable answer"
        if row.details.get("unreadable")
        else ""
    )
    shown = f"{safe(row.metric)} {percent(row.value)}{where} of {row.questions}"
    return f"{safe(row.system, 60)}: {shown}{unread}{took}"


def _submit(
    project: Project, selection: Selection, made: Sequence[Evaluation], folder: Path
) -> None:
    """The answers of each system in the benchmark's own format, each in a folder of its own."""
    asked = evaluate.questions(project, selection)
    for row in made:
        if row.mode != "any":
            said = evaluations.evaluation_answers(project.database, row.id)
            answers = {task: SystemAnswer(text) for task, text in said.items()}
            for file in write(
                asked.scorer.source, asked.tasks, answers, folder / row.id, read_options=True
            ):
                console().print(f"{safe(row.system, 60)}: {file.rows} rows in {safe(file.path)}")
