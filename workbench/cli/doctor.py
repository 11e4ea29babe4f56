"""`vpd doctor`: whether everything in a project is as it has to be."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from workbench.cli.bars import Bars
from workbench.cli.text import console, project_folder, safe
from workbench.pipeline.progress import Progress
from workbench.store import doctor


def main(project: Path | None, quick: bool, repair: bool, as_json: bool) -> None:
    """Print what is wrong and what to do.

    Args:
        project: folder of the project; None takes the one around the current folder.
        quick: skip the checks that read every picture and every trace.
        repair: first remove the leftovers of interrupted writers.
        as_json: print JSON instead of text.

    Raises:
        typer.Exit: something is wrong; the exit code is 1.
    """
    folder = project_folder(project)
    removed = doctor.repair(folder) if repair else []
    with Bars() as bars:
        findings = doctor.examine(
            folder, quick, lambda what, done, of: bars(Progress(what, done, of, what))
        )
    errors = [finding for finding in findings if finding.level == "error"]
    if as_json:
        print(
            json.dumps(
                {
                    "sound": not errors,
                    "removed": removed,
                    "findings": [asdict(f) for f in findings],
                },
                indent=1,
            )
        )
    else:
        out = console()
        for name in removed:
            out.print(f"removed: {safe(name)}")
        for finding in findings:
            out.print(
                f"{finding.level}: {safe(finding.what)}"
                + f" ({finding.count})" * (finding.count > 1)
            )
            for example in finding.examples:
                out.print(f"    {safe(example, 200)}")
            out.print(f"    what to do: {safe(finding.advice)}")
        out.print(
            f"{len(errors)} errors, {len(findings) - len(errors)} notes"
            if findings
            else "everything is as it has to be"
        )
    if errors:
        raise typer.Exit(1)
