"""`vpd export` and `vpd import-decisions`: snapshots to other tools, and what people decided there
back.
"""

from __future__ import annotations

from pathlib import Path

from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError
from workbench.pipeline.import_decisions import import_decisions
from workbench.pipeline.snapshotting import folder_of
from workbench.snapshot import Snapshot
from workbench.snapshot.exports import FORMATS, export

SHOWN = 20
"""Refused entries listed one by one."""


def main(which: str, to: str, path: Path, project: Path | None) -> None:
    """Write a snapshot (by name or hash, or the folder of one) for another tool."""
    if not to:
        raise InputError(f"name the format with --to; there are: {', '.join(FORMATS)}")
    if Path(which, "manifest.json").is_file():
        folder = Path(which)
    else:
        with open_project(project, read_only=True) as opened:
            folder = folder_of(opened, which)
    made = export(Snapshot.open(folder), to, path)
    out = console()
    out.print(f"{made.rows} rows in {safe(made.path)}")
    out.print(made.usage)


def decisions(path: Path, tool: str, project: Path | None) -> None:
    """Add the decisions of a file."""
    with open_project(project, read_only=False) as opened:
        found = import_decisions(opened, path, tool)
    out = console()
    out.print(
        f"{found.added} decisions added ({found.edited} with an edited rationale), {found.repeats} were here already, "
        f"{len(found.refused)} could not be taken"
    )
    for row in found.refused[:SHOWN]:
        out.print(f"  {safe(row.where, 80)}: {safe(row.reason, 300)}")
    if len(found.refused) > SHOWN:
        out.print(f"  and {len(found.refused) - SHOWN} more")
