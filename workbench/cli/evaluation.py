"""What `vpd evaluate`, `vpd results` and `vpd study` take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, ProjectFolder, go

Benchmark = Annotated[
    str | None,
    typer.Option(help="Only questions of this source (gqa, pope, collages, ...); all if left out."),
]
Split = Annotated[str | None, typer.Option(help="Only questions of this split.")]
Limit = Annotated[int | None, typer.Option(help="Only the first so many questions.")]
Timed = Annotated[
    int,
    typer.Option(
        "--time", min=0, help="Questions asked one by one for the clock; 0 takes no time."
    ),
]


def evaluate(
    project: ProjectFolder = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="bundled, a job, its folder, a checkpoint's folder or a hub id; repeat. The profile's student."
        ),
    ] = None,
    pipeline: Annotated[
        int | None,
        typer.Option(
            metavar="K", help="The programs: the first of K, the vote of K, the best of K."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option(help="Read the answer where the student's rationale ends.")
    ] = False,
    benchmark: Benchmark = None,
    split: Split = None,
    limit: Limit = None,
    timed: Timed = 10,
    submit: Annotated[
        Path | None, typer.Option(help="A folder for answers in the benchmark's own format.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How good a student or the pipeline is, by the benchmark's own rules.

    Asks only what was not asked before.  Ctrl-C stops it; the same command goes on.
    """
    go(
        "evaluate",
        project=project,
        models=tuple(model or ()),
        pipeline=pipeline,
        explain=explain,
        benchmark=benchmark,
        split=split,
        limit=limit,
        timed=timed,
        submit=submit,
        as_json=as_json,
    )


def results(
    project: ProjectFolder = None,
    baseline: Annotated[
        str | None, typer.Option(help="The system that others are compared with.")
    ] = None,
    benchmark: Benchmark = None,
    split: Split = None,
    by: Annotated[
        str, typer.Option(help="system, or objective: jobs that differ in seed alone together.")
    ] = "system",
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option(help="As Markdown.")] = False,
) -> None:
    """Pipeline, base and trained students on the same questions: figures, intervals, differences,
    time, cost.
    """
    go(
        "results",
        project=project,
        baseline=baseline,
        benchmark=benchmark,
        split=split,
        by=by,
        as_json=as_json,
        markdown=markdown,
    )


def study(
    test: Annotated[Path, typer.Option(help="The project whose questions are asked.")],
    project: ProjectFolder = None,
    snapshot: Annotated[str, typer.Option(help="By name or hash; the newest if left out.")] = "",
    seeds: Annotated[int, typer.Option(help="Jobs of each objective.")] = 5,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting of the jobs; repeat."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Of each job, instead of epochs.")] = None,
    k: Annotated[int, typer.Option("--k", help="Programs per question.")] = 5,
    benchmark: Benchmark = None,
    split: Split = None,
    limit: Limit = None,
    timed: Timed = 10,
    markdown: Annotated[bool, typer.Option(help="As Markdown.")] = False,
) -> None:
    """What distillation buys: train with and without rationales over seeds, ask everybody the same
    questions.

    A snapshot becomes instruct and vpd students; they, the base and the pipeline stand in one
    table.  Ctrl-C stops it, jobs run on, and the same command goes on.
    """
    go(
        "study",
        project=project,
        test=test,
        snapshot=snapshot,
        seeds=seeds,
        settings=tuple(settings or ()),
        steps=steps,
        k=k,
        benchmark=benchmark,
        split=split,
        limit=limit,
        timed=timed,
        markdown=markdown,
    )
