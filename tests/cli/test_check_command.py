"""`vpd check` on a small project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from finished_project import finished_project
from typer.testing import CliRunner

from workbench.cli import app
from workbench.store import Project
from workbench.store.reading import checks
from workbench.store.reading.checks import CheckRow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_project(tmp_path_factory.mktemp("check"))


def said(folder: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments, "--project", str(folder)])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.output


def test_it_says_what_was_checked_and_as_json_what_was_found(folder: Path) -> None:
    said(folder, "check")
    assert said(folder, "check").startswith("0 kept runs checked now")
    rows = json.loads(said(folder, "check", "--json"))
    with Project.open(folder, read_only=True) as project:
        assert {row["trace_id"] for row in rows} == {
            o.chosen for o in project.outcomes() if o.chosen
        }


def test_a_question_shows_what_speaks_against_its_kept_run(folder: Path) -> None:
    with Project.open(folder) as project:
        kept = next(outcome for outcome in project.outcomes() if outcome.status == "kept")
        text = "It does not depend on \x1b[31mfind\x1b[0m."
        checks.add(
            project.database,
            [CheckRow("x", str(kept.chosen), kept.task_id, 0.8, ("idle",), (("idle", 1.0, text),))],
        )
    shown = said(folder, "show", kept.task_id)
    assert "the checks: suspicion 0.80" in shown
    assert "does not depend on" in shown
    assert "\x1b" not in shown


def test_pictures_that_are_no_drawn_scenes_are_said_to_be_left_out(folder: Path) -> None:
    assert "exact tools know no other pictures" in said(folder, "check", "--exact")
    assert "nothing to measure the checks with" in said(folder, "check", "--measure")
    assert json.loads(said(folder, "check", "--exact", "--json"))["left_out"] == 48


def test_two_questions_at_once_are_refused(folder: Path) -> None:
    assert "one at a time" in said(folder, "check", "--exact", "--measure", code=2)
