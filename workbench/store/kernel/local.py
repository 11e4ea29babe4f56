"""The store's file, opened by this process: it owns the file and serves it to the others."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import duckdb
import pyarrow as pa

from workbench import __version__
from workbench.errors import StoreError
from workbench.store.kernel import migrate, owner
from workbench.store.kernel.locks import FileLock, WriteLock

T = TypeVar("T")

WRITES = "attached_write"
"""Table of the numbers of attached processes' writes, where a lost answer is looked up."""

CONFIG: dict[str, Any] = {"autoinstall_known_extensions": False, "allow_unsigned_extensions": True}


class Conflict(Exception):
    """Two writes met; the later one was undone and can be tried again."""


class FileInUse(Exception):
    """Another process has the file open."""


class Attempt:
    """One write, through all its tries."""

    def __init__(self) -> None:
        self.number = f"write {uuid4().hex}"
        self.sent = False
        """Whether a COMMIT was sent to an owner, so that its answer may have been lost."""
        self.result: Any = None


def first_line(error: BaseException) -> str:
    """The first line of an error's message, at most 300 characters; its class where it has none."""
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


def now() -> datetime:
    """UTC without a zone, as the store keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def day_begin(zone: tzinfo | None = None) -> datetime:
    """When today began in a zone, as UTC without a zone; None takes this machine's own zone."""
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC).replace(tzinfo=None)


def program() -> str:
    """The name of this process for messages in other processes."""
    script = sys.argv[0] if sys.argv and sys.argv[0] != "-c" else ""
    return Path(script or sys.executable).name


class Local:
    """The store's file, opened by this process.

    Args:
        path: the file.
        steps: the migrations that this workbench knows.
        lock: held already; released on closing.  None for a folder that can only be read.
        upgrade: bring an older store up to date.
    """

    def __init__(
        self, path: Path, steps: Sequence[migrate.Migration], lock: FileLock | None, upgrade: bool
    ) -> None:
        self.path = path
        self._lock = lock
        files = owner.binaries() if lock is not None else ()
        self._connection = _connect(path, lock is None)
        try:
            self._bring_up_to_date(steps, upgrade)
            owner.load(self._connection, files)
            # From here on a query reads the store and nothing else: no other file, no extension, no
            # network.
            self._connection.execute(
                "SET enable_external_access = false; SET lock_configuration = true"
            )
            if lock is not None:
                self._serve(bool(files))
        except BaseException:
            self._connection.close()
            raise

    def _serve(self, able: bool) -> None:
        address = owner.Address(os.getpid(), program(), None, "", __version__)
        if able:
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {WRITES} "
                "(id VARCHAR PRIMARY KEY, created_at TIMESTAMP NOT NULL)"
            )
            # No process waits a day for the answer to one write.
            self._connection.execute(
                f"DELETE FROM {WRITES} WHERE created_at < now()::TIMESTAMP - INTERVAL 1 DAY"
            )
            address = owner.serve(self._connection, address.pid, address.name)
        owner.write_address(self.path, address)

    def _bring_up_to_date(self, steps: Sequence[migrate.Migration], upgrade: bool) -> None:
        version = migrate.version(self._connection)
        migrate.check(version, steps, self.path)
        if version == len(steps):
            return
        if not upgrade:
            raise StoreError(
                f"{self.path} has store version {version} and must be brought to {len(steps)} "
                "first; any command that writes does it, for example: vpd run --limit 0"
            )
        if version > 0:
            # A copy is whole only when the write-ahead log is folded in and nobody has the file
            # open.
            self._connection.execute("CHECKPOINT")
            self._connection.close()
            self._back_up(version)
            self._connection = _connect(self.path, False)
        try:
            migrate.upgrade(self._connection, steps, version)
        except duckdb.Error as error:
            raise StoreError(
                f"{self.path} could not be brought from store version {version} to {len(steps)} "
                f"({first_line(error)}); the step that failed was undone, and a copy from before "
                "lies in backups/: please report this"
            ) from error

    def _back_up(self, version: int) -> None:
        folder = self.path.parent / "backups"
        target = folder / f"{self.path.stem}-v{version:04d}-{now():%Y%m%d-%H%M%S}.duckdb"
        try:
            folder.mkdir(exist_ok=True)
            part = target.with_suffix(".part")
            shutil.copyfile(self.path, part)
            part.replace(target)
        except OSError as error:
            raise StoreError(
                f"no backup could be written to {folder} ({error.strerror}), so the store was not "
                "upgraded; make room there and try again"
            ) from error

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        cursor = self._connection.cursor()
        try:
            yield cursor
        except BaseException:
            # After Ctrl-C DuckDB's threads may still work on the query, and closing would wait for
            # them.
            cursor.interrupt()
            raise
        finally:
            cursor.close()

    @contextmanager
    def sources(self, cursor: Any, rows: pa.Table) -> Iterator[Sequence[str]]:
        """Names in SQL under which these rows can be read, all of them in order."""
        cursor.register("batch", rows)
        yield ["batch"]
        cursor.unregister("batch")

    def write(self, work: Callable[[Any], T], lock: WriteLock, attempt: Attempt) -> T:
        """Run `work(cursor)` in one transaction.

        Args:
            work: writes with the cursor; its result comes back.
            lock: as of `Attached.write`; not used here.
            attempt: as of `Attached.write`; not used here.

        Raises:
            Conflict: it met another write.
        """
        with self.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                result = work(cursor)
                cursor.execute("COMMIT")
            except BaseException as error:
                # After a failed write DuckDB may have closed the database; there is nothing to roll
                # back then.
                cursor.interrupt()
                with suppress(duckdb.Error):
                    cursor.execute("ROLLBACK")
                if isinstance(error, duckdb.TransactionException) and "onflict" in str(error):
                    raise Conflict(first_line(error)) from error
                raise
            return result

    def cleared(self, store: Path) -> Local:
        """Serve at a new address: sessions of processes that ended within a write end with it."""
        with self.cursor() as cursor:
            address = owner.serve(cursor, os.getpid(), program())
            owner.write_address(store, address)
            owner.stop(cursor, but=address.uri)
        return self

    def close(self) -> None:
        """Stop serving, fold the log in and let go of the file."""
        if self._lock is not None:
            owner.remove_address(self.path)
            with suppress(duckdb.Error):
                owner.stop(self._connection)
        self._connection.close()
        if self._lock is not None:
            self._lock.release()


def _connect(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection to the file.  Raises FileInUse where another process has it open."""
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=CONFIG)
    except duckdb.IOException as error:
        if re.search(r"could not set lock|conflicting lock", str(error), re.IGNORECASE):
            raise FileInUse(str(error)) from error
        raise StoreError(_unreadable(path, error)) from error
    except duckdb.ConnectionException as error:
        raise StoreError(
            f"{path} is open in this process already, in another mode ({first_line(error)}); "
            "use that one"
        ) from error
    except duckdb.Error as error:
        raise StoreError(_unreadable(path, error)) from error
    # The store keeps UTC, and DuckDB compares it with now() in the zone of the session.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def holder(text: str) -> str:
    """The process that has the file open, out of DuckDB's message."""
    match = re.search(r"held in (.+?) \(PID (\d+)\)", text)
    return f"process {match[2]} ({Path(match[1]).name})" if match else "another process"


def unreadable(path: Path, reason: str) -> str:
    """The message for a store that cannot be opened."""
    return (
        f"{path} cannot be opened ({reason}); if the folder can be read and written and the disk "
        "has room, the file is damaged: put back a copy, for example from "
        f"{path.parent / 'backups'}"
    )


def _unreadable(path: Path, error: BaseException) -> str:
    return unreadable(path, first_line(error))


def wait_a_little(attempt: int) -> None:
    """Back off before the next try: 5 ms at first, at most 0.2 s."""
    time.sleep(min(0.005 * 2**attempt, 0.2))
