"""`vpd study`: trains students with and without rationales over seeds, and compares all systems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.cli.bars import Bars
from workbench.cli.results import show
from workbench.cli.text import open_project
from workbench.cli.train import put
from workbench.store import Selection
from workbench.study.distillation import StudyPlan
from workbench.study.distillation import study as run_study


def main(
    project: Path | None,
    test: Path,
    snapshot: str,
    seeds: int,
    settings: Sequence[str],
    steps: int | None,
    k: int,
    benchmark: str | None,
    split: str | None,
    limit: int | None,
    timed: int,
    markdown: bool,
) -> None:
    """Run the study and print its table.

    Args:
        project: folder of the project; None takes the one around the current folder.
        test: project with the test questions.
        snapshot: name or hash of a snapshot; empty takes the newest.
        seeds: number of jobs for each objective.
        settings: settings of the jobs, each as KEY=VALUE.
        steps: training steps of each job, instead of epochs.
        k: number of programs per question.
        benchmark: take only the questions of this source.
        split: take only the questions of this split.
        limit: take only this many questions.
        timed: number of questions to time one at a time.
        markdown: print Markdown instead of tables for a terminal.
    """
    job_settings: dict[str, Any] = {} if steps is None else {"steps": steps}
    for change in settings:
        put(job_settings, change)
    plan, selection = StudyPlan(snapshot, seeds, job_settings), Selection(split, limit, benchmark)
    with (
        open_project(project, read_only=False) as opened,
        open_project(test, read_only=False) as test_project,
        Bars() as bars,
    ):
        table = run_study(opened, test_project, plan, k, selection, timed, bars)
    show(table, markdown)
