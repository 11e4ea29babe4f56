"""`vpd evaluate` on VQAv2: both ways of normalising, and answers to splits that only a server scores."""

from __future__ import annotations

import json
from pathlib import Path

import official_files as made
import pytest
from small_parts import profile_text
from typer.testing import CliRunner

from workbench.cli import app


def vpd(*words: object) -> str:
    return CliRunner().invoke(app, [str(word) for word in words]).output


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The path of a project to be made, beside the profile that it is made with."""
    (tmp_path / "small.toml").write_text(profile_text())
    (tmp_path / "files").mkdir()
    return tmp_path / "p"


def make(project: Path, split: str) -> None:
    words = ("--from", project.parent / "files", "--profile", project.parent / "small.toml")
    assert "made" in vpd("init", project, "--source", "vqav2", "--split", split, *words)


def test_both_ways_of_normalising_are_printed_and_stored(project: Path) -> None:
    files = project.parent / "files"
    made.vqav2(files)
    votes = [made.vqa_annotation(number) for number in (9000, 9001, 9002)]
    for vote in votes[:2]:
        vote["answers"] = [{"answer": "No.", "answer_id": n} for n in range(10)]
    made.write(files / "v2_mscoco_val2014_annotations.json", {"annotations": votes})
    make(project, "val")
    common = ("evaluate", "--project", project, "--time", 0)
    text = vpd(*common)
    official = vpd(*common, "--normalise", "official")
    both = "normalised always 66.7 %, normalised official 0.0 %"
    assert both in text
    assert both in official
    assert "accuracy 66.7 %" in text, "the student says no, which is No. after normalising"
    assert "accuracy 0.0 %" in official, "where all agree nothing is normalised"
    refusal = vpd(*common, "--normalise", "never")
    assert "no way of normalising is called 'never'; choose always or official" in refusal


def test_answers_to_a_split_that_only_the_server_scores(project: Path) -> None:
    files = project.parent / "files"
    made.picture(files / "test2015" / "COCO_test2015_000000000009.jpg")
    name = "v2_OpenEnded_mscoco_test-dev2015_questions.json"
    made.write(files / name, {"questions": [made.vqa_question(7), made.vqa_question(8)]})
    make(project, "test-dev")
    submit = project.parent / "answers"
    assert "accuracy - of 0" in vpd(
        "evaluate", "--project", project, "--time", 0, "--submit", submit
    )
    (file,) = submit.rglob("vqav2_test-dev.json")
    assert [row["question_id"] for row in json.loads(file.read_text())] == [7, 8]
