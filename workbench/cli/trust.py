"""What the commands take that say how far figures can be trusted: `vpd check`, `compare`, `probe`,
`ratings` and `report`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, ProjectFolder, go

Split = Annotated[str | None, typer.Option(help="Only tasks of this split.")]
Limit = Annotated[int | None, typer.Option(help="Only the first so many tasks.")]


def report(
    project: ProjectFolder = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file to write; an earlier report gives way.")
    ] = (Path("report.html")),
) -> None:
    """Write the project's figures and a dozen examples as one HTML file that needs nothing else."""
    go("report", project=project, out=out)


def check(
    project: ProjectFolder = None,
    split: Split = None,
    limit: Limit = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="Run all programs with exact tools: whose errors are the wrong answers?"
        ),
    ] = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure", help="How right the checks are, on drawn scenes; minutes of one core."
        ),
    ] = False,
    top: Annotated[int, typer.Option(help="Flagged runs to list, the most suspicious first.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Is a kept run right for the wrong reason?  Its program again with changed tool results, its
    words, its siblings.

    Checks only what is new or changed.  Ctrl-C stops it; the same command goes on.
    """
    go(
        "check",
        project=project,
        split=split,
        limit=limit,
        exact=exact,
        measure=measure,
        top=top,
        as_json=as_json,
    )


def compare(
    project: ProjectFolder = None,
    counting: Annotated[
        str,
        typer.Option(
            "--pipeline",
            help="The pipeline is right when: any, vote (most frequent answer) or first.",
        ),
    ] = "any",
    by: Annotated[str, typer.Option(help="Slices: family or tool.")] = "family",
    split: Split = None,
    as_json: AsJson = False,
) -> None:
    """Pipeline against student: who was right on which questions, with McNemar's p and slices."""
    go("compare", project=project, counting=counting, by=by, split=split, as_json=as_json)


def probe(
    project: ProjectFolder = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="bundled, a job, its folder, a checkpoint's folder or a hub id. The profile's student."
        ),
    ] = None,
    split: Split = None,
    limit: Annotated[
        int | None, typer.Option(help="So many questions, drawn by the seed.", min=1)
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Draws the questions, and what is made wrong in each.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Does a student's answer rest on its own rationale: corrupt it, shuffle it, mask the picture,
    and see what moves.

    Ctrl-C stops it; the same command goes on.
    """
    go("probe", project=project, model=model, split=split, limit=limit, seed=seed, as_json=as_json)


def ratings(
    project: ProjectFolder = None,
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Every rating as it was given, as CSV.")
    ] = False,
) -> None:
    """What people said of two models' explanations, blind, beside the figures of the paper's human
    evaluation.
    """
    go("ratings", project=project, as_json=as_json, as_csv=as_csv)
