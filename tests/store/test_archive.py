"""Events beside the store: read as before, whole after a kill, and gone only when somebody says so."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import page_project
import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import InputError
from workbench.events import ARCHIVED
from workbench.records import Decision, Trace
from workbench.store import Project, archive, backup, doctor
from workbench.store.kernel.archived import file_of, place_of

SCENES = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eighteen questions with five programs each: some kept, others wrong or failed."""
    return page_project.build(tmp_path / "p", SCENES)


def traces(project: Project) -> dict[str, Trace]:
    """All traces with their events, by id."""
    ids = [task.id for task, _ in project.browse(limit=100).rows]
    runs = [run for one in ids for run in project.task_view(one).runs]
    return {run.trace.id: run.trace for run in runs if run.trace is not None}


def files(folder: Path) -> list[Path]:
    return sorted((folder / "archive").iterdir())


def test_archived_runs_are_read_found_and_browsed_as_before(folder: Path) -> None:
    with Project.open(folder) as project:
        before, page = traces(project), project.browse(limit=100)
        phrase = '"no detector knows"'
        found = project.browse_ids(phrase)
        moved = archive.archive(project)
        chosen = {
            run.trace.id
            for one in project.browse(limit=100).rows
            for run in project.task_view(one[0].id).runs
            if run.trace and run.verdict and run.verdict.chosen
        }
        stored = project.database.table("SELECT id, archived, events FROM trace", 1000)[1]
    assert moved.traces == len(before) - len(chosen) > 0
    assert {id for id, file, _ in stored if file is None} == chosen, "kept runs stay in the store"
    assert all((file is None) == (not events.startswith(ARCHIVED)) for _, file, events in stored)
    with Project.open(folder) as project:
        assert traces(project) == before
        assert project.browse(limit=100) == page
        assert project.browse_ids(phrase) == found != []
        assert archive.archive(project).traces == 0, "there is nothing left to move"
        assert doctor.examine(folder) == []


def test_what_people_judged_stays_in_the_store(folder: Path) -> None:
    with Project.open(folder) as project:
        wrong = next(trace for trace in traces(project).values() if not trace.ok)
        about = {"task_id": wrong.task_id, "trace_id": wrong.id, "step": 2}
        project.curation.decide([Decision("event-00001", "wrong_step", "ann", "curator", **about)])
        archive.archive(project)
        sql = f"SELECT archived FROM trace WHERE id = '{wrong.id}'"
        assert project.database.rows(sql) == [{"archived": None}]


KILLED = """
import os, signal, sys
from pathlib import Path
from workbench.store import Project, archive
archive.BATCH = 10
name, step = archive._name, sys.argv[2]
count = 0
def dies(*arguments):
    global count
    count += 1
    if step == "before" and count == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    name(*arguments)
    if step == "after" and count == 2:
        os.kill(os.getpid(), signal.SIGKILL)
archive._name = dies
with Project.open(Path(sys.argv[1])) as project:
    archive.archive(project)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("step", "files_more"), [("before", 1), ("after", 0)])
def test_a_killed_archiver_loses_nothing_and_the_next_one_goes_on(
    folder: Path, step: str, files_more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(folder) as project:
        before = traces(project)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), step], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with Project.open(folder) as project:
        named = archive.archived(project.database)
        assert len(files(folder)) == named.files + files_more
        assert traces(project) == before
        monkeypatch.setattr(archive, "BATCH", 10)
        archive.archive(project)
        assert archive.archivable(project.database) == 0
        assert len(files(folder)) == archive.archived(project.database).files > 2
        assert traces(project) == before
    assert doctor.examine(folder) == []


def test_a_backup_has_the_archive_and_its_restored_project_the_events(
    folder: Path, tmp_path: Path
) -> None:
    with Project.open(folder) as project:
        before = traces(project)
        archive.archive(project)
        backup.back_up(project, tmp_path / "b", images=False)
    backup.restore(tmp_path / "b", tmp_path / "restored")
    with Project.open(tmp_path / "restored") as project:
        assert traces(project) == before


@pytest.mark.parametrize("harm", ["changed", "missing", "link"])
def test_a_file_that_is_not_as_it_was_written_is_named_and_not_read(
    folder: Path, tmp_path: Path, harm: str
) -> None:
    with Project.open(folder) as project:
        archive.archive(project)
    path = files(folder)[0]
    if harm == "changed":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        shutil.move(path, tmp_path / "elsewhere")
        if harm == "link":
            path.symlink_to(tmp_path / "elsewhere")
    findings = {finding.check: finding for finding in doctor.examine(folder)}
    assert findings["archive-changed"].examples == (path.stem,)
    assert "events" in findings
    with Project.open(folder) as project:
        sql = f"SELECT id FROM trace WHERE archived = '{path.stem}' LIMIT 1"
        (row,) = project.database.rows(sql)
        trace = project.run_view(row["id"])[1].trace
    assert trace is not None
    with pytest.raises(ValueError, match="archived, and their file in archive/ is missing or was"):
        len(trace.events)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "/../x"])
def test_no_name_leads_out_of_the_archive(tmp_path: Path, name: str) -> None:
    (tmp_path / "archive").mkdir()
    assert file_of(tmp_path / "archive", name) is None
    assert place_of(ARCHIVED + f"{name} 3".encode()) is None


def vpd(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_prune_previews_and_removes_what_is_named_alone(folder: Path) -> None:
    assert "traces would be archived" in vpd("archive", "-p", folder, "--preview")
    assert not (folder / "archive").exists()
    vpd("archive", "-p", folder)
    (folder / "cache" / "answers").mkdir()
    (folder / "cache" / "answers" / "one").write_bytes(b"1234")
    with Project.open(folder) as project:
        before = traces(project)
        judged = next(one for one in before.values() if not one.ok)
        about = {"task_id": judged.task_id, "trace_id": judged.id, "step": 2}
        project.curation.decide([Decision("event-00001", "wrong_step", "ann", "curator", **about)])
    number = len(files(folder))
    assert "nothing was removed" in vpd("prune", "failed", "cache", "-p", folder)
    assert len(files(folder)) == number
    assert (folder / "cache" / "answers" / "one").exists()
    said = vpd("prune", "failed", "cache", "-p", folder, "--yes")
    failed = sum(not one.ok for one in before.values()) - 1
    assert f"failed: removed {failed} traces" in " ".join(said.split())
    assert list((folder / "cache").iterdir()) == []
    assert len(files(folder)) == number - 1
    with Project.open(folder) as project:
        for id, trace in traces(project).items():
            whole = before[id].ok or id == judged.id
            assert tuple(trace.events) == (tuple(before[id].events) if whole else ()), id
            assert (trace.answer, trace.failure) == (before[id].answer, before[id].failure)
        assert archive.archive(project).traces == 0
    assert doctor.examine(folder) == []


def test_nothing_else_can_be_pruned(folder: Path) -> None:
    with (
        Project.open(folder) as project,
        pytest.raises(InputError, match="what can be: failed, cache"),
    ):
        archive.prune(project, ["images"])


def test_a_backup_cannot_name_another_folder(folder: Path, tmp_path: Path) -> None:
    with Project.open(folder) as project:
        backup.back_up(project, tmp_path / "b", images=False)
    content = json.loads((tmp_path / "b" / "backup.json").read_text())
    content["files"]["../archive"] = 1
    (tmp_path / "b" / "backup.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"archive, images, snapshots, evaluations may stand"):
        backup.restore(tmp_path / "b", tmp_path / "restored")
