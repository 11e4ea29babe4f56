"""The store through its owner: every statement runs in the owner's process, and its rows come back.

An attachment is one session in the owner; a small pool of them serves the threads of this process.
What a dead process left open there is cleared away by the next write (see
`locks.WriteLock.unfinished`).
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from workbench.store.kernel import literal, owner
from workbench.store.kernel.local import CONFIG, WRITES, Attempt, Conflict, first_line
from workbench.store.kernel.locks import WriteLock

T = TypeVar("T")

SEATS = 8
"""Sessions of one process at most; more threads wait."""


ANSWER = 15.0
"""Seconds for an owner to let us in.  A query may take as long as it takes."""


class OwnerLost(Exception):
    """The owner does not answer, or not to us: it ended, or serves elsewhere now."""


class Cursor:
    """What a query through the owner gives back, in the words of DuckDB's own cursor."""

    def __init__(self, seat: _Seat) -> None:
        self.seat = seat
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[tuple[str]] = []
        self.before = ""
        """Statements that go ahead of the next one, in one request."""

    def execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> Cursor:
        text, self.before = self.before + literal.bound(sql, parameters), ""
        names, rows = self.seat.run(text, limit)
        self.description = [(name,) for name in names]
        self._rows = rows[::-1]
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop() if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        found, self._rows = self._rows[::-1], []
        return found

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        return [self._rows.pop() for _ in range(min(size, len(self._rows)))]


@cache
def _client(files: tuple[Path, ...]) -> duckdb.DuckDBPyConnection:
    """The database in memory that speaks to owners; one per process."""
    connection = duckdb.connect(config=CONFIG)
    owner.load(connection, files)
    # A request that was sent twice would be a write done twice.  This client, unlike the other one,
    # can be kept from the proxy that the environment names; the owner is on this machine.
    connection.execute(
        "SET httpfs_client_implementation = 'httplib'; SET http_proxy = ''; SET http_retries = 0"
    )
    connection.execute("SET threads = 1")
    return connection


class Attached:
    """An owner at an address.  Raises Lost when it does not answer."""

    _numbers = itertools.count()

    def __init__(self, address: owner.Address) -> None:
        self.address = address
        self._client = _client(owner.binaries())
        self._idle: list[_Seat] = []
        self._free = threading.BoundedSemaphore(SEATS)
        with self.cursor():
            pass

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        with self._free:
            try:
                seat = self._idle.pop()
            except IndexError:
                seat = _Seat(self._client, self.address, f"seat{next(self._numbers)}")
            try:
                yield Cursor(seat)
            finally:
                if seat.whole:
                    self._idle.append(seat)
                else:
                    seat.leave()

    @contextmanager
    def sources(self, cursor: Any, rows: pa.Table) -> Iterator[Iterator[str]]:
        """Derived tables with these rows."""
        yield literal.sources(rows)

    def write(self, work: Callable[[Any], T], lock: WriteLock, attempt: Attempt) -> T:
        """Run `work(cursor)` in one transaction of the owner.  Raises Conflict, Lost."""
        with self.cursor() as cursor:
            lock.begin()
            cursor.before = (
                f"BEGIN; INSERT INTO {WRITES} VALUES ('{attempt.number}', now()::TIMESTAMP); "
            )
            try:
                result = work(cursor)
                attempt.sent, attempt.result = True, result
                if not cursor.before:
                    cursor.execute("COMMIT")
            except BaseException:
                if cursor.seat.whole:
                    cursor.before = ""
                    # After a failed COMMIT there is nothing to roll back any more.
                    with suppress(duckdb.Error):
                        cursor.execute("ROLLBACK")
                    lock.end()
                raise
            lock.end()
            return result

    def cleared(self, store: Path) -> Attached:
        """The same owner at a new address; all its sessions end, and what they had not committed is
        undone.
        """
        with self.cursor() as cursor:
            address = owner.serve(cursor, self.address.pid, self.address.name)
        owner.write_address(store, address)
        fresh = Attached(address)
        with fresh.cursor() as cursor:
            owner.stop(cursor, but=address.uri)
        return fresh

    def close(self) -> None:
        """Take leave of the owner."""
        while self._idle:
            self._idle.pop().leave()


class _Seat:
    """One session in the owner; used by one thread at a time."""

    def __init__(
        self, client: duckdb.DuckDBPyConnection, address: owner.Address, name: str
    ) -> None:
        self.name = name
        self._cursor = client.cursor()
        self.whole = False
        attach = f"ATTACH '{address.uri}' AS {name} (TYPE quack, TOKEN '{address.token}')"
        self._do(lambda: self._cursor.execute(attach), ANSWER)
        self.whole = True

    def run(self, sql: str, limit: int | None) -> tuple[list[str], list[tuple[Any, ...]]]:
        def ask() -> tuple[list[str], list[tuple[Any, ...]]]:
            self._cursor.execute(f"FROM quack_query_by_name('{self.name}', ?)", [sql])
            names = [column[0] for column in self._cursor.description or ()]
            return names, self._cursor.fetchall() if limit is None else self._cursor.fetchmany(
                limit
            )

        self.whole = False
        try:
            found = self._do(ask)
        except (duckdb.Error, Conflict):
            self.whole = True  # the session is there, and refused this statement
            raise
        self.whole = True
        return found

    def _do(self, ask: Callable[[], T], seconds: float | None = None) -> T:
        try:
            return _interruptible(ask, seconds)
        except duckdb.Error as error:
            line = first_line(error)
            if isinstance(error, duckdb.IOException | duckdb.HTTPException) or line.endswith(
                ("Invalid connection id", "Authentication failed")
            ):
                raise OwnerLost(line) from error
            if re.search(r"[cC]onflict (on|with)|write-write conflict|key \"id: write ", line):
                raise Conflict(line) from error
            if any(
                word in line
                for word in ("No space", "Could not write", "Failed to commit", "File too large")
            ):
                raise duckdb.IOException(line) from error
            raise

    def leave(self) -> None:
        """End the session; not waited for long, since an owner that hangs would not answer."""

        def detach() -> None:
            with suppress(Exception):
                self._cursor.execute(f"DETACH {self.name}")

        thread = threading.Thread(target=detach, daemon=True)
        thread.start()
        thread.join(1.0)


def _interruptible(ask: Callable[[], T], seconds: float | None) -> T:
    """Run in another thread where Ctrl-C would have to wait for DuckDB (in the main one), or to
    wait no longer.
    """
    if seconds is None and threading.current_thread() is not threading.main_thread():
        return ask()
    found: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(ask())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise OwnerLost(f"no answer within {seconds:.0f} s")
    if failed:
        raise failed[0]
    return found[0]
