"""Job folders into the store: read when they change, kept when they go."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from finished_project import finished_project

from workbench.pipeline.ingesting import ingest, kin
from workbench.store import Project
from workbench.train.job import FILE, Job, write_job
from workbench.train.jobs import Jobs
from workbench.train.status_files import write_json

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from tiny_vlms import save


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return finished_project(tmp_path)


def job_in(project: Path, name: str = "first", **settings: object) -> Path:
    """A job in the project's queue that nobody works on."""
    made = Job("/somewhere/snap1", name=name, **settings)  # type: ignore[arg-type]
    return project / "jobs" / Jobs(project / "jobs", start=False).submit(made, name)


def finish(folder: Path) -> None:
    """What a run leaves behind."""
    (folder / "queue.json").unlink(missing_ok=True)
    save("region", folder / "model")
    (folder / "metrics.jsonl").write_text(
        '{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 1.5}\n{"cut off'
    )
    write_json(folder / "result.json", {"model": "model", "step": 2, "accuracy": 0.5})


def test_a_job_is_read_when_it_changes_and_only_then(project: Path) -> None:
    folder = job_in(project, seed=4)
    with Project.open(project) as opened:
        assert ingest(opened) == 1
        assert ingest(opened) == 0
        (row,) = opened.lineage().jobs
        assert (row.state, row.seed, row.snapshot, row.folder) == (
            "queued",
            4,
            "snap1",
            f"jobs/{folder.name}",
        )
        finish(folder)
        assert ingest(opened) == 1
        found = opened.lineage()
        assert (found.jobs[0].state, found.jobs[0].result["accuracy"]) == ("done", 0.5)
        assert [(model.job, model.step, model.folder) for model in found.models] == [
            (folder.name, 2, f"jobs/{folder.name}/model")
        ]
        assert [line["loss"] for line in opened.metrics(folder.name)] == [2.5, 1.5]


def test_lineage_outlives_folders(project: Path) -> None:
    folder = job_in(project)
    finish(folder)
    with Project.open(project) as opened:
        ingest(opened)
        shutil.rmtree(folder)
        assert ingest(opened) == 1
        assert ingest(opened) == 0
        found = opened.lineage()
        assert (found.jobs[0].state, found.models[0].job) == ("deleted", folder.name)
        assert len(opened.metrics(folder.name)) == 2


def test_a_job_of_another_project_is_read_where_its_model_is_used(
    project: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    folder = job_in(elsewhere)
    finish(folder)
    with Project.open(project) as opened:
        ingest(opened, [folder])
        assert ingest(opened) == 0, "it is not in this project's queue, and it is not gone"
        assert opened.lineage().jobs[0].folder == str(folder)


def test_a_job_file_edited_into_nonsense_is_a_row_too(project: Path) -> None:
    folder = job_in(project)
    (folder / FILE).write_text("speed = 1\n")
    with Project.open(project) as opened:
        ingest(opened)
        (row,) = opened.lineage().jobs
        assert (row.settings, row.objective) == ({}, "")


def test_jobs_are_kin_that_differ_in_seed_and_name_alone(tmp_path: Path) -> None:
    with Project.open(finished_project(tmp_path)) as opened:
        for name, settings in {"a": {"seed": 1}, "b": {"seed": 2}, "c": {"lr": 0.5}}.items():
            job_in(opened.path, name, **settings)
        ingest(opened)
        kins = {row.name: row.kin for row in opened.lineage().jobs}
    assert kins["a"] == kins["b"] != kins["c"]
    assert kin({"snapshot": "/here/x", "student": "bundled"}) == kin(
        {"snapshot": "../there/x", "student": "bundled"}
    )


def test_the_rows_say_what_the_files_say(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    write_job(Job("s", objective="instruct", steps=7), folder)
    write_json(
        folder / "status.json",
        {"state": "failed", "failure": {"cause": "memory", "text": "Memory ran out."}},
    )
    with Project.open(project) as opened:
        ingest(opened, [folder])
        (row,) = opened.lineage().jobs
    assert (row.state, row.objective, row.settings["steps"]) == ("failed", "instruct", 7)
    assert row.failure["text"] == "Memory ran out."
