"""`vpd interface`: Compare as a Gradio interface, which may be shared by a link."""

from __future__ import annotations

import importlib
from pathlib import Path

from workbench.cli.text import open_project
from workbench.errors import InputError


def main(project: Path | None, port: int, share: bool, open_browser: bool) -> None:
    """Serve the interface until Ctrl-C.

    Args:
        project: folder of the project; None for the one here.
        port: the first one tried; 0 takes a free one.
        share: whether Gradio makes a public link to it.
        open_browser: whether to open the page.

    Raises:
        InputError: the port is none.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"port must be 0 to 65535 (0 takes a free one), found {port}")
    with open_project(project, read_only=False, runs_code=True) as opened:
        # By name: what is served stands on a floor beside the command line.
        importlib.import_module("app.interface").serve(opened, port, share, open_browser)
