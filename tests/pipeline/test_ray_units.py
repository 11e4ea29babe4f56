"""Work units on a real Ray cluster of this machine: the same records, whatever dies."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
from test_units import EVIDENCE, TASKS, Keys, keys, made, part

from workbench.errors import InputError
from workbench.pipeline.loop import run
from workbench.pipeline.units import ray_engine
from workbench.pipeline.units.plan import FOLDER
from workbench.pipeline.units.spread import Workers

pytest.importorskip("ray", reason="pip install 'ray[default]'")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The keys that one process makes."""
    with made(tmp_path_factory.mktemp("alone"), verifier=EVIDENCE) as project:
        run(project)
        return keys(project)


def test_two_actors_make_what_one_process_makes(tmp_path: Path, alone: Keys) -> None:
    with made(tmp_path, verifier=EVIDENCE) as project:
        told = []
        run(
            project,
            progress=lambda one: told.append((one.stage, one.done, one.total)),
            workers=Workers(2, unit=4, ray="local"),
        )
        assert keys(project) == alone
    assert ("units", 6, 6) in told


def test_an_actor_that_is_killed_loses_nothing_and_doubles_nothing(
    tmp_path: Path, alone: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_PARTS_DEATH", str(tmp_path / "died"))
    with made(tmp_path, find=part("FatalFind"), verifier=EVIDENCE) as project:
        run(project, workers=Workers(2, unit=4, ray="local"))
        assert (tmp_path / "died").exists(), "an actor died"
        here = keys(project)
    assert here["prediction"] == alone["prediction"]
    assert {name: len(ids) for name, ids in here.items()} == {
        name: len(ids) for name, ids in alone.items()
    }


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # its tokens are Ray's own business
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "180")
    with TemporaryDirectory(prefix="ray") as folder:  # a short path: its sockets have long names
        cluster = Head(Path(folder))
        cluster.start()
        yield cluster
        cluster.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Head:
    """The head of a cluster, which can be killed and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self._processes: list[psutil.Process] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        before = {process.pid for process in psutil.process_iter()}
        subprocess.run(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head"),
                *(f"--port={self.port}", "--num-cpus=2"),
                *("--include-dashboard=false", f"--temp-dir={self._folder}"),
            ],
            check=True,
            capture_output=True,
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        )
        self._processes = [
            process
            for process in psutil.process_iter(["cmdline"])
            if process.pid not in before and "ray" in " ".join(process.info["cmdline"] or [])
        ]

    def kill(self) -> None:
        for process in self._processes:
            if process.is_running():
                process.kill()
        psutil.wait_procs(self._processes, 10)


def test_a_head_that_dies_half_way_loses_nothing(tmp_path: Path, alone: Keys, head: Head) -> None:
    killed = threading.Event()
    with made(tmp_path, verifier=EVIDENCE) as project:
        shards = project.path / FOLDER / "shards"

        def kill_and_start() -> None:
            while not list(shards.glob("*.parquet")):
                time.sleep(0.01)
            head.kill()
            killed.set()
            head.start()

        killer = threading.Thread(target=kill_and_start, daemon=True)
        killer.start()
        run(project, workers=Workers(2, unit=1, ray=head.address))
        assert killed.is_set(), "the head died while units were done"
        killer.join()
        assert keys(project) == alone
    assert len(alone["prediction"]) == TASKS


@pytest.mark.parametrize("gpus", [-0.5, 1.5, 17])
def test_shares_of_a_gpu_have_bounds(gpus: float) -> None:
    with pytest.raises(InputError, match="a worker takes a share of one GPU"):
        Workers(1, gpus=gpus)


def test_a_cluster_that_does_not_answer_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "JOIN_SECONDS", 0.0)
    (tmp_path / "list.txt").write_text("")
    assert ray_engine.main([str(tmp_path / "list.txt"), "1", "127.0.0.1:9", "0"]) == 2
    assert "no Ray cluster answers at '127.0.0.1:9'" in capfd.readouterr().out
