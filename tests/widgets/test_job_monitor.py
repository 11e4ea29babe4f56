"""JobMonitor: a job's files, followed without holding up the kernel."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from workbench.errors import InputError
from workbench.train.job import Job, write_job
from workbench.train.jobs import STOP
from workbench.train.status_files import METRICS, STATUS, write_json
from workbench.widgets import JobMonitor
from workbench.widgets.monitor import MOST, curves


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job under way, as its own process writes it."""
    folder = tmp_path / "jobs" / "abc123"
    folder.mkdir(parents=True)
    write_job(Job("somewhere", name="<b>first</b>"), folder)
    write_json(
        folder / STATUS, {"state": "running", "step": 2, "total": 10, "eta": 8.0, "at": time.time()}
    )
    rows = [{"step": at, "loss": 2.0 / at} for at in (1, 2)] + [{"step": 2, "accuracy": 0.25}]
    (folder / METRICS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def until(monitor: JobMonitor, state: str) -> None:
    deadline = time.monotonic() + 20
    while monitor.state != state and time.monotonic() < deadline:
        time.sleep(0.02)
    assert monitor.state == state


def test_state_and_curves_come_from_the_files(job: Path) -> None:
    monitor = JobMonitor(job, every=5)
    assert (monitor.state, monitor.done, monitor.total) == ("running", 2, 10)
    assert monitor.curves == {"loss": [[1, 2.0], [2, 1.0]], "accuracy": [[2, 0.25]]}
    assert "&lt;b&gt;first" in monitor.plain()
    monitor.close()


def test_it_follows_by_itself(job: Path) -> None:
    monitor = JobMonitor(job, every=0.05)
    with (job / METRICS).open("a") as out:
        out.write('{"step": 3, "loss": 0.5}\n')
    write_json(job / "result.json", {"model": "model", "of": 0})
    until(monitor, "done")
    assert monitor.curves["loss"][-1] == [3, 0.5]
    monitor.close()


def test_the_page_can_stop_it(job: Path) -> None:
    monitor = JobMonitor(job, every=5)
    monitor.answer({"do": "stop"})
    assert (job / STOP).read_text() == "save"
    monitor.close()


def test_waiting_ends_in_time(job: Path) -> None:
    monitor = JobMonitor(job, every=5)
    assert monitor.wait(timeout=0.1) == "running"
    monitor.close()


def test_an_unknown_job_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no jobs are called 'gone'"):
        JobMonitor(tmp_path / "gone")


def test_long_curves_are_thinned_and_end_with_the_last_point() -> None:
    rows = [{"step": at, "loss": 1.0} for at in range(5000)] + [
        {"step": 5000, "loss": float("nan")}
    ]
    found = curves(rows)["loss"]
    assert len(found) <= MOST
    assert found[-1] == [4999, 1.0]
