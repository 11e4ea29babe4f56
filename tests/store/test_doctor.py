"""Each invariant, broken once: the doctor names it, and says nothing of a sound project."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from finished_project import finished_project

from workbench.errors import StoreError
from workbench.pipeline.snapshotting import SnapshotWish, take
from workbench.records import Decision
from workbench.store import Project, doctor
from workbench.store.doctor import examine, repair
from workbench.store.kernel import owner


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that went through the loop, with two decisions and a snapshot."""
    folder = finished_project(tmp_path_factory.mktemp("sound"))
    with Project.open(folder) as made:
        take(made, SnapshotWish(accepted="automatic"))
        for number, (task, outcome) in enumerate(made.browse("status:kept").rows[:2]):
            event = Decision(
                f"decision-{number}",
                "accept",
                "ann",
                "curator",
                task_id=task.id,
                trace_id=outcome.chosen,
            )
            made.curation.decide([event])
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    return Path(shutil.copytree(sound, tmp_path / "p"))


def broken(folder: Path, *statements: str) -> dict[str, doctor.Finding]:
    """What the doctor finds after these statements, by the name of the check."""
    with Project.open(folder) as project:
        for sql in statements:
            project.database.transaction(lambda cursor, sql=sql: cursor.execute(sql))
    return {finding.check: finding for finding in examine(folder)}


def test_a_sound_project(folder: Path) -> None:
    assert examine(folder) == []


ONE = "(SELECT id FROM {} ORDER BY id LIMIT 1)"


@pytest.mark.parametrize(
    ("check", "sql"),
    [
        ("program-task", "DELETE FROM task WHERE id = (SELECT min(id) FROM task)"),
        ("trace-program", f"DELETE FROM program WHERE id = {ONE.format('program')}"),
        (
            "trace-program",
            "UPDATE trace SET task_id = 'squares/0001/1' WHERE id = (SELECT min(id) FROM trace WHERE task_id <> 'squares/0001/1')",
        ),
        ("verdict-trace", "DELETE FROM trace WHERE id NOT IN (SELECT trace_id FROM rationale)"),
        ("rationale-trace", "DELETE FROM trace WHERE id = (SELECT min(trace_id) FROM rationale)"),
        ("prediction-task", "DELETE FROM task WHERE id = (SELECT min(id) FROM task)"),
        (
            "program-parent",
            f"UPDATE program SET parent = 'gone' WHERE id = {ONE.format('program')}",
        ),
        ("part", "DELETE FROM part WHERE role = 'sampler'"),
        ("decision-task", "DELETE FROM task WHERE id IN (SELECT task_id FROM decision)"),
        ("decision-about", "DELETE FROM trace WHERE id IN (SELECT trace_id FROM decision)"),
        ("snapshot-row", "DELETE FROM trace WHERE id IN (SELECT min(trace_id) FROM snapshot_row)"),
        (
            "twice-sampled",
            f"INSERT INTO program SELECT * REPLACE ('twin' AS id) FROM program WHERE id = {ONE.format('program')}",
        ),
        (
            "twice-chosen",
            "UPDATE verdict SET chosen = true WHERE task_id = (SELECT min(task_id) FROM verdict WHERE chosen)",
        ),
        ("curated", "UPDATE curated SET state = 'rejected'"),
        ("summary", "UPDATE outcome SET status = 'wrong' WHERE status = 'kept'"),
        ("summary", "DELETE FROM outcome WHERE seq = 3"),
        (
            "events",
            "UPDATE trace SET events = 'nonsense'::BLOB WHERE id = (SELECT min(id) FROM trace)",
        ),
        ("snapshot-missing", "UPDATE snapshot SET hash = 'gone'"),
        ("snapshot-unknown", "DELETE FROM snapshot"),
    ],
)
def test_a_broken_invariant_is_named(folder: Path, check: str, sql: str) -> None:
    found = broken(folder, sql)[check]
    assert found.count >= 1
    assert len(found.examples) == min(found.count, doctor.NAMED)
    assert len(found.advice) > 20
    assert found.level == ("note" if check == "snapshot-unknown" else "error")


def checks(folder: Path, **how: Any) -> dict[str, doctor.Finding]:
    return {finding.check: finding for finding in examine(folder, **how)}


def test_missing_and_changed_pictures(folder: Path) -> None:
    first, second, *_ = sorted((folder / "images").rglob("*.png"))
    first.unlink()
    held = second.read_bytes()
    second.unlink()
    second.write_bytes(held[:-5] + b"other")
    found = checks(folder)
    assert found["picture-missing"].examples == (first.stem,)
    assert found["picture-changed"].examples == (second.stem,)
    assert set(checks(folder, quick=True)) == {"picture-missing"}, "quick reads no picture"


@pytest.mark.parametrize("damage", ["rows", "manifest", "picture", "name"])
def test_a_changed_snapshot(folder: Path, damage: str) -> None:
    (path,) = (folder / "snapshots").iterdir()
    picture = next((path / "images").rglob("*.png"))
    {
        "rows": lambda: (path / "train.parquet").write_bytes(b"x"),
        "manifest": lambda: (path / "manifest.json").write_text("{}"),
        "picture": lambda: picture.unlink(),
        "name": lambda: path.rename(path.with_name("0" * 20)),
    }[damage]()
    found = checks(folder)
    assert found["snapshot-changed"].count == 1
    assert ("snapshot-missing" in found) == (damage == "name")


def test_left_over_parts_are_repaired_and_nothing_else(folder: Path) -> None:
    old = time.time() - 2 * doctor.CUT_OFF
    made: list[Callable[[], Path]] = [
        lambda: folder / "images" / "ab.part",
        lambda: folder / "snapshots" / ".x.part" / "images" / "a.png",
        lambda: folder / "backups" / "vpd-v0001.part",
    ]
    for path in (make() for make in made):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
        os.utime(path, (old, old))
    os.utime(folder / "snapshots" / ".x.part", (old, old))
    young = folder / "images" / "now.part"
    young.write_text("somebody is writing this")
    found = checks(folder)["part-files"]
    assert found.examples == ("backups/vpd-v0001.part", "images/ab.part", "snapshots/.x.part")
    assert found.level == "note"
    assert repair(folder) == ["backups/vpd-v0001.part", "images/ab.part", "snapshots/.x.part"]
    assert young.exists()
    assert examine(folder) == []


def test_an_owner_that_is_no_more(folder: Path) -> None:
    code = "import os, sys; from pathlib import Path; from workbench.store import Project\nProject.open(Path(sys.argv[1])); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    assert (folder / "vpd.duckdb.owner").exists()
    assert repair(folder) == ["vpd.duckdb.owner"]
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    assert checks(folder)["owner"].level == "note"


def test_a_living_owner_is_left_alone(folder: Path) -> None:
    with Project.open(folder):
        assert (folder / "vpd.duckdb.owner").exists()
        assert repair(folder) == []
        assert examine(folder) == [], "and the doctor looks in while others work"


def test_little_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5_000_000))
    found = checks(folder)["disk"]
    assert found.level == "note"
    assert found.what == "only 0.0 GB of disk are free"


def test_a_broken_profile(folder: Path) -> None:
    (folder / "profile.toml").write_text("k = 'many'")
    assert "profile.toml" in checks(folder)["profile"].what


def test_a_damaged_store_is_a_finding(folder: Path) -> None:
    (folder / "vpd.duckdb").write_bytes(b"not a database" * 1000)
    found = checks(folder)
    assert set(found) == {"store"}
    assert "the store cannot be used" in found["store"].what
    json.dumps([finding.what for finding in found.values()])


def test_a_log_that_no_database_wrote_is_a_finding(folder: Path) -> None:
    (folder / "vpd.duckdb.wal").write_bytes(bytes(range(7, 200)) * 20)
    found = checks(folder)["log"]
    assert found.level == "error"
    assert "vpd.duckdb.wal is no log of a store" in found.what


def test_a_log_that_is_not_folded_in_yet_is_sound(folder: Path) -> None:
    with Project.open(folder) as project:
        project.database.transaction(lambda cursor: cursor.execute("DELETE FROM bad_row"))
        project.database.transaction(
            lambda cursor: cursor.execute(
                "INSERT INTO attached_write VALUES ('a', now()::TIMESTAMP)"
            )
        )
        assert (folder / "vpd.duckdb.wal").stat().st_size > 0
        assert "log" not in checks(folder)


@pytest.mark.parametrize("at", [4096])
def test_a_store_with_a_spoilt_block_is_not_called_in_use(folder: Path, at: int) -> None:
    path = folder / "vpd.duckdb"
    content = bytearray(path.read_bytes())
    content[at : at + 4000] = b"Z" * 4000
    path.write_bytes(content)
    with pytest.raises(StoreError) as error:
        Project.open(folder)
    assert "Corrupt database file" in str(error.value)
    assert "in use" not in str(error.value)


def test_on_a_full_disk_the_store_can_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(owner, "write_address", full)
    with Project.open(folder, read_only=True) as project:
        assert project.database.rows("SELECT count(*) AS n FROM task")[0]["n"] > 0
    with pytest.raises(StoreError, match="No space left"):
        Project.open(folder)
