"""The one connection to a project's DuckDB file: opening, waiting for its lock, upgrading, reading, writing.

DuckDB lets one process write.  Whoever comes second waits a few seconds and is then told which process holds
the file.  Every write is one transaction: it is there after a crash, or it never was.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from workbench.errors import StoreError
from workbench.store import migrate

T = TypeVar("T")

WAIT = 5.0
"""Seconds to wait for another process to let go of the file."""


IDS = """(SELECT unnest(from_json($ids, '["VARCHAR"]')))"""
"""What stands behind IN for the parameter `ids`, given as `listed(ids)`.

Not a list parameter: DuckDB's binding looks for pandas once per value, which costs 0.3 ms each where it is absent.
"""


def listed(ids: Iterable[str]) -> str:
    """Ids as one parameter, for `IDS`."""
    return json.dumps(list(ids))


def now() -> datetime:
    """UTC without a zone, as the store keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Database:
    """An open store.  Reads from any thread; writes one at a time.

    Args:
        path: the DuckDB file; made when it does not exist and `create` is given.
        read_only: several processes may read at once, none may write meanwhile.
        wait: seconds to wait for the lock of another process.
        steps: migrations; the shipped ones by default.

    Raises:
        StoreError: missing, locked (names the process), damaged, unwritable or not a store.
        StoreVersionError: written by a newer workbench.
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
        if not create and not path.is_file():
            raise StoreError(f"there is no store at {path}; make a project with: vpd init PATH")
        if create and path.exists():
            raise StoreError(f"{path} exists already; open it, or choose another folder")
        known = migrate.shipped() if steps is None else tuple(steps)
        self._connection = _connect(path, read_only, wait)
        self.write_lock = threading.RLock()
        """Held by every write; hold it around a read that a write depends on."""
        try:
            with self._translated("opened"):
                self._bring_up_to_date(known, wait)
        except BaseException:
            self._connection.close()
            raise

    def _bring_up_to_date(self, known: Sequence[migrate.Migration], wait: float) -> None:
        found = migrate.version(self._connection)
        migrate.check(found, known, self.path)
        if found == len(known):
            return
        if self.read_only:
            raise StoreError(
                f"{self.path} has store version {found} and must be brought to {len(known)} first; "
                "any command that writes does it, for example: vpd run --limit 0"
            )
        if found > 0:
            # A copy is whole only when the write-ahead log is folded in and nobody has the file open.
            self._connection.execute("CHECKPOINT")
            self._connection.close()
            self._back_up(found)
            self._connection = _connect(self.path, False, wait)
        try:
            migrate.upgrade(self._connection, known, found)
        except duckdb.Error as error:
            raise StoreError(
                f"{self.path} could not be brought from store version {found} to {len(known)} ({_first_line(error)}); "
                "the step that failed was undone, and a copy from before lies in backups/: please report this"
            ) from error

    def _back_up(self, found: int) -> None:
        folder = self.path.parent / "backups"
        target = folder / f"{self.path.stem}-v{found:04d}-{now():%Y%m%d-%H%M%S}.duckdb"
        try:
            folder.mkdir(exist_ok=True)
            part = target.with_suffix(".part")
            shutil.copyfile(self.path, part)
            part.replace(target)
        except OSError as error:
            raise StoreError(
                f"no backup could be written to {folder} ({error.strerror}), so the store was not upgraded; "
                "make room there and try again"
            ) from error

    def rows(self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """All rows of a query, each as a dict by column name."""
        with self._translated("read"), self._cursor() as cursor:
            cursor.execute(sql, parameters if parameters is not None else [])
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def table(self, sql: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and at most `limit` rows of any query."""
        with self._translated("read"), self._cursor() as cursor:
            cursor.execute(sql)
            return [column[0] for column in cursor.description or ()], cursor.fetchmany(limit)

    def insert(self, tables: Mapping[str, pa.Table], before: Callable[[Any], None] | None = None) -> dict[str, int]:
        """Write Arrow tables by name in ONE transaction; rows whose key is there already are left alone.

        Args:
            before: called with the cursor inside the transaction, for rows that must go first.

        Returns:
            Rows really added, by table.
        """

        def work(cursor: Any) -> dict[str, int]:
            if before is not None:
                before(cursor)
            added = {}
            for name, rows in tables.items():
                columns = ", ".join(f'"{column}"' for column in rows.column_names)
                cursor.register("batch", rows)
                found = cursor.execute(
                    f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM batch ON CONFLICT DO NOTHING'  # noqa: S608
                ).fetchone()
                cursor.unregister("batch")
                added[name] = int(found[0])
            return added

        return self.transaction(work)

    def transaction(self, work: Callable[[Any], T]) -> T:
        """Run `work(cursor)` in one transaction; on any exception nothing of it stays."""
        with self.write_lock, self._translated("written"), self._cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                result = work(cursor)
                cursor.execute("COMMIT")
            except BaseException:
                # After a failed write DuckDB may have closed the database; there is nothing to roll back then.
                cursor.interrupt()
                with suppress(duckdb.Error):
                    cursor.execute("ROLLBACK")
                raise
            return result

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        cursor = self._connection.cursor()
        try:
            yield cursor
        except BaseException:
            # After Ctrl-C DuckDB's threads may still work on the query, and closing would wait for them.
            cursor.interrupt()
            raise
        finally:
            cursor.close()

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (
            duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.TransactionException, OSError
        ) as error:  # fmt: skip
            raise StoreError(
                f"{self.path} cannot be {verb} ({_first_line(error)}); nothing committed is lost: look for a full "
                "disk or a read-only folder, then run the command again"
            ) from error
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            raise StoreError(f"the store refused a query ({_first_line(error)})") from error
        except RuntimeError as error:
            # DuckDB takes Ctrl-C for itself while it works, and raises this instead.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from error
            raise

    def close(self) -> None:
        """Fold the log in and let go of the file."""
        self._connection.close()


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


def _connect(path: Path, read_only: bool, wait: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait
    while True:
        try:
            # A query reads the store and nothing else: no other file, no extension, no network.
            return duckdb.connect(
                str(path),
                read_only=read_only,
                config={"enable_external_access": False, "autoinstall_known_extensions": False},
            )
        except duckdb.IOException as error:
            text = str(error)
            if "lock" in text.lower():
                if time.monotonic() < deadline:
                    time.sleep(0.1)
                    continue
                raise StoreError(_locked(path, text)) from error
            raise StoreError(_unreadable(path, error)) from error
        except duckdb.ConnectionException as error:
            raise StoreError(
                f"{path} is open in this process already, in another mode ({_first_line(error)}); use that one"
            ) from error
        except duckdb.Error as error:
            raise StoreError(_unreadable(path, error)) from error


def _locked(path: Path, text: str) -> str:
    held = re.search(r"held in (.+?) \(PID (\d+)\)", text)
    who = f"process {held[2]} ({Path(held[1]).name})" if held else "another process"
    stop = f"; stop it (kill {held[2]})" if held else "; stop it"
    return f"{path} is in use by {who}: one process writes at a time{stop} or wait until it ends, then try again"


def _unreadable(path: Path, error: BaseException) -> str:
    return (
        f"{path} cannot be opened ({_first_line(error)}); if the folder can be read and written and the disk has room, "
        f"the file is damaged: put back a copy, for example from {path.parent / 'backups'}"
    )
