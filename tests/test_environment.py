"""What a run computed with stands in its row."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from workbench import __version__
from workbench import environment as environments
from workbench.environment import commit, environment, in_words
from workbench.store import Project, Selection


def test_a_run_says_what_it_computed_with(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        project.start_run(project.scope(), Selection(), "predict")
        (row,) = project.database.rows("SELECT version FROM run")
    words = row["version"].split("; ")
    assert words[0] == __version__
    assert f"platform {platform.platform()}" in words
    assert row["version"] == in_words(environment())


def test_a_package_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "PACKAGES", ("pytest", "no-such-package-at-all"))
    names = environment.__wrapped__()
    assert names["pytest"] == pytest.__version__
    assert "no-such-package-at-all" not in names


def test_outside_of_a_checkout_there_may_be_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    assert isinstance(commit(), str)
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert commit() in ("", environments.commit())
