"""What is shown and measured before a run, and the card behind it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made_job import job_folder, snapshot

from workbench.train import run
from workbench.train.board import read_json
from workbench.train.card import card
from workbench.train.estimate import dry_run, preview
from workbench.train.job import Job, read_job


def test_a_preview_shows_what_the_student_sees_and_what_counts(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    rows = preview(read_job(folder / "job.toml"), folder, examples=2)
    assert [(row.task_id, row.name) for row in rows] == [
        ("made/0000", "label"), ("made/0000", "rationale"), ("made/0001", "label"), ("made/0001", "rationale"),
    ]  # fmt: skip
    (asked, counted), (answer, counts) = rows[0].pieces
    assert (counted, counts) == (False, True)
    assert "[4 of the picture]" in asked
    assert asked.endswith("How many of kind 0? Answer briefly.<end_of_utterance>\nAssistant:")
    assert answer == " 0<end_of_utterance>"
    assert (rows[0].picture, rows[0].counted) == (4, len(" 0") + 1)
    assert rows[0].tokens > rows[0].picture + rows[0].counted


def test_a_dry_run_measures_and_keeps_nothing(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    folder = job_folder(tmp_path)
    found = dry_run(read_job(folder / "job.toml"), folder)
    assert (found.steps, found.examples) == (4, 4)
    assert 0 < found.seconds <= found.most_seconds
    assert found.memory_mb > 0
    assert found.disk_mb > 0
    assert "two steps on cpu" in found.basis
    assert [path.name for path in folder.iterdir()] == ["job.toml"]


def test_a_dry_run_of_a_wrong_job_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([str(tmp_path / "job.toml"), "--dry-run"]) == 2
    assert capsys.readouterr().err.startswith("ProfileError: no job file at")


def test_the_command_line_runs_a_job(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, steps=1)
    assert run.main([str(folder)]) == 0
    assert read_json(folder / "status.json")["state"] == "done"


def test_the_card_gives_the_interval_and_takes_no_markup(tmp_path: Path) -> None:
    taken = snapshot(tmp_path)
    result = {
        "rows": 5, "steps": 4, "step": 2, "accuracy": 0.5, "right": 1.0, "of": 2, "interval": [0.0945, 0.9055], "first": 0.0,
    }  # fmt: skip
    job = Job("s", student="/private/place/base", name="a\n# <b>[x](y)`")
    text = card(job, taken.manifest, result)
    assert "Right on 50.0 % of 2 held-out questions (95 % Wilson interval 9.4 to 90.5); before training 0.0 %." in text
    assert taken.hash in text
    assert "# a # bx(y)\n" in text
    assert "/private" not in text
    assert "all weights" in card(replace(job, method="full"), taken.manifest, result)
