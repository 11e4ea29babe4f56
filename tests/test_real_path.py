"""Links that go in a circle are told in words, wherever a path is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench import trust
from workbench.cli import app
from workbench.local_files import real_path
from workbench.store import Project
from workbench.store.kernel import local_disk


@pytest.fixture
def circle(tmp_path: Path) -> Path:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    return tmp_path / "one"


def test_a_path_without_links_is_the_same_as_ever(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    for path in (tmp_path / "link", tmp_path / "folder" / ".." / "absent", Path()):
        assert real_path(path) == path.resolve()


def test_a_circle_ends_in_no_runtime_error(circle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(trust.SETTING, raising=False)
    assert real_path(circle / "project").name == "project"
    assert isinstance(local_disk.file_system(circle), str)
    with pytest.raises(trust.UntrustedCode, match=r"would run code of its own: source: a\.py:B"):
        trust.check(circle, ["source: a.py:B"])


@pytest.mark.parametrize(
    "words",
    [
        ["status", "-p", "CIRCLE"],
        ["init", "CIRCLE", "--source", "collages"],
        ["init", "NEW", "--source", "folder", "--from", "CIRCLE"],
        ["init", "NEW", "--source", "collages", "--profile", "CIRCLE/p.toml"],
        ["import", "CIRCLE", "-p", "P"],
        ["train", "-p", "P", "--snapshot", "CIRCLE"],
        ["train", "-p", "P", "--model", "CIRCLE"],
        ["evaluate", "-p", "P", "--model", "CIRCLE"],
        ["restore", "CIRCLE", "NEW"],
        ["backup", "-p", "P", "CIRCLE"],
        ["show", "-p", "CIRCLE/p", "x"],
    ],
    ids=" ".join,
)
def test_a_command_says_so(circle: Path, tmp_path: Path, words: list[str]) -> None:
    Project.create(tmp_path / "p").close()
    names = {"CIRCLE": str(circle), "NEW": str(tmp_path / "new"), "P": str(tmp_path / "p")}
    for name, path in names.items():
        words = [path if word == name else word.replace("CIRCLE/", f"{circle}/") for word in words]
    result = CliRunner().invoke(app, words)
    assert result.exit_code != 0
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
