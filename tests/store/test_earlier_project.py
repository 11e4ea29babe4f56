"""A whole project that an earlier workbench left half done opens, is sound, and goes on where it stopped."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.pipeline.loop import run
from workbench.store import Project
from workbench.store.doctor import examine

ARCHIVE = Path(__file__).resolve().parent / "projects" / "six_migrations.zip"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # its source draws its pictures in a folder beside it
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path / "p")
    return tmp_path / "p"


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    with Project.open(folder) as project:
        yield project


def new_rows(project: Project, limit: int) -> dict[str, int]:
    """Rows that a run of the loop adds, by stage."""
    return {stage: cost.rows for stage, cost in run(project, limit=limit, k=3).done.items()}


def test_the_loop_does_what_was_missing_and_nothing_again(project: Project) -> None:
    # Nine questions had been sampled and executed, by parts in a file of one's own.  Such parts
    # are known by what stands in their file now, and so are programs, traces and answers.
    assert new_rows(project, 9) == {
        "import": 0,
        "sample": 27,
        "execute": 27,
        "verify": 27,
        "rationalize": 9,
        "predict": 9,
    }
    assert set(new_rows(project, 9).values()) == {0}


def test_decisions_mean_what_they_meant(project: Project) -> None:
    tasks = [f"squares/000{picture}/{number}" for picture in (0, 1) for number in (0, 1)]
    states = {task: project.curation.item(task).state for task in tasks}
    assert states == {
        tasks[0]: "accepted",
        tasks[1]: "rejected",
        tasks[2]: "pending",  # its accept was undone, its first wrong step stands
        tasks[3]: "rejected",  # a gold item: its author's ruling
    }
    history = project.curation.history([tasks[2]])
    assert [event.kind for event in history.active(tasks[2])] == ["wrong_step"]


def test_a_retry_of_a_stored_decision_adds_nothing(project: Project) -> None:
    events = project.curation.events()
    stored = next(event for event in events if event.id == "event-00006")
    assert stored.ruling == "reject"
    project.curation.decide([stored])
    assert len(project.curation.events()) == len(events)


def test_it_is_sound(folder: Path) -> None:
    with Project.open(folder) as project:
        run(project, limit=9, k=3)
    assert [finding.what for finding in examine(folder) if finding.level == "error"] == []
