"""An open store: reading, writing, and the one place where DuckDB's errors become ours.

Many processes work on one store at once.  The first to open it owns the file and serves it, the
others work through that one, and when it ends one of them takes its place (see `link`); nobody
above has to know which is which.  Every write is one transaction: it is there after a crash, or it
never was.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from workbench.errors import StoreError
from workbench.records import storable
from workbench.store.kernel import archived, link, literal, local_disk, migrate, reading
from workbench.store.kernel.attached import Attached
from workbench.store.kernel.local import Local, first_line, now
from workbench.store.kernel.locks import WriteLock

__all__ = ["IDS", "WAIT", "Database", "among", "id_list", "listed", "now"]

T = TypeVar("T")

WAIT = 5.0
"""Seconds to wait for the owner's answer, or for a program that has the file and keeps it."""

KEYLESS = frozenset({"touched"})
"""Tables without a key, whose rows are added as they are."""

IDS = """(SELECT unnest(from_json($ids, '["VARCHAR"]')))"""
"""What stands behind IN in a statement whose parameter `ids` is `id_list(...)`.

It is not a list parameter, because DuckDB's binding looks for pandas once per value, which costs
0.3 ms each where pandas is absent.
"""


FEW = 64
"""Ids that are written out at most; an index is not asked for more."""


def among(ids: Sequence[str]) -> str:
    """What stands behind IN for keys of a table that a statement has without a parameter.

    A few are written out one by one: only so does DuckDB look them up in the table's key, where
    `IDS` has it pass over the whole column.  It is for keys alone: an index of another column was
    seen to lack rows that a killed process had written, once its log was read for reading alone
    and then for writing (DuckDB 1.5.5); `listed` has the column read.
    """
    if len(ids) > FEW:
        return listed(ids)
    return f"({', '.join(literal.text(storable(id)) for id in ids) or 'NULL'})"


def listed(ids: Iterable[str]) -> str:
    """What stands behind IN for values that are looked for without an index; as `among` else."""
    return f"(SELECT unnest(from_json({literal.text(id_list(ids))}, '[\"VARCHAR\"]')))"


def id_list(ids: Iterable[str]) -> str:
    """Ids as one parameter, for `IDS`."""
    return json.dumps(list(ids))


class Database:
    """An open store.  Reads from any thread; writes one at a time, across all processes.

    Args:
        path: the DuckDB file.
        create: make the file, which must not exist yet.
        read_only: refuse writes and upgrade nothing; a folder that cannot be written will do.
        wait: seconds to wait for the lock of another process.
        steps: migrations; None takes the shipped ones.

    Raises:
        StoreError: the file is missing, damaged, not a store, cannot be written, lies on a network
            file system, or is open in a program that does not share it (which is named).
        StoreVersionError: a newer workbench has written the store.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = False,
        read_only: bool = False,
        wait: float = WAIT,
        steps: Sequence[migrate.Migration] | None = None,
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._archive = archived.ArchiveReader(path.parent / archived.FOLDER)
        self._open = False
        if not create and not path.is_file():
            raise StoreError(f"there is no store at {path}; make a project with: vpd init PATH")
        if create and path.exists():
            raise StoreError(f"{path} exists already; open it, or choose another folder")
        local_disk.check_local(path)
        migrations = migrate.shipped_steps() if steps is None else tuple(steps)
        with self._translated("opened"):
            self._link = link.take(
                path, migrations, wait, upgrade=not read_only, only_read=read_only
            )
        self._open = True
        self._closing = threading.Lock()

    @property
    def write_lock(self) -> WriteLock:
        """The lock that every write of any process holds.

        Hold it around a read that a write depends on.
        """
        return self._link.write_lock

    @property
    def owner(self) -> bool:
        """Whether this process has the file itself at this moment."""
        return self._link.owns

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """All rows of a query, each as a dict by column name.

        A column `events` holds those of a trace, wherever they lie.
        """

        def ask(cursor: Any) -> list[dict[str, Any]]:
            cursor.execute(sql, parameters if parameters is not None else [])
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        with self._translated("read"):
            rows = self._link.read(ask)
            if rows and "events" in rows[0]:
                self._archive.fill(rows)
            return rows

    def table(self, sql: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and at most `limit` rows of any query that only reads."""

        def ask(cursor: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            try:
                cursor.execute(reading.TABLES)
                reading.check_reads(sql, [name for (name,) in cursor.fetchall()])
                cursor.execute(sql)
                names = [column[0] for column in cursor.description or ()]
                return names, cursor.fetchmany(limit)
            finally:
                cursor.execute("ROLLBACK")

        with self._translated("read"):
            return self._link.read(ask)

    def insert(
        self, tables: Mapping[str, pa.Table], before: Callable[[Any], None] | None = None
    ) -> dict[str, int]:
        """Write Arrow tables in one transaction; rows whose key is there already are left alone.

        Args:
            tables: by the name of the table in the store.
            before: called with the cursor inside the transaction, for rows that must go first.

        Returns:
            How many rows were new, by table.
        """

        def work(cursor: Any, way: Local | Attached) -> dict[str, int]:
            if before is not None:
                before(cursor)
            added = {}
            for name, rows in tables.items():
                columns = ", ".join(f'"{column}"' for column in rows.column_names)
                added[name] = 0
                leave = "" if name in KEYLESS else "ON CONFLICT DO NOTHING"
                with way.sources(cursor, rows) as sources:
                    for source in sources:
                        counts = cursor.execute(
                            f'INSERT INTO "{name}" ({columns}) '
                            f"SELECT {columns} FROM {source} {leave}"
                        ).fetchone()
                        added[name] += int(counts[0])
            return added

        return self._write(work)

    def transaction(self, work: Callable[[Any], T]) -> T:
        """Run `work(cursor)` in one transaction; on any exception nothing of it stays.

        The cursor has `execute(sql, parameters)`, `fetchone()` and `fetchall()`.  `work` runs again
        when it met another write or when the process that owns the store ended, so it changes
        nothing but the store.
        """
        return self._write(lambda cursor, way: work(cursor))

    def _write(self, work: Callable[[Any, Local | Attached], T]) -> T:
        if self.read_only:
            raise StoreError(
                f"{self.path} was opened read-only and cannot be written; open it without read_only"
            )
        with self._translated("written"):
            return self._link.write(work)

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (
            duckdb.IOException,
            duckdb.FatalException,
            duckdb.InternalException,
            duckdb.TransactionException,
            OSError,
        ) as error:
            raise StoreError(
                f"{self.path} cannot be {verb} ({first_line(error)}); nothing committed is lost: "
                "look for a full disk or a read-only folder, then run the command again"
            ) from error
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            raise StoreError(f"the store refused a query ({first_line(error)})") from error
        except RuntimeError as error:
            # DuckDB takes Ctrl-C for itself while it works, and raises this instead.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from error
            raise

    def close(self) -> None:
        """Let go of the store.

        The last `Database` of the process that owns the file folds the log in and hands over.
        """
        with self._closing:
            if self._open:
                self._open = False
                link.give(self._link)
