"""Jobs that another trainer runs: real commands, started, watched and stopped by the queue."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from app.train_form import form
from workbench.errors import InputError
from workbench.pipeline.ingesting import kin
from workbench.train import foreign
from workbench.train.job import Job, write_job
from workbench.train.jobs import Jobs
from workbench.train.launchers import local_command, to_slurm
from workbench.train.status_files import RESULT, STATUS, read_json

SAVES = (
    "import json, os, pathlib, sys; out = pathlib.Path(os.environ['VPD_MODEL']); out.mkdir(); "
    "(out / 'config.json').write_text('{}'); print(sys.argv[1:], os.getcwd()); "
    "open('metrics.jsonl', 'a').write(json.dumps({'step': 2, 'loss': 0.5}) + chr(10))"
)


def runner(code: str, *more: str) -> str:
    return shlex.join([sys.executable, "-c", code, *more])


def folder_of(tmp_path: Path, command: str) -> Path:
    (tmp_path / "job").mkdir()
    write_job(Job("../snap", runner=command), tmp_path / "job")
    return tmp_path / "job"


def failure(folder: Path) -> str:
    return str(read_json(folder / STATUS)["failure"]["text"])


def test_a_command_trains_and_its_model_is_the_jobs(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", start=False)
    name = jobs.submit(Job("/nowhere/snap", runner=runner(SAVES, "{snapshot}", "{job}")))
    jobs.work()
    view = jobs.show(name)
    assert view.state == "done"
    assert read_json(view.folder / RESULT)["model"] == "model"
    [line] = jobs.log(name)
    assert line == f"['/nowhere/snap', '{view.folder}'] {view.folder}"


def test_a_command_without_a_model_has_failed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, runner("pass"))
    assert foreign.execute(folder) == 2
    assert "left no model in" in failure(folder)
    adapters = (
        "import os; d = os.environ['VPD_MODEL']; os.mkdir(d); open(d + '/adapter_config.json', 'w')"
    )
    write_job(Job("s", runner=runner(adapters)), folder)
    assert foreign.execute(folder) == 2
    assert "left adapters" in failure(folder)
    assert not read_json(folder / RESULT)


def test_a_failed_command_says_why(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", start=False)
    name = jobs.submit(Job("s", runner=runner("print('no such GPU'); raise SystemExit(3)")))
    jobs.work()
    view = jobs.show(name)
    assert view.state == "failed"
    assert view.failure is not None
    assert "exit code 3; its last line: no such GPU" in str(view.failure["text"])


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/no/such/python train.py", "cannot be started (No such file or directory)"),
        ("'unclosed", "is no command: No closing quotation"),
        ("   ", "the runner is empty"),
    ],
)
def test_a_wrong_command_is_named(tmp_path: Path, command: str, why: str) -> None:
    folder = folder_of(tmp_path, command)
    assert foreign.execute(folder) == 2
    assert why in failure(folder)


def test_a_command_is_stopped_as_by_ctrl_c(tmp_path: Path) -> None:
    """The command says that it runs by a pipe, which the test waits at."""
    pipe = tmp_path / "ready"
    os.mkfifo(pipe)
    code = (
        f"import signal, sys; open({str(pipe)!r}, 'w').close()\n"
        "try:\n    signal.pause()\nexcept KeyboardInterrupt:\n    print('saved'); sys.exit(0)"
    )
    jobs = Jobs(tmp_path / "jobs", start=False)
    name = jobs.submit(Job("s", runner=runner(code)))
    queue = threading.Thread(target=jobs.work)
    queue.start()
    pipe.open().close()
    jobs.stop(name)
    queue.join(60)
    assert jobs.show(name).state == "stopped"
    assert jobs.log(name) == ["saved"]


def test_our_own_packages_stay_out_of_the_others_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    seen = "import os, pathlib; pathlib.Path('seen').write_text(str(os.environ.get('PYTHONPATH')))"
    folder = folder_of(tmp_path, runner(seen))
    foreign.execute(folder)
    assert (folder / "seen").read_text() == "None"


def test_a_runner_is_started_here_and_on_one_node_alone() -> None:
    job = Job("s", runner="train")
    assert local_command(Path("/jobs/a"), job)[1:] == [
        "-m",
        "workbench.train.foreign",
        "/jobs/a/job.toml",
    ]
    with pytest.raises(InputError, match="a runner runs on one node, found 2 nodes"):
        to_slurm(Path("/jobs/a"), job, nodes=2)


def test_no_page_sets_a_command() -> None:
    assert "runner" not in [field.key for field in form()]


def test_jobs_of_an_earlier_version_keep_their_keys() -> None:
    job = Job("s")
    older = {key: value for key, value in asdict(job).items() if key != "runner"}
    assert kin(older) == kin(asdict(job))
    assert Job("s", runner="train").key != job.key


MEETS = (
    "import os, pathlib, time; here = pathlib.Path('..', '.meeting'); here.mkdir(exist_ok=True); "
    "(here / os.path.basename(os.getcwd())).write_text(os.environ['OMP_NUM_THREADS']); "
    "end = time.monotonic() + 60; "
    "exec('while len(list(here.iterdir())) < 2 and time.monotonic() < end: time.sleep(.02)'); "
    "met = len(list(here.iterdir())) == 2; print('met', met); os.mkdir(os.environ['VPD_MODEL']); "
    "pathlib.Path(os.environ['VPD_MODEL'], 'config.json').write_text('{}')"
)


def test_jobs_side_by_side_share_the_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    jobs = Jobs(tmp_path / "jobs", start=False, at_once=2)
    names = [jobs.submit(Job(f"/nowhere/{i}", runner=runner(MEETS))) for i in range(2)]
    jobs.work()
    assert [jobs.show(name).state for name in names] == ["done", "done"]
    assert [jobs.log(name) for name in names] == [["met True"], ["met True"]]
    meeting = (tmp_path / "jobs" / ".meeting").iterdir()
    assert [path.read_text() for path in meeting] == ["3", "3"]
