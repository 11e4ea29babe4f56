"""Commands load what they need: nobody waits for torch to read a list."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.main import get_command

from workbench.cli import app, with_one
from workbench.cli.text import without_pandas
from workbench.store import Project

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, sys
from workbench.cli import app
try:
    app(sys.argv[1:], prog_name="vpd")
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write("LOADED " + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HEAVY = {
    "torch",
    "transformers",
    "peft",
    "onnxruntime",
    "gradio",
    "scipy",
    "sklearn",
    "cv2",
    "rapidocr",
}


def loaded(*words: str) -> set[str]:
    """The packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.rpartition("LOADED ")[2]))


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("--version",)])
def test_help_opens_no_store(words: tuple[str, ...]) -> None:
    names = loaded(*words)
    assert (
        names & {*HEAVY, "duckdb", "pyarrow", "numpy", "PIL", "msgspec", "pydantic_monty"} == set()
    )


def test_the_list_of_parts_reads_our_own_parts() -> None:
    names = loaded("parts")
    assert names & {*HEAVY, "duckdb", "pyarrow", "pydantic_monty", "numpy"} == set()


def test_status_starts_no_sandbox(tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    names = loaded("status", "-p", str(tmp_path / "p"))
    assert names & {*HEAVY, "pydantic_monty"} == set()
    assert "pandas" not in names, "DuckDB loads it to look at a parameter"


def test_keeping_pandas_out_ends_with_the_command() -> None:
    assert "pandas" not in sys.modules or sys.modules["pandas"] is not None
    before = sys.modules.get("pandas")
    with without_pandas(), duckdb.connect() as connection:
        assert connection.execute("SELECT $one", {"one": [1, 2]}).fetchall() == [([1, 2],)]
    assert sys.modules.get("pandas") is before
    assert importlib.import_module("pandas").NA is not None


def test_a_command_starts_without_the_others() -> None:
    whole = get_command(app).commands
    for name, command in whole.items():
        (one,) = get_command(with_one(name)).commands.values()
        assert one.name == name
        assert [option.opts for option in one.params] == [option.opts for option in command.params]
        assert set(getattr(one, "commands", {})) == set(getattr(command, "commands", {}))
    assert with_one("statu") is with_one("--help") is app
