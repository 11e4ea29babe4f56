"""`vpd report`: writes a project as one HTML file."""

from __future__ import annotations

import importlib
from pathlib import Path

from workbench.cli.text import console, open_project, safe
from workbench.errors import MissingPart


def main(project: Path | None, out: Path) -> None:
    """Write the report and say where it is and how large."""
    try:
        # By name: the pages stand on a floor above the command line.
        page = importlib.import_module("app.report")
    except ModuleNotFoundError as error:
        raise MissingPart(
            f"a report needs a package that is not installed ({error}); "
            "pip install 'vpd-workbench[app]'"
        ) from error
    with open_project(project, read_only=False) as opened:
        file = page.write(opened, out)
    console().print(f"{safe(file.path)}  ({file.bytes / 2**20:.1f} MiB, {file.examples} examples)")
