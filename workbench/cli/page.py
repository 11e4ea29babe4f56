"""`vpd app`: the web page over a project."""

from __future__ import annotations

import importlib
from pathlib import Path

from workbench.cli.text import project_folder
from workbench.errors import InputError


def main(project: Path | None, port: int, open_browser: bool) -> None:
    """Serve the page until Ctrl-C."""
    if not 0 <= port <= 65535:
        raise InputError(f"port must be 0 to 65535 (0 takes a free one), found {port}")
    folder = project_folder(project)
    # By name: the page stands on a floor above the command line and may be replaced.
    importlib.import_module("app.server").main(folder, port, open_browser)
