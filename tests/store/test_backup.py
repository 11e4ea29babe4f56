"""Backups are whole whoever writes meanwhile, and what is restored is what was there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from PIL import Image
from sharing_processes import CHILD
from store_rows import loop_records, profile_file, task

from workbench.errors import InputError
from workbench.records import Decision
from workbench.store import Project
from workbench.store.backup import back_up, count, read, restore


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tasks with all that follows, one picture, one decision."""
    folder = tmp_path_factory.mktemp("built")
    Image.new("RGB", (64, 48), "white").save(folder / "square.png")
    with Project.create(folder / "p", str(profile_file(folder))) as made:
        for at in range(3):
            loop_records(task(at), k=3).write(made)
        made.images.add(folder / "square.png")
        kept = loop_records(task(0), k=3)
        about = {
            "task_id": kept.task.id,
            "trace_id": kept.traces[1].id,
            "rationale_id": kept.rationale.id,
        }
        made.curation.decide([Decision("decision-1", "accept", "ann", "curator", **about)])
    return folder


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Iterator[Project]:
    """A copy of it."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    with Project.open(tmp_path / "p") as made:
        yield made


def test_a_backup_comes_back_as_the_same_project(project: Project, tmp_path: Path) -> None:
    counted, items = count(project.database), project.curation.items([task(0).id])
    folder = back_up(project, tmp_path / "b")
    restore(folder, tmp_path / "q")
    with Project.open(tmp_path / "q") as again:
        found = count(again.database)
        assert {name: rows for name, rows in found.items() if name != "attached_write"} == {
            name: rows for name, rows in counted.items() if name != "attached_write"
        }
        assert again.curation.items([task(0).id]) == items
        assert again.task_view(task(1).id).runs == project.task_view(task(1).id).runs
        assert again.profile() == project.profile()
        (digest,) = [path.stem for path in (again.path / "images").rglob("*.png")]
        assert again.images.open(digest).size == (64, 48)


def test_what_is_not_yet_folded_in_is_in_the_backup(project: Project, tmp_path: Path) -> None:
    loop_records(task(3), k=3).write(project)
    assert (project.path / "vpd.duckdb.wal").exists(), "the last writes lie in the log"
    folder = back_up(project, tmp_path / "b")
    assert not (folder / "vpd.duckdb.wal").exists()
    with duckdb.connect(str(folder / "vpd.duckdb"), read_only=True) as plain:
        assert plain.execute("SELECT count(*) FROM decision").fetchall() == [(1,)]
        assert plain.execute("SELECT count(*) FROM task").fetchall() == [(4,)]


def test_the_store_is_still_locked_after_a_backup(project: Project, tmp_path: Path) -> None:
    """POSIX drops a process's lock on a file with the first handle on it that is closed."""
    back_up(project, tmp_path / "b")
    code = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(project.database.path)], capture_output=True, text=True
    )
    assert "Could not set lock" in done.stderr


WRITER = """
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
at = 0
while True:
    def pair(cursor, at=at):
        cursor.execute("INSERT INTO bad_row VALUES (?, 'f', ?, 'r', now()::TIMESTAMP)", [sys.argv[2], at])
        cursor.execute("INSERT INTO imported VALUES (?, ?, 1, now()::TIMESTAMP)", [sys.argv[2], str(at)])
    project.database.transaction(pair)
    print(at, flush=True)
    at += 1
"""


@pytest.mark.parametrize("owner", ["here", "elsewhere"])
def test_while_others_write_a_backup_is_one_moment(
    project: Project, tmp_path: Path, owner: str
) -> None:
    project.close()
    ours = Project.open(project.path) if owner == "here" else None
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD + WRITER, str(project.path), name],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "0\n"
        with ours or Project.open(project.path) as opened:
            acknowledged = 0
            for number in range(2):
                folder = back_up(opened, tmp_path / f"b{number}", images=False)
                with duckdb.connect(str(folder / "vpd.duckdb"), read_only=True) as plain:
                    (apart,) = plain.execute(
                        "SELECT count(*) FROM bad_row FULL JOIN imported ON bad_row.source = imported.source "
                        "AND bad_row.line::VARCHAR = imported.split WHERE bad_row.line IS NULL OR imported.split IS NULL"
                    ).fetchone() or (None,)
                    rows = plain.execute("SELECT count(*) FROM bad_row").fetchall()[0][0]
                assert apart == 0, "each pair was one transaction"
                assert rows >= max(acknowledged, 2)
                acknowledged = rows
                for writer in writers:
                    assert writer.stdout is not None
                    writer.stdout.readline()
            assert all(writer.poll() is None for writer in writers), "and they go on"
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()


def test_links_outlive_the_projects_own_pictures(project: Project, tmp_path: Path) -> None:
    folder = back_up(project, tmp_path / "b")
    (source,) = (project.path / "images").rglob("*.png")
    (held,) = (folder / "images").rglob("*.png")
    assert source.stat().st_ino == held.stat().st_ino
    source.unlink()
    restore(folder, tmp_path / "q")
    (restored,) = (tmp_path / "q" / "images").rglob("*.png")
    assert restored.stat().st_ino != held.stat().st_ino, (
        "a project never shares files with its backup"
    )


def test_copies_and_no_pictures(project: Project, tmp_path: Path) -> None:
    copied, without = (
        back_up(project, tmp_path / "c", copy=True),
        back_up(project, tmp_path / "w", images=False),
    )
    (source,) = (project.path / "images").rglob("*.png")
    (held,) = (copied / "images").rglob("*.png")
    assert source.stat().st_ino != held.stat().st_ino
    assert not (without / "images").exists()
    assert read(without).files == {"evaluations": 0}
    restore(without, tmp_path / "q")
    Project.open(tmp_path / "q").close()


def test_without_a_target_it_lies_in_the_project(project: Project) -> None:
    folder = back_up(project)
    assert folder.parent == project.path / "backups"
    assert read(folder).tables["task"] == 3


def test_a_folder_with_something_in_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_text("mine")
    with pytest.raises(InputError, match="is there already; a backup needs a new or empty folder"):
        back_up(project, tmp_path / "b")
    folder = back_up(project, tmp_path / "c")
    with pytest.raises(
        InputError, match="is there already; a backup is restored into a new or empty folder"
    ):
        restore(folder, tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["mine"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written(project: Project, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(InputError, match="no backup can be written to"):
        back_up(project, tmp_path / "locked" / "b")


def test_a_file_in_the_way_of_the_folder(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        InputError,
        match=r"no backup can be written to .*Not a directory.*make room, or choose another",
    ):
        back_up(project, tmp_path / "file" / "b")
    with pytest.raises(InputError, match="nothing can be restored to"):
        restore(back_up(project, tmp_path / "b"), tmp_path / "file" / "q")


def test_a_changed_backup_is_not_restored(project: Project, tmp_path: Path) -> None:
    folder = back_up(project, tmp_path / "b")
    store = folder / "vpd.duckdb"
    held = bytearray(store.read_bytes())
    held[len(held) // 2] ^= 1
    store.write_bytes(bytes(held))
    with pytest.raises(InputError, match="was changed after it was written; use another backup"):
        restore(folder, tmp_path / "q")
    assert not (tmp_path / "q").exists()


def test_a_backup_that_lost_a_picture_is_not_restored(project: Project, tmp_path: Path) -> None:
    folder = back_up(project, tmp_path / "b")
    next((folder / "images").rglob("*.png")).unlink()
    with pytest.raises(InputError, match="images has 0 files, and had 1; use another backup"):
        restore(folder, tmp_path / "q")
    assert not (tmp_path / "q").exists()
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "there is no backup at .*; make one with: vpd backup"),
        ("{", "cannot be read"),
        ('{"a": 1}', "cannot be read"),
    ],
)
def test_what_is_no_backup(tmp_path: Path, text: str | None, why: str) -> None:
    if text is not None:
        (tmp_path / "backup.json").write_text(text)
    with pytest.raises(InputError, match=why):
        restore(tmp_path, tmp_path / "q")


def test_unfinished_files_do_not_come_along(project: Project, tmp_path: Path) -> None:
    (project.path / "images" / "ab").mkdir(exist_ok=True)
    (project.path / "images" / "ab" / "x.part").write_text("half")
    (project.path / "snapshots" / ".abc.part" / "images").mkdir(parents=True)
    (project.path / "snapshots" / ".abc.part" / "manifest.json").write_text("{}")
    folder = back_up(project, tmp_path / "b")
    assert json.loads((folder / "backup.json").read_text())["files"] == {
        "evaluations": 0,
        "images": 1,
        "snapshots": 0,
    }


def test_answers_of_probes_are_copied_so_that_later_ones_do_not_reach_the_backup(
    project: Project, tmp_path: Path
) -> None:
    asked = project.path / "evaluations" / "probe-x.jsonl"
    asked.parent.mkdir()
    asked.write_text("{}\n")
    folder = back_up(project, tmp_path / "backup")
    with asked.open("a") as file:
        file.write("later\n")
    restore(folder, tmp_path / "again")
    assert (tmp_path / "again" / "evaluations" / "probe-x.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("files", {"../.ssh": 1}, "files names the folder '../.ssh'"),
        ("files", {"images/../../x": 1}, "files names the folder 'images/../../x'"),
        ("files", {"/etc": 1}, "files names the folder '/etc'"),
        ("files", {"models": 1}, "files names the folder 'models'"),
        ("files", {"": 1}, "files names the folder ''"),
        ("files", ["images"], "files does not give a whole number for each name"),
        ("files", {"images": "1"}, "files does not give a whole number for each name"),
        ("files", {"images": -1}, "files does not give a whole number for each name"),
        ("files", None, "files does not give a whole number for each name"),
        ("tables", 3, "tables does not give a whole number for each name"),
        ("sha256", 3, "sha256 is no text"),
        ("created_at", None, "created_at is no text"),
        ("more", 1, "it has created_at, files, more"),
    ],
)
def test_a_record_that_was_written_by_somebody_else(
    project: Project, tmp_path: Path, field: str, value: object, why: str
) -> None:
    folder = back_up(project, tmp_path / "b" / "inner")
    for beside in ("b/.ssh", "b/x"):
        (tmp_path / beside).mkdir()
        (tmp_path / beside / "key").write_text("of another")
    (tmp_path / "q").mkdir()
    content = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps({**content, field: value}))
    with pytest.raises(InputError, match=re.escape(why)):
        restore(folder, tmp_path / "q" / "restored")
    assert list((tmp_path / "q").iterdir()) == []


@pytest.mark.parametrize(
    "place",
    ["images", "images/aa", "images/aa/x.png", "vpd.duckdb", "profile.toml", "evaluations/x"],
)
def test_a_link_in_a_backup_is_not_followed(project: Project, tmp_path: Path, place: str) -> None:
    folder = back_up(project, tmp_path / "b")
    secret = tmp_path / "secret"
    link = folder / place
    if link.is_dir():
        shutil.copytree(link, secret)
        shutil.rmtree(link)
    elif link.is_file():
        shutil.copyfile(link, secret)
        link.unlink()
    else:
        secret.write_text("of another")
        link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(secret)
    with pytest.raises(InputError, match=f"{re.escape(place)} is a symbolic link"):
        restore(folder, tmp_path / "q")
    assert not (tmp_path / "q").exists()
