"""`vpd train --preview` and `vpd train --dry-run`: what a job sees, and what it costs.

These two load the student, and with it torch, which no other command on jobs needs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.text import Text

from workbench.cli.text import console, project_folder, safe
from workbench.cli.train import job_from_options
from workbench.train.estimate import card_lines, dry_run, preview


def main(
    project: Path | None,
    file: Path | None,
    snapshot: str,
    changes: Sequence[str],
    wants_preview: bool,
    **settings: Any,
) -> None:
    """Show what a job would see, or print what it would cost; nothing is queued.

    Args:
        project: folder of the project; found from the current folder if None.
        file: a job to start from.
        snapshot: name, hash or folder of the snapshot; the newest if empty.
        changes: KEY=VALUE for any setting.
        wants_preview: show the lessons of three examples instead of taking two steps.
        settings: settings of the job that have an option of their own; None leaves one as it is.
    """
    folder = project_folder(project)
    job = job_from_options(folder, file, snapshot, changes, settings)
    if not wants_preview:
        print(json.dumps(asdict(dry_run(job, folder)), indent=1))
        return
    out = console()
    for row in preview(job, folder):
        out.print(
            f"{safe(row.task_id)}, {row.name}, weight {row.weight:g}: {row.tokens} tokens, "
            f"{row.picture} of the picture, {row.counted} count in the loss (between the marks)"
        )
        text = Text("  ")
        for piece, counted in row.pieces:
            readable = safe(piece, lines=True).replace("\n", "\n  ")
            text.append(
                f"⟦{readable}⟧" if counted else readable, style="bold" if counted else "dim"
            )
        out.print(text)
    for line in card_lines(job, folder):
        out.print(safe(line, 400))
