"""What the sides of Compare are called: a student says what it was taught from, and beside which base
it stands.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from workbench.pipeline.live_names import SideName, base_checkpoint, side_names
from workbench.settings import Choice, Profile, find_profile, read_profile
from workbench.train.job import Job, job_text, student_of, taught_from

SHIPPED = read_profile(find_profile("embedded"))


def answered_by(checkpoint: str) -> Profile:
    return replace(SHIPPED, student=Choice("transformers", {"checkpoint": checkpoint}))


def model_of_job(folder: Path, student: str, name: str = "") -> str:
    """The folder of a job's model, as a job leaves it."""
    (folder / "model").mkdir(parents=True)
    (folder / "job.toml").write_text(job_text(Job("/a/snapshot", student=student, name=name)))
    return str(folder / "model")


def test_the_student_that_ships_is_distilled_and_stands_beside_its_base() -> None:
    names = side_names(SHIPPED)
    assert list(names) == ["pipeline", "student", "base"]
    assert names["student"] == SideName("Distilled student", "distilled, taught from small")
    assert names["base"] == SideName("Base student", "small, not distilled")


@pytest.mark.parametrize("checkpoint", ["small", "bundled"])
def test_a_student_that_nobody_taught_is_called_base(checkpoint: str) -> None:
    names = side_names(answered_by(checkpoint))
    assert list(names) == ["pipeline", "student"]
    assert names["student"] == SideName("Base student, not distilled", checkpoint)


@pytest.mark.parametrize(
    ("choice", "model"),
    [
        (
            Choice("transformers", {"checkpoint": "Qwen/Qwen3-VL-2B-Instruct"}),
            "Qwen/Qwen3-VL-2B-Instruct",
        ),
        (Choice("/a/folder/mine.py:Teller"), "mine.py:Teller"),
    ],
)
def test_a_student_whose_training_is_unknown_is_not_called_distilled(
    choice: Choice, model: str
) -> None:
    names = side_names(replace(SHIPPED, student=choice))
    assert names["student"] == SideName("Student", model)
    assert names["base"].model == "bundled, not distilled"


def test_a_jobs_model_stands_beside_what_its_first_training_began_with(tmp_path: Path) -> None:
    first = model_of_job(tmp_path / "j1", "own/er", "first lesson")
    second = model_of_job(tmp_path / "j2", first)
    names = side_names(answered_by(second))
    assert names["student"].model == "model of j2, taught from model of first lesson"
    assert base_checkpoint(answered_by(second)) == "own/er"


def test_a_new_job_teaches_what_was_never_taught(tmp_path: Path) -> None:
    """Else each training would go on from the last one, and the base of a study would be no base."""
    assert student_of(SHIPPED) == "small"
    second = model_of_job(tmp_path / "j2", model_of_job(tmp_path / "j1", "distilled"))
    assert student_of(answered_by(second)) == "small"
    assert student_of(answered_by("bundled")) == "bundled"
    assert student_of(answered_by("own/er")) == "own/er"


def test_jobs_that_name_each_other_or_cannot_be_read_end_nothing(tmp_path: Path) -> None:
    first = model_of_job(tmp_path / "j1", str(tmp_path / "j2" / "model"))
    model_of_job(tmp_path / "j2", first)
    assert student_of(answered_by(first)) in (first, str(tmp_path / "j2" / "model"))
    (tmp_path / "j1" / "job.toml").write_text("student = 3")
    assert taught_from(first) == ""
