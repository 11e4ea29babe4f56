"""`vpd run`."""

from __future__ import annotations

from pathlib import Path

from workbench import pipeline
from workbench.cli.bars import Bars
from workbench.cli.status import print_report
from workbench.cli.text import console, open_project, safe, seconds


def main(
    project: Path | None, limit: int | None, k: int | None, upto: str, split: str | None
) -> None:
    """Run the loop and print where the project stands."""
    out = console()
    with open_project(project, read_only=False) as opened, Bars() as bars:
        summary = pipeline.run(opened, limit, k, upto, bars, split=split)
    worked = [
        f"{stage} {done.rows} in {seconds(done.seconds)}"
        for stage, done in summary.done.items()
        if done.rows
    ]
    out.print(f"run {summary.run}: {', '.join(worked) if worked else 'nothing was left to do'}")
    for note in summary.notes:
        out.print(f"note: {safe(note)}")
    print_report(out, summary.report)
