"""A real JupyterLab on a project that the app has open as well, with every widget in one notebook."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import small_parts
from playwright.sync_api import Page

from workbench.cli.lab import command, environment
from workbench.train.job import Job, write_job
from workbench.train.status_files import METRICS, STATUS, write_json

TOKEN = "only-for-this-test"

CELLS = (
    "from pathlib import Path\nfrom workbench import widgets\nfrom workbench.settings import read_profile\n"
    "project = widgets.use()\nview = project.task_view(project.browse_ids('family:count')[0])",
    "player = widgets.TracePlayer(view.chosen.trace)\nplayer",
    "table = widgets.ProgramTable(view.task)\ntable",
    "queue = widgets.ReviewQueue(name='ann')\nqueue",
    "monitor = widgets.JobMonitor('abc')\nmonitor",
    "side = widgets.SideBySide(view.task.image, 'How many squares?', profile=read_profile(Path('small.toml')))\nside",
    "print('step', player.step, 'row', table.selected, 'decided', len(queue.decided), 'state', monitor.state)",
    "view.chosen.trace",
)
PLAYER, TABLE, QUEUE, MONITOR, SIDE, BELOW, RECORD = range(1, 8)
"""Places of the cells."""


def notebook(folder: Path, cells: Sequence[str] = CELLS) -> Path:
    """A notebook of these cells, with the small profile beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    sure = f'{{ part = "{small_parts.__file__}:Scribe", version = "sure" }}'
    (folder / "small.toml").write_text(small_parts.profile_text(sampler=sure), encoding="utf-8")
    rows = [
        {
            "cell_type": "code",
            "id": f"cell-{at}",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": text,
        }
        for at, text in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / "widgets.ipynb"
    path.write_text(
        json.dumps({"cells": rows, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


def job(project: Path) -> Path:
    """A training job that is under way, as its process writes it."""
    folder = project / "jobs" / "abc123"
    folder.mkdir(parents=True)
    write_job(Job("somewhere", name="a first job"), folder)
    write_json(
        folder / STATUS,
        {"state": "running", "step": 40, "total": 100, "eta": 61.0, "at": time.time() + 3600},
    )
    rows = [{"step": at, "loss": 3 / (at + 2) + 0.2 * (at % 3)} for at in range(1, 41)]
    rows += [{"step": at, "accuracy": 0.2 + at / 100} for at in (10, 20, 30, 40)]
    (folder / METRICS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@contextmanager
def jupyter(project: Path, home: Path, theme: str = "JupyterLab Light") -> Iterator[str]:
    """JupyterLab as `vpd lab` starts it; gives the address of the notebook in `home / "nb"`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = home / "settings" / "@jupyterlab"
    for name, held in (
        ("apputils-extension/notification", {"fetchNews": "false"}),
        ("apputils-extension/themes", {"theme": theme}),
        ("notebook-extension/tracker", {"windowingMode": "none"}),
    ):
        path = settings / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(held))
    own = {
        "HOME": str(home),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "OMP_NUM_THREADS": "1",
    }
    with (home / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [*command(home / "nb", port, False), f"--IdentityProvider.token={TOKEN}"],
            env=environment(project) | own,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _until_it_answers(f"http://127.0.0.1:{port}/api?token={TOKEN}", process, home / "lab.log")
        yield f"http://127.0.0.1:{port}/lab/tree/widgets.ipynb?token={TOKEN}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def run_all(page: Page) -> None:
    """Run every cell, once the kernel listens, and wait until the last one is drawn."""
    page.get_by_text("| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(".jp-Notebook .jp-Cell").nth(len(CELLS) - 1).locator(".vw").wait_for()
