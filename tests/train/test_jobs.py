"""The queue: what the disk shows, and processes that really run, are killed and found again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from small_job import job_folder

from workbench.errors import InputError, ProfileError
from workbench.train.failure import explain
from workbench.train.job import Job, read_job
from workbench.train.jobs import Jobs, JobView
from workbench.train.status_files import read_json, read_lines, write_json


@pytest.fixture
def queue(tmp_path: Path) -> Jobs:
    """A queue that nobody works on."""
    return Jobs(tmp_path / "jobs", start=False)


def job(name: str) -> Job:
    return Job("/nowhere", name=name)


def waited(what: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


def running(jobs: Jobs, name: str, silent: float = 0.0) -> JobView:
    """Make a waiting job look like one that a process of ours runs."""
    folder = jobs.show(name).folder
    me = psutil.Process()
    write_json(
        folder / "process.json",
        {"pid": me.pid, "born": me.create_time(), "host": os.uname().nodename},
    )
    write_json(
        folder / "status.json",
        {"state": "running", "step": 3, "total": 9, "at": time.time() - silent},
    )
    (folder / "queue.json").unlink()
    return jobs.show(name)


def test_jobs_wait_in_the_order_of_their_coming_until_they_are_moved(queue: Jobs) -> None:
    a, b, c = (queue.submit(job(name)) for name in "abc")
    assert [(row.name, row.state, row.place) for row in queue.all()] == [
        ("a", "queued", 1),
        ("b", "queued", 2),
        ("c", "queued", 3),
    ]
    queue.move(c, 1)
    queue.move(a, 99)
    assert [row.id for row in queue.all()] == [c, b, a]


def test_the_same_request_is_the_same_job(queue: Jobs) -> None:
    first, second = queue.submit(job("a"), request="r1"), queue.submit(job("a"), request="r1")
    assert first == second
    assert queue.submit(job("a"), request="r2") != first
    assert len(queue.all()) == 2


def test_a_waiting_job_is_stopped_resumed_and_deleted(queue: Jobs) -> None:
    name = queue.submit(job("a"))
    queue.stop(name)
    assert queue.show(name).state == "stopped"
    queue.resume(name)
    assert queue.show(name).state == "queued"
    queue.delete(name)
    assert queue.all() == []
    assert list(queue.root.glob("[!.]*")) == []


def test_a_clone_has_the_settings_with_its_changes(queue: Jobs) -> None:
    name = queue.submit(replace(job("a"), lr=3e-4))
    clone = queue.show(queue.clone(name, {"micro_batch": 1}))
    assert clone.state == "queued"
    assert read_job(clone.folder / "job.toml") == replace(job("a"), lr=3e-4, micro_batch=1)
    with pytest.raises(ProfileError, match="speed is an unknown key"):
        queue.clone(name, {"speed": 1})


def test_a_running_job_without_a_sign_of_life_says_so(queue: Jobs) -> None:
    quick, quiet = queue.submit(job("quick")), queue.submit(job("quiet"))
    assert running(queue, quick, silent=20).silent is None
    silent = running(queue, quiet, silent=200).silent
    assert silent is not None
    assert silent >= 200


def test_what_cannot_be_done_is_said(queue: Jobs) -> None:
    name = queue.submit(job("a"))
    running(queue, name)
    with pytest.raises(InputError, match="is running; stop it first"):
        queue.delete(name)
    with pytest.raises(InputError, match="only a stopped or failed job"):
        queue.resume(name)
    with pytest.raises(InputError, match="not in the queue"):
        queue.move(name, 1)
    with pytest.raises(InputError, match="no jobs are called 'zz'; there are: " + name):
        queue.show("zz")
    queue.stop(name)
    assert queue.show(name).state == "stopping"


def test_a_process_that_died_without_a_word_has_failed(queue: Jobs) -> None:
    name = queue.submit(job("a"))
    folder = running(queue, name).folder
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    held = read_json(folder / "process.json")
    write_json(folder / "process.json", {**held, "pid": dead.pid})
    seen = queue.show(name)
    assert (seen.state, seen.failure and seen.failure["cause"]) == ("failed", "killed")
    write_json(
        folder / "process.json", {**held, "born": held["born"] - 60}
    )  # the number is another process's now
    assert queue.show(name).state == "failed"
    (folder / "log.txt").write_text(
        "...\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n"
    )
    failure = queue.show(name).failure
    assert failure
    assert (failure["cause"], failure["change"]) == ("memory", {"micro_batch": 2})


@pytest.mark.parametrize(
    ("text", "settings", "change"),
    [
        (
            "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory",
            {"micro_batch": 1},
            {"checkpointing": True},
        ),
        (
            "torch.OutOfMemoryError: CUDA out of memory",
            {"micro_batch": 1, "checkpointing": True},
            {},
        ),
        ("EngineError: the loss is no number at step 3", {"lr": 3e-4}, {"lr": 1e-4}),
        ("EngineError: the loss is not a number at step 3", {"lr": 3e-4}, {"lr": 1e-4}),
        ("ValueError: strange", {}, {}),
    ],
)
def test_a_card_says_what_to_change(
    text: str, settings: dict[str, object], change: dict[str, object]
) -> None:
    assert explain(text, settings).change == change


def test_broken_files_break_no_list(queue: Jobs) -> None:
    name = queue.submit(job("a"))
    folder = queue.show(name).folder
    (folder / "queue.json").unlink()
    (folder / "status.json").write_text('{"state": "runn')
    (folder / "job.toml").write_text("\0")
    assert [(row.state, row.name) for row in queue.all()] == [("stopped", "")]


def test_a_queue_is_worked_off_by_itself_and_survives_its_runner(tmp_path: Path) -> None:
    """One job fails, the next is stopped with a checkpoint though the runner was killed, and goes
    on to its end.
    """
    jobs = Jobs(tmp_path / "jobs")
    made = read_job(job_folder(tmp_path, steps=20_000, eval_every=20_000) / "job.toml")
    bad = jobs.submit(replace(made, snapshot=str(tmp_path / "gone")))
    long = jobs.submit(made)
    try:
        waited(lambda: jobs.show(bad).state == "failed")
        assert "there is no snapshot" in "\n".join(jobs.log(bad))
        waited(lambda: jobs.show(long).step > 2)
        runners = [
            p
            for p in psutil.process_iter(["cmdline"])
            if str(jobs.root) in (p.info["cmdline"] or [])
        ]
        assert len(runners) == 1
        assert jobs.at_work()
        runners[0].send_signal(signal.SIGKILL)
        jobs.stop(long, save=True)
        waited(lambda: jobs.show(long).state == "stopped")
        assert not jobs.at_work()
        folder = jobs.show(long).folder
        step = jobs.show(long).step
        assert (folder / "checkpoints" / f"step-{step:06d}" / "optimizer.pt").is_file()
        jobs.resume(long)
        waited(lambda: jobs.show(long).step > step)
        jobs.stop(long, save=False)
        waited(lambda: jobs.show(long).state == "stopped")
        steps = [row["step"] for row in read_lines(folder / "metrics.jsonl") if "loss" in row]
        assert steps == list(range(1, len(steps) + 1))
    finally:
        for row in jobs.all():
            if row.state in ("running", "stopping"):
                jobs.stop(row.id, save=False)
    waited(lambda: not (psutil.pid_exists(read_json(folder / "process.json")["pid"])))
