"""Text of models and data sets in a terminal: whatever it holds, it stays text."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
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


def project_of(folder: Path, question: str, answer: str) -> Path:
    """A project of one question."""
    (folder / "small.toml").write_text(profile_text())
    own = folder / "mine"
    own.mkdir()
    Image.new("RGB", (64, 48), "white").save(own / "a.png")
    row = {"id": "x", "image": "a.png", "question": question, "answer": answer}
    (own / "questions.jsonl").write_text(json.dumps(row))
    done = vpd("init", folder / "p", "--profile", folder / "small.toml", "--from", own)
    assert done.exit_code == 0, done.output
    return folder / "p"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose question and answer are hostile, after `vpd run`; tests only look at it."""
    question = f"How many red squares{HOSTILE} are there?"
    project = project_of(tmp_path_factory.mktemp("hostile"), question, HOSTILE)
    assert vpd("run", "-p", project).exit_code == 0
    return project


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose question has signs that few encodings have."""
    return project_of(tmp_path_factory.mktemp("signs"), "How many \U0001f436 \u2713?", "2")


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


@pytest.mark.parametrize(
    ("encoding", "command"),
    [
        ("ascii", ("show",)),
        ("cp1252", ("show", "mine/x")),
        ("latin-1", ("status",)),
        ("ascii", ("sql", "SELECT question FROM task")),
    ],
)
def test_an_output_that_cannot_write_a_sign_shows_its_code(
    signs: Path, encoding: str, command: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from workbench.cli import main; main()",
            *command,
            "-p",
            str(signs),
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
