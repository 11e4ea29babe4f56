"""`vpd backup` and `vpd restore`."""

from __future__ import annotations

from pathlib import Path

from workbench.cli.text import console, open_project, safe
from workbench.store import backup


def main(path: Path | None, project: Path | None, images: bool, copy: bool) -> None:
    """Back up a project.

    Args:
        path: a new or empty folder; None makes one in the project.
        project: folder of the project; None takes the one around the current folder.
        images: include pictures and snapshots.
        copy: copy pictures instead of linking them.
    """
    with open_project(project, read_only=False) as opened:
        folder = backup.back_up(opened, path, images, copy)
    _print("backed up to", folder, backup.read(folder))
    console().print(f"restore it with: vpd restore {safe(folder)} NEW-FOLDER")


def restore(source: Path, path: Path) -> None:
    """Make a project from a backup."""
    _print("restored to", path, backup.restore(source, path))


def _print(verb: str, folder: Path, content: backup.Backup) -> None:
    rows = sum(content.tables.values())
    files = (
        ", ".join(f"{count} files of {name}" for name, count in content.files.items())
        or "no pictures"
    )
    console().print(
        f"{verb} {safe(folder)}: {rows} rows in {len(content.tables)} tables "
        f"({content.tables.get('decision', 0)} decisions), {files}"
    )
