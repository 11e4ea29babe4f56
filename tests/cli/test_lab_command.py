"""`vpd lab`: what JupyterLab is started with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workbench.cli.lab import command, environment, main
from workbench.errors import InputError, MissingPart


def test_it_listens_on_this_machine_alone(tmp_path: Path) -> None:
    asked = command(tmp_path, 8888, open_browser=False)
    assert asked[0] == sys.executable
    assert "--ServerApp.ip=127.0.0.1" in asked
    assert f"--ServerApp.root_dir={tmp_path.resolve()}" in asked


def test_kernels_find_the_project_and_threads_that_sleep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    found = environment(tmp_path)
    assert found["VPD_PROJECT"] == str(tmp_path.resolve())
    assert found["OMP_WAIT_POLICY"] == "passive"


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        main(tmp_path / "gone", None, 8888, False)


def test_without_jupyterlab_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPart, match="pip install"):
        main(tmp_path, None, 8888, False)
