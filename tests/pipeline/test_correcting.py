"""A corrected answer: who and why are kept, and what was judged by the old one is judged again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_parts import profile_text

from workbench.errors import InputError
from workbench.pipeline import correcting, loop
from workbench.records import Task
from workbench.store import Project
from workbench.store.doctor import examine
from workbench.store.people import corrections


def counted(project: Project) -> Task:
    ids = [row["id"] for row in project.database.rows("SELECT id FROM task ORDER BY seq")]
    return next(task for task in project.tasks(ids) if task.answer_type == "integer")


def verdicts(project: Project, task: Task) -> list[bool]:
    return [
        bool(run.verdict and run.verdict.correct)
        for run in project.task_view(task.id).runs
        if run.verdict is not None
    ]


def test_programs_are_judged_again_by_the_new_answer(project: Project) -> None:
    task = counted(project)
    before = project.task_view(task.id)
    assert any(verdicts(project, task))
    event = correcting.correct(project, task.id, ["77"], " ann ", "nobody counted the hidden ones")
    assert (event.earlier, event.answers, event.author) == (task.answers, ("77",), "ann")
    assert verdicts(project, task) == []
    summary = loop.run(project)
    assert summary.done["verify"].rows == len(before.runs)
    assert summary.done["sample"].rows == summary.done["execute"].rows == 0
    assert verdicts(project, task) == [False] * len(before.runs)
    outcome = next(one for one in project.outcomes() if one.task_id == task.id)
    assert outcome.correct == 0
    correcting.correct(project, task.id, task.answers, "ann", "it was right")
    loop.run(project)
    assert project.task_view(task.id).chosen == before.chosen
    assert [one.answers for one in corrections.of_task(project.database, task.id)] == [
        ("77",),
        task.answers,
    ]
    assert [one.what for one in examine(project.path) if one.level == "error"] == []


def test_the_student_is_scored_again_at_once(project: Project) -> None:
    task = counted(project)
    (guess,) = project.task_view(task.id).predictions
    correcting.correct(project, task.id, [guess.answer], "ann", "the student saw it")
    assert project.task_view(task.id).predictions[0].score == 1.0
    correcting.correct(project, task.id, ["99"], "ann", "no")
    assert project.task_view(task.id).predictions[0].score == 0.0


def test_the_type_of_the_answer_follows_it(project: Project) -> None:
    task = counted(project)
    correcting.correct(project, task.id, ["yes"], "ann", "another question")
    assert project.tasks([task.id])[0].answer_type == "yesno"
    forms = project.database.rows("SELECT form FROM trace WHERE form IS NULL")
    assert forms, "they are derived again when they are next read"
    project.outcomes()
    assert project.database.rows("SELECT form FROM trace WHERE form IS NULL") == []


def test_who_and_why_must_be_said(project: Project) -> None:
    task = counted(project).id
    for author, reason in (("", "why"), ("ann", "  ")):
        with pytest.raises(InputError, match="a person and a reason; give --by NAME and --why"):
            correcting.correct(project, task, ["1"], author, reason)
    with pytest.raises(InputError, match="there is no question 'nope'"):
        correcting.correct(project, "nope", ["1"], "ann", "why")
    with pytest.raises(InputError, match="give one or more that say something"):
        correcting.correct(project, task, [], "ann", "why")


def test_another_question_under_the_same_id_is_not_corrected(project: Project) -> None:
    task = counted(project)
    for change in (
        replace(task, question="Another?", answers=("9",)),
        replace(task, choices=("9", "8"), answers=("9",)),
        replace(task, answers=()),
        task,
    ):
        assert not correcting.correct_from(project, change, "ann", "why")
    assert correcting.correct_from(project, replace(task, answers=("9",)), "ann", "why")
    assert project.tasks([task.id])[0].answers == ("9",)


def test_a_choice_is_named_by_text_or_letter(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(profile_text())
    with Project.create(tmp_path / "q", str(tmp_path / "small.toml")) as project:
        task = Task("t", "s", "test", "0" * 64, "Which?", ("C",), "choice", ("C", "C++"))
        project.add_tasks([task])
        correcting.correct(project, "t", ["B"], "ann", "why")
        assert project.tasks(["t"])[0].answers == ("C++",)
        with pytest.raises(InputError, match="'Java' is not among the options"):
            correcting.correct(project, "t", ["Java"], "ann", "why")
