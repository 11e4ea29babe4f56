"""What is shown and measured before a run, and the card behind it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_job import job_folder, snapshot

from workbench.train import run
from workbench.train.estimate import dry_run, main, preview
from workbench.train.job import Job, read_job, write_job
from workbench.train.model_card import card
from workbench.train.status_files import read_json


def test_a_preview_shows_what_the_student_sees_and_what_counts(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    rows = preview(read_job(folder / "job.toml"), folder, examples=2)
    assert [(row.task_id, row.name) for row in rows] == [
        ("made/0000", "label"),
        ("made/0000", "rationale"),
        ("made/0001", "label"),
        ("made/0001", "rationale"),
    ]
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
    estimate = dry_run(read_job(folder / "job.toml"), folder)
    assert (estimate.steps, estimate.examples) == (4, 4)
    assert 0 < estimate.seconds <= estimate.most_seconds
    assert estimate.memory_mb > 0
    assert estimate.disk_mb > 0
    assert "two steps on cpu" in estimate.basis
    assert [path.name for path in folder.iterdir()] == ["job.toml"]


def test_a_wrong_job_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "job.toml")]) == 2
    error = capfd.readouterr().err
    assert error.startswith("ProfileError: no job file at")
    assert error.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("module", ["workbench.train.estimate", "workbench.train.run --dry-run"])
def test_a_wrong_job_is_one_line_of_a_process(tmp_path: Path, module: str) -> None:
    words = [sys.executable, "-m", *module.split(), str(tmp_path / "job.toml")]
    process = subprocess.run(words, capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr.startswith("ProfileError: no job file at")
    assert process.stderr.count("\n") == 1


def test_the_command_line_prints_the_estimate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job_folder(tmp_path)
    assert main([str(folder)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["steps"], printed["examples"]) == (4, 4)


def test_a_result_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    assert main([str(folder), "--preview", "--result", str(tmp_path / "result.json")]) == 0
    result = read_json(tmp_path / "result.json")
    assert result["ok"]
    assert [row["name"] for row in result["found"][:2]] == ["label", "rationale"]


def test_why_there_is_no_result_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    write_job(replace(read_job(folder / "job.toml"), snapshot="../gone"), folder)
    assert main([str(folder), "--result", str(tmp_path / "result.json")]) == 2
    result = read_json(tmp_path / "result.json")
    assert (result["ok"], result["failure"]["cause"]) == (False, "snapshot")


def test_the_command_line_runs_a_job(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, steps=1)
    assert run.main([str(folder)]) == 0
    assert read_json(folder / "status.json")["state"] == "done"


def test_the_card_gives_the_interval_and_takes_no_markup(tmp_path: Path) -> None:
    taken = snapshot(tmp_path)
    result = {
        "rows": 5,
        "steps": 4,
        "step": 2,
        "accuracy": 0.5,
        "right": 1.0,
        "of": 2,
        "interval": [0.0945, 0.9055],
        "first": 0.0,
        "objective": {"role": "objective", "name": "vpd"},
        "environment": {"workbench": "0.1.0", "torch": "2.9.0", "platform": "Linux"},
    }
    job = Job("s", student="/private/place/base", name="a\n# <b>[x](y)`")
    text = card(job, taken.manifest, result)
    assert (
        "Right on 50.0 % of 2 held-out questions (95 % Wilson interval 9.4 to 90.5); before training 0.0 %."
        in text
    )
    assert taken.hash in text
    assert "by the objective `vpd` (Visual" in text
    taught = {**result, "objective": {"role": "policy", "name": "kepo"}}
    by_reward = card(replace(job, teacher={"part": "checkpoint"}), taken.manifest, taught)
    assert "by the policy `kepo` with the teacher `checkpoint`" in by_reward
    assert "Computed with 0.1.0; torch 2.9.0; platform Linux." in text
    assert "# a # bx(y)\n" in text
    assert "/private" not in text
    assert "all weights" in card(replace(job, method="full"), taken.manifest, result)
