"""Numbered SQL steps that bring a store's tables up to date, remembered in table `migration`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from workbench.errors import StoreError, StoreVersionError

FOLDER = Path(__file__).resolve().parent / "migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step that changes the tables of a store."""

    number: int
    name: str
    sql: str


def shipped_steps(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The steps `NNNN_name.sql` of a folder, in order.

    Raises StoreError when a number is missing or doubled.
    """
    steps = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_(\w+)", path.stem)
        if match is None:
            raise StoreError(f"{path} is not named like a migration; expected NNNN_name.sql")
        steps.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        numbers = ", ".join(str(step.number) for step in steps)
        raise StoreError(
            f"the migrations in {folder} must be numbered from 1 without gaps, "
            f"found {numbers or 'none'}"
        )
    return tuple(steps)


def version(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of a store's last step: 0 for an empty database, -1 for one that is not a store."""
    tables = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
    }
    if "migration" not in tables:
        return 0 if not tables else -1
    row = connection.execute("SELECT max(number) FROM migration").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def check(number: int, steps: Sequence[Migration], path: Path) -> None:
    """Refuse a database that these steps cannot bring up to date.

    Args:
        number: as `version` gives it.
        steps: the migrations that this workbench knows.
        path: the file, for the message.

    Raises:
        StoreVersionError: a newer workbench has written the store.
        StoreError: the database is another program's.
    """
    if number < 0:
        raise StoreError(
            f"{path} is a DuckDB file but not a workbench store; give the folder of a project"
        )
    if number > len(steps):
        raise StoreVersionError(
            f"{path} was written by a newer workbench (store version {number}; this one knows up "
            f"to {len(steps)}); upgrade with: pip install -U vpd-workbench"
        )


def upgrade(
    connection: duckdb.DuckDBPyConnection, steps: Sequence[Migration], number: int
) -> list[int]:
    """Take the steps that a store lacks, each in its own transaction; returns their numbers.

    A new store takes all in one: it has no rows to keep, and a commit costs more than a step.

    Args:
        connection: to the store, which nobody else has open.
        steps: the migrations that this workbench knows.
        number: of the store's last step.
    """
    lacking = steps[number:]
    for together in [lacking] if number == 0 else [[step] for step in lacking]:
        connection.execute("BEGIN")
        try:
            _take(connection, together)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    return [step.number for step in lacking]


def _take(connection: duckdb.DuckDBPyConnection, steps: Sequence[Migration]) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration "
        "(number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL)"
    )
    for step in steps:
        connection.execute(step.sql)
    now = datetime.now(UTC).replace(tzinfo=None)
    for step in steps:
        connection.execute("INSERT INTO migration VALUES (?, ?, ?)", [step.number, step.name, now])
