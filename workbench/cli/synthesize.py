"""`vpd synthesize`: new questions by a recipe, from what kept runs have seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from workbench.cli.bars import Bars
from workbench.cli.options import key_value
from workbench.cli.text import console, open_project, safe
from workbench.pipeline.progress import Progress
from workbench.pipeline.synthesizing import synthesize


def main(
    project: Path | None, name: str, settings: Sequence[str], limit: int | None, as_json: bool
) -> None:
    """Make questions, and print what was taken and refused.

    Args:
        project: folder of the project; None takes the one around the current folder.
        name: of the synthesizer.
        settings: its arguments, as KEY=VALUE.
        limit: number of candidates.
        as_json: print JSON instead of text.
    """
    with open_project(project, read_only=False, runs_code=True) as opened, Bars() as bars:
        outcome = synthesize(
            opened,
            name,
            dict(map(key_value, settings)),
            limit,
            lambda done, of: bars(Progress("synthesize", done, of, "candidates")),
        )
    if as_json:
        print(json.dumps({**asdict(outcome), "gap": outcome.gap}, indent=1))
        return
    out = console()
    out.print(
        f"{outcome.candidates} candidates by {safe(outcome.part.name, 80)}: "
        f"{outcome.added} questions added"
        + (f", {outcome.present} were there already" if outcome.present else "")
    )
    for reason, count in sorted(outcome.refused.items(), key=lambda row: (-row[1], row[0])):
        out.print(f"  refused: {count} ({safe(reason)})")
    if outcome.gap is not None:
        out.print(
            f"zooming gap: {outcome.gap:.0%} of {outcome.agreed} answers that crops agree on "
            "are not those of the whole picture"
        )
    if outcome.added:
        out.print(f"they are of the source '{safe(outcome.part.name, 80)}'; run them with: vpd run")
