"""`vpd study`: train with and without rationales over seeds, ask everybody the same questions,
compare.
"""

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
    """Run the study and print its table."""
    given: dict[str, Any] = {} if steps is None else {"steps": steps}
    for change in settings:
        put(given, change)
    plan, selection = StudyPlan(snapshot, seeds, given), Selection(split, limit, benchmark)
    with (
        open_project(project, read_only=False) as opened,
        open_project(test, read_only=False) as asked,
        Bars() as bars,
    ):
        found = run_study(opened, asked, plan, k, selection, timed, bars)
    show(found, markdown)
