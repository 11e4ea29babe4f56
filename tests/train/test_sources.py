"""Files that a job names by their paths: an edited one is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from workbench.errors import InputError
from workbench.study.distillation import request_of
from workbench.train import checkpoint
from workbench.train.job import Job
from workbench.train.sources import changed_sources, sources
from workbench.train.status_files import write_json


def model_in(folder: Path, weights: bytes = b"first") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_every_local_file_that_a_job_names_has_a_digest(tmp_path: Path) -> None:
    student, teacher = model_in(tmp_path / "student"), model_in(tmp_path / "teacher")
    words = tmp_path / "words.txt"
    words.write_text("a b")
    job = Job(
        snapshot=".",
        student=str(student),
        objective="aux_embed",
        arguments={"files": [str(words)], "tool": "words"},
        teacher={"part": "checkpoint", "path": str(teacher)},
    )
    before = sources(job)
    assert sorted(before) == sorted(map(str, (student, teacher, words)))
    for path, edit in (
        (student, lambda: model_in(student, b"second")),
        (teacher, lambda: model_in(teacher, b"another")),
        (words, lambda: words.write_text("a c")),
    ):
        edit()
        now = sources(job)
        assert [name for name in now if now[name] != before[name]] == [str(path)]
        assert changed_sources({"sources": before}, job) == str(path)
        before = now


def test_a_run_does_not_go_on_with_an_edited_student(tmp_path: Path) -> None:
    student = model_in(tmp_path / "student")
    job = Job(snapshot=".", student=str(student))
    step = tmp_path / "job" / "checkpoints" / "step-000001"
    step.mkdir(parents=True)
    (step / checkpoint.OPTIMIZER).write_bytes(b"")
    write_json(step / "state.json", {"step": 1, "key": job.key, "sources": sources(job)})
    assert checkpoint.newest(tmp_path / "job", job) == step
    model_in(student, b"second")
    with pytest.raises(InputError, match="student, which holds something else by now"):
        checkpoint.newest(tmp_path / "job", job)
    write_json(step / "state.json", {"step": 1, "key": job.key})
    assert checkpoint.newest(tmp_path / "job", job) == step, "earlier versions kept no digests"


def test_a_study_trains_an_edited_student_again(tmp_path: Path) -> None:
    job = Job(snapshot=".", student=str(model_in(tmp_path / "student")))
    before = request_of(job)
    assert request_of(replace(job, name="another name")) == before
    model_in(tmp_path / "student", b"second")
    assert request_of(job) != before
