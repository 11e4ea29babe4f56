"""The command's threads wait without spinning, unless the user wants them to."""

from __future__ import annotations

import os

import pytest

from workbench.cli import main


@pytest.mark.parametrize(("asked", "policy"), [(None, "passive"), ("active", "active")])
def test_threads_wait_without_spinning_unless_asked_to(monkeypatch, capsys, asked, policy):
    monkeypatch.setenv("OMP_WAIT_POLICY", asked or "")
    if asked is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setattr("sys.argv", ["vpd", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert os.environ["OMP_WAIT_POLICY"] == policy
