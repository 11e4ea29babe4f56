"""The project of the notebooks: made where it is missing, never touched where it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import SnapshotError
from workbench.pipeline import course, loop
from workbench.records import PartRef, Prediction
from workbench.store import Project, Scope, Selection

STUDENT = PartRef("student", "by-hand", "1")


def rows(folder: Path) -> list[dict[str, object]]:
    with Project.open(folder, read_only=True) as project:
        return project.database.rows("SELECT id, split, created_at FROM task ORDER BY seq")


def test_it_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VPD_PROJECT", str(tmp_path / "here"))
    folder = course.course_project()
    made = rows(folder)
    assert folder == tmp_path / "here"
    assert [row["split"] for row in made] == ["train"] * course.LEARNT + ["test"] * course.ASKED
    assert course.course_project() == folder
    assert rows(folder) == made


def test_what_was_run_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = course.course_project(tmp_path / "p")
    with Project.open(folder) as project:
        number = project.start_run(Scope(k=course.K), Selection("train", course.LEARNT), "predict")
        project.set_part(number, "student", STUDENT)
        asked = [
            one.task_id for one in project.outcomes(selection=Selection("train", course.LEARNT))
        ]
        project.add_predictions(
            [Prediction(f"s-{id_}", id_, "2", "", 1.0, 0.1, STUDENT) for id_ in asked[1:]]
        )
        project.end_run(number, 0)
        ran: list[object] = []
        monkeypatch.setattr(loop, "run", lambda *_, **named: ran.append(named["split"]))
        assert course.prepared(folder) == folder
        assert ran == ["train"], "one question was not answered yet"
        project.add_predictions([Prediction("last", asked[0], "2", "", 1.0, 0.1, STUDENT)])
        course.prepared(folder)
        assert ran == ["train"]


def test_a_lesson_needs_something_to_learn_from(tmp_path: Path) -> None:
    with (
        Project.open(course.course_project(tmp_path / "p")) as project,
        pytest.raises(SnapshotError, match="nothing fits"),
    ):
        course.lesson(project)
