"""`vpd backup` and `vpd restore`."""

from __future__ import annotations

from pathlib import Path

from workbench.cli.text import console, open_project, safe
from workbench.store import backup


def main(path: Path | None, project: Path | None, images: bool, copy: bool) -> None:
    """Back a project up."""
    with open_project(project, read_only=False) as opened:
        folder = backup.back_up(opened, path, images, copy)
    _print("backed up to", folder, backup.read(folder))
    console().print(f"restore it with: vpd restore {safe(folder)} NEW-FOLDER")


def restore(source: Path, path: Path) -> None:
    """Make a project of a backup."""
    _print("restored to", path, backup.restore(source, path))


def _print(verb: str, folder: Path, made: backup.Backup) -> None:
    rows = sum(made.tables.values())
    files = (
        ", ".join(f"{count} files of {name}" for name, count in made.files.items()) or "no pictures"
    )
    console().print(
        f"{verb} {safe(folder)}: {rows} rows in {len(made.tables)} tables "
        f"({made.tables.get('decision', 0)} decisions), {files}"
    )
