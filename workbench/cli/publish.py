"""`vpd publish`: writes a project as a folder of pages for strangers."""

from __future__ import annotations

import importlib
from pathlib import Path

from workbench.cli.bars import Bars
from workbench.cli.text import console, open_project, safe
from workbench.errors import MissingPart
from workbench.pipeline.progress import Progress


def main(project: Path | None, folder: Path, search: str, limit: int) -> None:
    """Write the pages and say where they are, how large, and what was left out.

    Args:
        project: folder of the project; None takes the one around the current folder.
        folder: where to write.
        search: takes the questions that it finds.
        limit: number of questions at most.
    """
    try:
        # By name: the pages stand on a floor above the command line.
        pages = importlib.import_module("app.publish")
    except ModuleNotFoundError as error:
        raise MissingPart(
            f"publishing needs a package that is not installed ({error}); "
            "pip install 'vpd-workbench[app]'"
        ) from error
    with open_project(project, read_only=False) as opened, Bars() as bars:

        def progress(done: int, total: int) -> None:
            bars(Progress("publish", done, total, "questions"))

        published = pages.publish(opened, folder, search, limit, progress)
    out = console()
    out.print(
        f"{safe(folder / 'index.html')}  ({published.bytes / 2**20:.1f} MiB, "
        f"{published.questions} questions)"
    )
    if published.questions < published.of:
        out.print(
            f"{published.of - published.questions} more questions were left out: --limit gives more"
        )
    for what, count in published.left_out.items():
        out.print(f"too long to be published whole: {count} {what}")
