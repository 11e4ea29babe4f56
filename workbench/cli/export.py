"""`vpd export` and `vpd import-decisions`: snapshots for other tools, and decisions from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError
from workbench.pipeline.import_decisions import import_decisions
from workbench.pipeline.snapshotting import folder_of
from workbench.records import TraceEvent
from workbench.snapshot import Snapshot
from workbench.snapshot.exports import FORMATS, TOOL_CALLS, export

SHOWN = 20
"""Number of refused entries that are printed."""


def main(which: str, to: str, path: Path, project: Path | None) -> None:
    """Write a snapshot for another tool.

    Args:
        which: name, hash or folder of a snapshot.
        to: name of the format.
        path: a new or empty folder.
        project: folder of the project; None takes the one around the current folder.

    Raises:
        InputError: no format is named.
    """
    if not to:
        raise InputError(
            f"name the format with --to; there are: {', '.join([*FORMATS, TOOL_CALLS])}"
        )
    events_of: dict[str, Sequence[TraceEvent]] = {}
    if Path(which, "manifest.json").is_file() and to != TOOL_CALLS:
        snapshot = Snapshot.open(Path(which))
    else:
        with open_project(project, read_only=True) as opened:
            beside = Path(which)
            is_folder = (beside / "manifest.json").is_file()
            snapshot = Snapshot.open(beside if is_folder else folder_of(opened, which))
            if to == TOOL_CALLS:
                ids = [example.trace_id for example in snapshot.examples() if example.trace_id]
                traced = opened.traced(ids)
                events_of = {trace.id: tuple(trace.events) for _, _, trace in traced}
    result = export(snapshot, to, path, events_of)
    out = console()
    out.print(f"{result.rows} rows in {safe(result.path)}")
    out.print(result.usage)


def decisions(path: Path, tool: str, project: Path | None) -> None:
    """Add the decisions of a file to the project.

    Args:
        path: the file that the other tool exported.
        tool: argilla or label-studio.
        project: folder of the project; None takes the one around the current folder.
    """
    with open_project(project, read_only=False) as opened:
        summary = import_decisions(opened, path, tool)
    out = console()
    out.print(
        f"{summary.added} decisions added ({summary.edited} with an edited rationale), "
        f"{summary.repeats} were here already, "
        f"{len(summary.refused)} could not be taken"
    )
    for rows in (summary.refused, summary.notes):
        for row in rows[:SHOWN]:
            out.print(f"  {safe(row.where, 80)}: {safe(row.reason, 300)}")
        if len(rows) > SHOWN:
            out.print(f"  and {len(rows) - SHOWN} more")
