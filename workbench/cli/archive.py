"""`vpd archive` and `vpd prune`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.cli.bars import Bars
from workbench.cli.text import console, open_project
from workbench.pipeline.progress import Progress
from workbench.store import archive


def main(project: Path | None, preview: bool) -> None:
    """Archive a project's traces, or say how many there are to archive."""
    out = console()
    with open_project(project, read_only=False) as opened:
        if preview:
            out.print(f"{archive.archivable(opened.database)} traces would be archived")
        else:
            with Bars() as bars:

                def progress(done: int, total: int) -> None:
                    bars(Progress("archive", done, total, "traces"))

                moved = archive.archive(opened, progress)
            out.print(
                f"archived {moved.traces} traces in {moved.files} files "
                f"({_size(moved.bytes)}); new records take the room in the store"
            )
        whole = archive.archived(opened.database)
    out.print(f"archive: {whole.traces} traces in {whole.files} files ({_size(whole.bytes)})")


def prune(project: Path | None, what: Sequence[str], yes: bool) -> None:
    """Remove what is named, or preview it.

    Args:
        project: folder of the project; None takes the one around the current folder.
        what: names of `archive.REMOVABLE`.
        yes: remove it.
    """
    with open_project(project, read_only=False) as opened:
        parts = archive.prune(opened, what) if yes else archive.removable(opened, what)
    out = console()
    for one in parts:
        verb = "removed" if yes else "would remove"
        out.print(f"{one.name}: {verb} {one.count} {one.unit} ({_size(one.bytes)}): {one.says}")
    if not yes:
        out.print("nothing was removed; the same command with --yes removes it for good")


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
