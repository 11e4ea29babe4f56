"""Numbered steps: from every earlier version, with a backup, and never backwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import StoreError, StoreVersionError
from workbench.store.kernel.database import Database
from workbench.store.kernel.migrate import Migration, shipped_steps

FIRST = Migration(1, "first", "CREATE TABLE note (text VARCHAR); INSERT INTO note VALUES ('kept')")
SECOND = Migration(
    2, "second", "ALTER TABLE note ADD COLUMN author VARCHAR; UPDATE note SET author = 'ann'"
)
BROKEN = Migration(
    2, "broken", "ALTER TABLE note ADD COLUMN author VARCHAR; SELECT nonsense FROM nowhere"
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Database(tmp_path / "s.duckdb", create=True, steps=[FIRST]).close()
    return tmp_path / "s.duckdb"


def notes(path: Path, steps: list[Migration]) -> list[dict[str, object]]:
    database = Database(path, steps=steps)
    found = database.rows("SELECT * FROM note")
    database.close()
    return found


def test_the_shipped_steps_are_numbered_and_named() -> None:
    steps = shipped_steps()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert steps[0].name == "loop"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["0001_a.sql", "0003_b.sql"], r"must be numbered from 1 without gaps, found 1, 3"),
        (["0001_a.sql", "0001_b.sql"], r"must be numbered from 1 without gaps, found 1, 1"),
        (
            ["0001_a.sql", "two.sql"],
            r"two.sql is not named like a migration; expected NNNN_name.sql",
        ),
    ],
)
def test_a_wrong_set_of_steps_is_refused(tmp_path: Path, names: list[str], text: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(StoreError, match=text):
        shipped_steps(tmp_path)


def test_an_earlier_store_is_brought_up_to_date_after_a_backup(store: Path) -> None:
    assert notes(store, [FIRST, SECOND]) == [{"text": "kept", "author": "ann"}]
    (backup,) = (store.parent / "backups").iterdir()
    assert backup.name.startswith("s-v0001-")
    assert backup.suffix == ".duckdb"
    assert notes(backup, [FIRST]) == [{"text": "kept"}], "the backup is the store as it was"


def test_each_step_is_taken_once(store: Path) -> None:
    for _ in range(3):
        notes(store, [FIRST, SECOND])
    assert len(list((store.parent / "backups").iterdir())) == 1
    database = Database(store, steps=[FIRST, SECOND])
    assert database.rows("SELECT number, name FROM migration ORDER BY number") == [
        {"number": 1, "name": "first"},
        {"number": 2, "name": "second"},
    ]
    database.close()


def test_a_step_that_fails_leaves_the_store_as_it_was(store: Path) -> None:
    with pytest.raises(
        StoreError,
        match=r"could not be brought from store version 1 to 2 .*undone, and a copy from before lies in backups",
    ):
        Database(store, steps=[FIRST, BROKEN])
    assert notes(store, [FIRST]) == [{"text": "kept"}]


def test_a_newer_store_is_refused_and_not_touched(store: Path) -> None:
    notes(store, [FIRST, SECOND])
    before = store.read_bytes()
    with pytest.raises(
        StoreVersionError,
        match=r"newer workbench \(store version 2; this one knows up to 1\); upgrade with: pip install",
    ):
        Database(store, steps=[FIRST])
    assert store.read_bytes() == before


def test_a_reader_does_not_upgrade(store: Path) -> None:
    with pytest.raises(
        StoreError,
        match="has store version 1 and must be brought to 2 first; any command that writes",
    ):
        Database(store, steps=[FIRST, SECOND], read_only=True)
    assert not (store.parent / "backups").exists()


def test_without_a_backup_there_is_no_upgrade(store: Path) -> None:
    (store.parent / "backups").write_text("in the way")
    with pytest.raises(
        StoreError,
        match=r"no backup could be written to .* so the store was not upgraded; make room",
    ):
        Database(store, steps=[FIRST, SECOND])
    (store.parent / "backups").unlink()
    assert notes(store, [FIRST]) == [{"text": "kept"}]


def test_a_write_ahead_log_is_in_the_backup(store: Path) -> None:
    """A store whose last process was killed keeps its latest rows in the log beside it."""
    import subprocess
    import sys

    code = (
        "import duckdb, os, sys\n"
        "c = duckdb.connect(sys.argv[1]); c.execute(\"INSERT INTO note VALUES ('late')\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(store)], check=True)
    assert store.with_name("s.duckdb.wal").exists()
    assert len(notes(store, [FIRST, SECOND])) == 2
    (backup,) = (store.parent / "backups").iterdir()
    assert len(notes(backup, [FIRST])) == 2
