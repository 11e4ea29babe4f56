"""vpd train and vpd jobs, as a person uses them; the queue is not worked on unless a test says so."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from finished_project import finished_project
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.train.job import read_job
from workbench.train.jobs import Jobs
from workbench.train.status_files import write_json

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from tiny_vlms import save


def vpd(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """Run a command that must end with an error, and give its line."""
    result = vpd(*arguments)
    assert result.exit_code == 2, result.output
    return result.stderr.strip().splitlines()[-1]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a snapshot, whose queue stands still."""
    monkeypatch.setattr(Jobs, "advance", lambda _: None)
    made = finished_project(tmp_path)
    assert vpd("snapshot", "--automatic", "--name", "first", "-p", made).exit_code == 0
    return made


def submitted(*arguments: object) -> str:
    result = vpd("train", *arguments)
    assert result.exit_code == 0, result.output
    found = re.search(r"job (\w{12}) is queued", result.stdout)
    assert found
    return found[1]


def test_a_file_that_a_transform_reads_is_named_whole(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "facts.tsv").write_text("dog\tWhat?\t5\n")
    monkeypatch.chdir(tmp_path)
    settings = ["transform.part=knowledge_prefix", "transform.facts=facts.tsv", "transform.slots=2"]
    name = submitted("-p", project, *(word for one in settings for word in ("--set", one)))
    job = read_job(project / "jobs" / name / "job.toml")
    facts = str(tmp_path.resolve() / "facts.tsv")
    assert job.transform == {"part": "knowledge_prefix", "facts": facts, "slots": 2}


def test_a_job_is_queued_with_the_newest_snapshot_and_what_was_set(project: Path) -> None:
    name = submitted(
        "-p",
        project,
        "--weight",
        "0.5",
        "--steps",
        "7",
        "--set",
        "lora.r=16",
        "--set",
        "schedule=linear",
        "--name",
        "mine",
    )
    job = read_job(project / "jobs" / name / "job.toml")
    assert (job.steps, job.lora.r, job.schedule, job.arguments, job.name) == (
        7,
        16,
        "linear",
        {"weight": 0.5},
        "mine",
    )
    assert Path(job.snapshot).parent == project / "snapshots"
    (row,) = json.loads(vpd("jobs", "list", "-p", project, "--json").stdout)
    assert (row["id"], row["state"], row["place"]) == (name, "queued", 1)
    assert "mine" in vpd("jobs", "list", "-p", project).stdout


def test_jobs_are_moved_stopped_resumed_cloned_and_deleted(project: Path) -> None:
    first, second = submitted("-p", project), submitted("-p", project, "--objective", "instruct")
    assert vpd("jobs", "move", second[:6], 1, "-p", project).exit_code == 0
    assert [row.id for row in Jobs(project / "jobs").all()] == [second, first]
    assert vpd("jobs", "stop", second, "-p", project).exit_code == 0
    assert "stopped" in vpd("jobs", "show", second, "-p", project).stdout
    assert vpd("jobs", "resume", second, "-p", project).exit_code == 0
    cloned = vpd("jobs", "clone", second, "--set", "seed=4", "-p", project)
    found = re.search(r"job (\w{12})", cloned.stdout)
    assert found
    job = read_job(project / "jobs" / found[1] / "job.toml")
    assert (job.seed, job.objective) == (4, "instruct")
    assert vpd("jobs", "delete", first, "-p", project).exit_code == 0
    assert len(Jobs(project / "jobs").all()) == 2


def test_the_same_request_queues_once(project: Path) -> None:
    assert submitted("-p", project, "--request", "r") == submitted("-p", project, "--request", "r")


def test_a_job_is_printed_and_read_again(project: Path, tmp_path: Path) -> None:
    printed = vpd("train", "-p", project, "--lr", "3e-4", "--toml").stdout
    (tmp_path / "mine.toml").write_text(printed)
    again = vpd("train", "-p", project, "--job", tmp_path / "mine.toml", "--toml").stdout
    assert again == printed
    assert "lr = 0.0003" in printed
    assert Jobs(project / "jobs").all() == []


def teach(project: Path, student: str) -> None:
    """Make a checkpoint the student of a project's profile."""
    profile = project / "profile.toml"
    lines = [
        line for line in profile.read_text().splitlines() if not re.match(r"student\s*=", line)
    ]
    profile.write_text("\n".join([f"student = {student}", *lines]) + "\n")


def test_a_job_teaches_the_profiles_student(project: Path, tmp_path: Path) -> None:
    def printed(*more: object) -> str:
        (tmp_path / "printed.toml").write_text(vpd("train", "-p", project, "--toml", *more).stdout)
        return read_job(tmp_path / "printed.toml").student

    assert printed() == "bundled"
    teach(project, '{ part = "transformers", checkpoint = "own/er" }')
    assert printed() == "own/er"
    assert printed("--student", "bundled") == "bundled"
    student = save("smolvlm", tmp_path / "student")
    teach(project, f'{{ part = "transformers", checkpoint = "{student}" }}')
    assert printed() == str(Path(student).resolve())
    (tmp_path / "job.toml").write_text(vpd("train", "-p", project, "--toml").stdout)
    teach(project, '{ part = "transformers", checkpoint = "own/er" }')
    assert printed("--job", tmp_path / "job.toml") == str(Path(student).resolve())


def test_a_preview_marks_what_counts(project: Path, tmp_path: Path) -> None:
    student = save("smolvlm", tmp_path / "student")
    shown = vpd("train", "-p", project, "--student", student, "--preview").stdout
    assert re.search(r"label, weight 1: \d+ tokens, 4 of the picture, \d+ count in the loss", shown)
    assert re.search(r"Assistant:⟦ .+<end_of_utterance>⟧", shown)


def test_a_failed_job_shows_its_card_and_the_change_to_try(project: Path) -> None:
    name = submitted("-p", project)
    folder = project / "jobs" / name
    (folder / "queue.json").unlink()
    (folder / "log.txt").write_text("one line \x1b[31m\n")
    failure = {
        "cause": "memory",
        "text": "Memory ran out.",
        "advice": "Try it.",
        "change": {"micro_batch": 2},
    }
    write_json(folder / "status.json", {"state": "failed", "failure": failure})
    shown = vpd("jobs", "show", name, "-p", project).stdout
    assert "Memory ran out. Try it." in shown
    assert f"try: vpd jobs clone {name} --set micro_batch=2" in shown
    assert "\x1b" not in shown


def test_what_is_wrong_is_said(project: Path) -> None:
    assert "speed is an unknown key" in refused("train", "-p", project, "--set", "speed=1")
    assert "--set takes KEY=VALUE" in refused("train", "-p", project, "--set", "speed")
    assert "--on must be one of here, slurm, ray" in refused("train", "-p", project, "--on", "moon")
    assert "no jobs are called 'x'; there are: none" in refused("jobs", "show", "x", "-p", project)
    assert "snapshot" in refused("train", "-p", project, "--snapshot", "nowhere")
