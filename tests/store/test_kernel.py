"""A notebook's kernel beside the app and a job that writes: one store, full SQL, and no decision
lost when one is killed.
"""

from __future__ import annotations

import json
import queue
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import page_project
import pytest
from sharing_processes import WRITE, Child, children, held

from workbench.store import Project

jupyter_client = pytest.importorskip(
    "jupyter_client", reason="make lab installs what notebooks need"
)
pytest.importorskip("ipykernel", reason="make lab installs what notebooks need")
pytest.importorskip("anywidget", reason="make lab installs what notebooks need")

APP = """
sys.meta_path.pop(0)  # Gradio needs pandas
from app.main import build, start
from workbench.store import Project
with Project.open(Path(sys.argv[1])) as project:
    print("open", project.database.owner, flush=True)
    running = start(build(project), port=0)
    print(running.url, flush=True)
    sys.stdin.read()
    running.close()
"""

PATIENCE = 600
"""Seconds to wait for a cell."""
SCENES, TASKS = 7, 21


class Kernel:
    """A real kernel, driven as JupyterLab drives it."""

    def __init__(self) -> None:
        self._manager, self._client = jupyter_client.manager.start_new_kernel(
            startup_timeout=PATIENCE
        )

    def run(self, code: str) -> Any:
        """Run a cell that ends in `show(value)`; returns the value.  Fails with the cell's own
        error.
        """
        self._client.execute(
            "import json\ndef show(value): print(json.dumps(value))\n" + code, store_history=False
        )
        printed, until = "", time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                message = self._client.get_iopub_msg(timeout=1)
            except queue.Empty:
                assert self._manager.is_alive(), "the kernel died"
                continue
            kind, content = message["msg_type"], message["content"]
            assert kind != "error", f"{content['ename']}: {content['evalue']}"
            printed += content["text"] if kind == "stream" and content["name"] == "stdout" else ""
            if kind == "status" and content["execution_state"] == "idle" and printed:
                return json.loads(printed)
        raise AssertionError("the cell did not end")

    def kill(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return page_project.build(tmp_path / "p", scenes=SCENES)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.kill()


OPEN = """
from workbench import widgets
project = widgets.use({folder!r})
show(project.database.owner)
"""
READ = """
show(project.database.rows('''
    WITH ranked AS (SELECT task_id, rank() OVER (PARTITION BY task_id ORDER BY score DESC, id) AS place FROM program)
    SELECT count(*) AS tasks, max(place) AS most FROM ranked JOIN task ON task.id = ranked.task_id WHERE place = 5
'''))
"""
DECIDE = """
decided = []
line = widgets.ReviewQueue(name="notebook")
for _ in range(2):
    decided.append(line.reject("ambiguous").id)
line.close()
show(decided)
"""


def decisions(folder: Path) -> list[str]:
    with Project.open(folder, read_only=True) as project:
        return [
            event.id
            for event in project.curation.events(author="notebook")
            if event.kind == "reject"
        ]


@pytest.mark.timeout(900)
def test_a_kernel_beside_the_app_and_a_job_and_each_is_killed(folder: Path, kernel: Kernel) -> None:
    with children(Child(APP, folder)) as running:
        app = running[0]
        app.wait_lines(2, PATIENCE)
        assert app.lines[0] == "open True"
        running.append(job := Child(WRITE, folder, "job", 0, 1_000_000))
        job.wait_lines(2, PATIENCE)
        assert kernel.run(OPEN.format(folder=str(folder))) is False, (
            "the app has the file, and the kernel need not know"
        )
        assert kernel.run(READ) == [{"tasks": TASKS, "most": 5}]
        made = kernel.run(DECIDE)
        with urllib.request.urlopen(app.lines[1] + "data/browse/total", timeout=PATIENCE) as reply:
            assert json.loads(reply.read())["total"] == TASKS, "the app answers meanwhile"

        app.kill()
        seen = len(job.lines)
        made += kernel.run(DECIDE)
        assert kernel.run(READ) == [{"tasks": TASKS, "most": 5}]
        job.wait_lines(seen + 2, PATIENCE)

        kernel.kill()
        seen = len(job.lines)
        job.wait_lines(seen + 2, PATIENCE)
        assert decisions(folder) == made
        job.kill()
        assert job.errors == []
        written = held(folder)
        assert [("job", at) for at in job.numbers] == written[: len(job.numbers)]
        assert len(written) - len(job.numbers) <= 1, "at most the write that was under way"
