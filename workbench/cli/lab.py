"""`vpd lab`: JupyterLab on the course, with a project and this environment's kernel."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from workbench.cli.text import console, project_folder, safe
from workbench.errors import InputError, MissingPart
from workbench.local_files import real_path
from workbench.pipeline.course import course_project
from workbench.settings import PACKAGE


def main(folder: Path | None, project: Path | None, port: int, open_browser: bool) -> None:
    """Serve JupyterLab on loopback until Ctrl-C.

    Args:
        folder: folder of notebooks; None takes notebooks/.
        project: folder of the project; None takes the course's own.
        port: first port to try.
        open_browser: whether to open a browser.

    Raises:
        InputError: there are no notebooks.
        MissingPart: JupyterLab is not installed.
    """
    notebooks = _notebooks(folder)
    if (
        importlib.util.find_spec("jupyterlab") is None
        or importlib.util.find_spec("anywidget") is None
    ):
        raise MissingPart(
            "JupyterLab is not installed; do: pip install 'vpd-workbench[models,app,lab]'"
        )
    home = project_folder(project) if project is not None else course_project()
    console().print(f"notebooks in {safe(notebooks)} work on {safe(home)}; Ctrl-C ends JupyterLab")
    subprocess.run(command(notebooks, port, open_browser), env=environment(home), check=False)  # noqa: S603


def command(notebooks: Path, port: int, open_browser: bool) -> list[str]:
    """Command of a JupyterLab that only this machine reaches and that asks nobody for news.

    Args:
        notebooks: root folder of JupyterLab.
        port: first port to try.
        open_browser: whether to open a browser.
    """
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={real_path(notebooks)}",
        f"--ServerApp.open_browser={open_browser}",
        "--ServerApp.allow_root=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        "--LabApp.extension_manager=readonly",
    ]


def environment(project: Path) -> dict[str, str]:
    """Environment variables of the kernels.

    They name the project, put this environment before the user's own kernels, and let waiting
    threads sleep.
    """
    own = {"VPD_PROJECT": str(real_path(project)), "JUPYTER_PREFER_ENV_PATH": "1"}
    return {"OMP_WAIT_POLICY": "passive", **os.environ, **own}


def _notebooks(folder: Path | None) -> Path:
    if folder is not None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}; give the one that holds the notebooks")
        return folder
    notebooks = next(
        (one for one in (Path("notebooks"), PACKAGE.parent / "notebooks") if one.is_dir()), None
    )
    if notebooks is None:
        raise InputError(
            "no folder notebooks/ here; give the one that holds the notebooks: vpd lab FOLDER"
        )
    return notebooks
