"""The whole loop with the real parts: bundled questions in; programs, traces, verdicts, rationales
and figures out.
"""

from __future__ import annotations

import html
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.main import build, start
from workbench.cli import app
from workbench.store import Project

QUESTIONS, K = 4, 2

pytestmark = pytest.mark.timeout(
    900
)  # half a minute of work; the rest is for machines that do something else too


def here(*arguments: object) -> str:
    """Run the command in this process; what it prints."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that went through the loop once."""
    path = tmp_path_factory.mktemp("story") / "project"
    here("init", path, "--source", "collages", "--split", "test", "--limit", QUESTIONS)
    here("run", "--project", path, "--limit", QUESTIONS, "--k", K)
    return path


@pytest.fixture(scope="module")
def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(here("status", "--project", folder, "--json"))
    return found


def test_every_stage_did_its_work(status: dict[str, Any]) -> None:
    counts = status["counts"]
    assert counts["tasks"] == counts["judged"] == counts["predictions"] == QUESTIONS
    assert counts["programs"] == counts["traces"] == QUESTIONS * K
    assert counts["executed"] + sum(counts["failures"].values()) == counts["traces"]
    assert counts["failures"].get("infra", 0) == 0


def test_the_parts_are_learned_and_it_shows(status: dict[str, Any]) -> None:
    """Some programs are right, and k samples are never worse than one."""
    assert 0 < status["pass@1"] <= status[f"pass@{K}"] <= 1
    assert status["counts"]["executed"] >= status["counts"]["programs"] // 2


def test_the_figures_are_those_of_the_store(folder: Path, status: dict[str, Any]) -> None:
    with Project.open(folder, read_only=True) as project:
        views = [project.task_view(task.id) for task, _ in project.browse().rows]
    right = [sum(run.verdict.correct for run in view.runs if run.verdict) for view in views]
    assert status["pass@1"] == pytest.approx(sum(right) / (K * QUESTIONS))
    assert status[f"pass@{K}"] == pytest.approx(sum(map(bool, right)) / QUESTIONS)
    assert status["yield"] == pytest.approx(
        sum(view.chosen is not None for view in views) / QUESTIONS
    )
    student = [view.prediction.score for view in views if view.prediction]
    assert status["student_accuracy"] == pytest.approx(sum(student) / QUESTIONS)
    assert status["seconds_per_question"] > 0


def test_every_kept_trace_is_told_faithfully(folder: Path) -> None:
    with Project.open(folder, read_only=True) as project:
        views = [project.task_view(task.id) for task, _ in project.browse().rows]
    kept = [view for view in views if view.chosen is not None]
    assert kept
    for view in kept:
        assert view.chosen is not None
        assert view.chosen.trace is not None
        told = [one for one in view.rationales if one.trace_id == view.chosen.trace.id]
        assert len(told) == 1, view.task.id
        assert told[0].faithful, (told[0].text, told[0].issues)
        assert told[0].answer == view.chosen.trace.answer


def test_a_second_run_does_nothing(folder: Path) -> None:
    def rows() -> list[dict[str, Any]]:
        with Project.open(folder, read_only=True) as project:
            tables = ("task", "program", "trace", "verdict", "rationale", "prediction")
            return [
                project.database.rows(f"SELECT id, created_at FROM {name} ORDER BY id")
                for name in tables
            ]

    before = rows()
    here("run", "--project", folder, "--limit", QUESTIONS, "--k", K)
    assert rows() == before


def test_the_pages_show_it(folder: Path) -> None:
    with Project.open(folder) as project:
        view = next(
            v for v in (project.task_view(t.id) for t, _ in project.browse().rows) if v.chosen
        )
        assert view.chosen is not None
        assert view.chosen.trace is not None
        running = start(build(project), port=0)
        try:

            def read(path: str) -> str:
                with urllib.request.urlopen(running.url + path, timeout=30) as reply:
                    return reply.read().decode()

            assert json.loads(read("data/browse/total"))["total"] == QUESTIONS
            data = json.loads(read(f"data/step?trace={view.chosen.trace.id}"))
            assert view.chosen.trace.answer in json.dumps(data["steps"][-1])
            assert html.escape(view.task.question) in read(f"step?trace={view.chosen.trace.id}")
        finally:
            running.close()
