"""Text of models and data sets in a terminal: whatever it holds, it stays text."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_parts import profile_text
from test_cli import refused, vpd

from workbench.cli.text import safe
from workbench.store.kernel.locks import FileLock

HOSTILE = "[red]\x1b[2J\x1b]0;owned\x07 :smile: \u202egnp.exe\x00\r\n\x9b31m"


def test_hostile_text_is_harmless_in_a_terminal() -> None:
    shown = safe(HOSTILE)
    assert shown.isprintable()
    assert "[red]" in shown
    assert ":smile:" in shown


@pytest.fixture
def hostile(tmp_path: Path, picture: Path) -> Path:
    """A project whose question and answer are hostile, after `vpd run`."""
    (tmp_path / "small.toml").write_text(profile_text())
    own = tmp_path / "mine"
    own.mkdir()
    (own / "a.png").write_bytes(picture.read_bytes())
    row = {
        "id": "x",
        "image": "a.png",
        "question": f"How many red squares{HOSTILE} are there?",
        "answer": HOSTILE,
    }
    (own / "questions.jsonl").write_text(json.dumps(row))
    assert (
        vpd("init", tmp_path / "p", "--profile", tmp_path / "small.toml", "--from", own).exit_code
        == 0
    )
    assert vpd("run", "-p", tmp_path / "p").exit_code == 0
    return tmp_path / "p"


@pytest.mark.parametrize(
    "command", [("show",), ("show", "mine/x"), ("status",), ("sql", "FROM task")]
)
def test_no_command_lets_control_characters_through(
    hostile: Path, command: tuple[str, ...]
) -> None:
    result = vpd(*command, "-p", hostile)
    assert result.exit_code == 0, result.output
    assert all(char.isprintable() or char == "\n" for char in result.stdout)
    if "show" in command:
        assert "[red]" in result.stdout
        assert ":smile:" in result.stdout


def test_an_error_line_is_harmless_too(hostile: Path) -> None:
    line = refused("show", HOSTILE.replace("\x00", ""), "-p", hostile)
    assert line.isprintable()
    assert "[red]" in line


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize(
    "command", [("show",), ("show", "mine/x"), ("status",), ("sql", "SELECT question FROM task")]
)
def test_an_output_that_cannot_write_a_sign_shows_its_code(
    tmp_path: Path, picture: Path, encoding: str, command: tuple[str, ...]
) -> None:
    (tmp_path / "small.toml").write_text(profile_text())
    own = tmp_path / "mine"
    own.mkdir()
    (own / "a.png").write_bytes(picture.read_bytes())
    row = {"id": "x", "image": "a.png", "question": "How many \U0001f436 \u2713?", "answer": "2"}
    (own / "questions.jsonl").write_text(json.dumps(row))
    vpd("init", tmp_path / "p", "--profile", tmp_path / "small.toml", "--from", own)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from workbench.cli import main; main()",
            *command,
            "-p",
            str(tmp_path / "p"),
        ],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    if command != ("status",):
        assert b"\\U0001f436 \\u2713?" in done.stdout


def test_a_read_only_project_is_shown(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: FileLock) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    for command in (("show",), ("show", "mine/x"), ("status",), ("curate", "status")):
        result = vpd(*command, "-p", hostile)
        assert result.exit_code == 0, result.output
    line = refused("run", "-p", hostile)
    assert "is read-only here, and nothing is wrong with it" in line
    assert "damaged" not in line
