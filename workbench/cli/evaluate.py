"""`vpd evaluate`: scores a student or the pipeline on questions, and stores the figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from workbench.cli.bars import Bars
from workbench.cli.text import console, error_line, open_project, percent, safe, seconds
from workbench.errors import InputError
from workbench.evaluate.benchmarks.submission import write
from workbench.store import Evaluation, Project, Selection
from workbench.study import evaluate
from workbench.study.missing import missing_answers
from workbench.verify.normalise import Mode

MANY = 50
"""Questions from which on the pipeline says what it is about to do."""


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
    normalise: Mode = "always",
) -> None:
    """Evaluate what is named, else the profile's student, and print each figure.

    Args:
        project: folder of the project; None takes the one around the current folder.
        models: names of students.
        pipeline: number of programs per question; None leaves the pipeline out.
        explain: read the answer from the end of a rationale.
        benchmark: take only the questions of this source.
        split: take only the questions of this split.
        limit: take only this many questions.
        timed: number of questions to time one at a time.
        submit: folder for the answers in the benchmark's own format.
        as_json: print JSON instead of text.
        normalise: how answers to VQAv2 and OK-VQA are normalised.
    """
    if normalise not in get_args(Mode):
        modes = " or ".join(get_args(Mode))
        raise InputError(f"no way of normalising is called '{normalise:.40}'; choose {modes}")
    selection = Selection(split, limit, benchmark)
    systems: list[str | None] = list(models) or ([None] if pipeline is None else [])
    rows: list[Evaluation] = []
    with open_project(project, read_only=False) as opened, Bars() as bars:
        bars.load()
        if pipeline is not None:
            _announce(opened, pipeline, selection)
            rows += evaluate.evaluate_pipeline(opened, pipeline, selection, timed, bars, normalise)
        rows += [
            evaluate.evaluate(opened, model, selection, explain, timed, bars, normalise)
            for model in systems
        ]
        if submit is not None:
            names: list[str | None] = [*[None] * (len(rows) - len(systems)), *systems]
            _submit(opened, selection, list(zip(rows, names, strict=True)), submit)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=1, default=str))
        return
    out = console()
    for row in rows:
        out.print(line(row))
    out.print("all systems side by side: vpd results")


def _announce(project: Project, k: int, selection: Selection) -> None:
    """Say how much is asked before it begins: programs for a whole benchmark take hours."""
    count = len(project.outcomes(None, selection))
    if selection.limit is None and count > MANY:
        error_line(
            f"the pipeline answers {count} questions with {k} programs each; what was answered "
            "before is not asked again, --limit N asks fewer, and Ctrl-C keeps what is done",
            "note: ",
        )


def line(row: Evaluation) -> str:
    """An evaluation in one line."""
    where = f" ({percent(row.low)} to {percent(row.high)})" if row.low is not None else ""
    took = (
        f", {seconds(row.latency['median'])} a question (median of {row.latency['n']})"
        if row.latency
        else ""
    )
    missing = missing_answers(row.details)
    both = {
        mode: metric.get("value")
        for mode in get_args(Mode)
        if (metric := row.details.get("metrics", {}).get(f"accuracy, normalised {mode}"))
    }
    ways = "".join(f", normalised {mode} {percent(value)}" for mode, value in both.items())
    figure = f"{safe(row.metric)} {percent(row.value)}{where} of {row.questions}"
    return f"{safe(row.system, 60)}: {figure}{ways}{f', {missing}' if missing else ''}{took}"


def _submit(
    project: Project,
    selection: Selection,
    rows: Sequence[tuple[Evaluation, str | None]],
    folder: Path,
) -> None:
    """Write each system's answers in the benchmark's own format, each into its own folder.

    Args:
        project: has the answers.
        selection: of the questions.
        rows: the evaluations, each with the name of its student.
        folder: where the folders go.
    """
    posed = evaluate.questions(project, selection)
    lacking: list[InputError] = []
    for row, model in rows:
        if row.mode == "any":  # the best of k is a bound and no system
            continue
        answers = evaluate.submission(project, posed, row, model)
        try:
            files = write(
                posed.scorer.source, posed.tasks, answers, folder / row.id, read_options=True
            )
        except InputError as error:  # the others' files are written all the same
            lacking.append(InputError(f"no file for {safe(row.system, 60)}: {error}"))
            continue
        for file in files:
            empty = f", {file.missing} of them empty, without an answer" if file.missing else ""
            name = safe(row.system, 60)
            console().print(f"{name}: {file.rows} rows in {safe(file.path)}{empty}")
    if lacking:
        raise lacking[0]
