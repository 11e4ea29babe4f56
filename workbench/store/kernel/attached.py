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
"""Seconds that an owner has to let this process in.  A query may take any time."""


class OwnerLost(Exception):
    """The owner does not answer this process: it ended, or serves at another address now."""


class Cursor:
    """A cursor through the owner, with the methods of DuckDB's own that the store uses."""

    def __init__(self, seat: _Seat) -> None:
        self.seat = seat
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[tuple[str]] = []
        self.before = ""
        """Statements that are sent in front of the next one, in the same request."""

    def execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> Cursor:
        """Run one statement in the owner's process.

        Args:
            sql: the statement, with placeholders as DuckDB knows them.
            parameters: values for the placeholders.
            limit: rows to fetch at most; None fetches all.
        """
        text, self.before = self.before + literal.bound(sql, parameters), ""
        names, rows = self.seat.run(text, limit)
        self.description = [(name,) for name in names]
        self._rows = rows[::-1]
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop() if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows[::-1], []
        return rows

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        return [self._rows.pop() for _ in range(min(size, len(self._rows)))]


@cache
def _client(files: tuple[Path, ...]) -> duckdb.DuckDBPyConnection:
    """The database in memory through which this process speaks to owners; one per process."""
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
    """An owner at an address.  Raises OwnerLost when it does not answer."""

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
        """Derived tables in SQL that hold these rows, all of them in order."""
        yield literal.sources(rows)

    def write(self, work: Callable[[Any], T], lock: WriteLock, attempt: Attempt) -> T:
        """Run `work(cursor)` in one transaction of the owner.

        Args:
            work: writes with the cursor; its result comes back.
            lock: held by this process; it records that a write is under way.
            attempt: the number of this write; says afterwards whether its COMMIT was sent.

        Raises:
            Conflict: it met another write.
            OwnerLost: the owner does not answer.
        """
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
        """The same owner at a new address.

        All its sessions end, and what they have not committed is undone.
        """
        with self.cursor() as cursor:
            address = owner.serve(cursor, self.address.pid, self.address.name)
        owner.write_address(store, address)
        fresh = Attached(address)
        with fresh.cursor() as cursor:
            owner.stop(cursor, but=address.uri)
        return fresh

    def close(self) -> None:
        """End this process's sessions in the owner."""
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
        """Whether the session is in order: a request that broke off leaves it unusable."""
        attach = f"ATTACH '{address.uri}' AS {name} (TYPE quack, TOKEN '{address.token}')"
        self._do(lambda: self._cursor.execute(attach), ANSWER)
        self.whole = True

    def run(self, sql: str, limit: int | None) -> tuple[list[str], list[tuple[Any, ...]]]:
        def ask() -> tuple[list[str], list[tuple[Any, ...]]]:
            self._cursor.execute(f"FROM quack_query_by_name('{self.name}', ?)", [sql])
            names = [column[0] for column in self._cursor.description or ()]
            if limit is None:
                return names, self._cursor.fetchall()
            return names, self._cursor.fetchmany(limit)

        self.whole = False
        try:
            answer = self._do(ask)
        except (duckdb.Error, Conflict):
            self.whole = True  # the session is there, and refused this statement
            raise
        self.whole = True
        return answer

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
        """End the session; wait a second at most, since an owner that hangs does not answer."""

        def detach() -> None:
            with suppress(Exception):
                self._cursor.execute(f"DETACH {self.name}")

        thread = threading.Thread(target=detach, daemon=True)
        thread.start()
        thread.join(1.0)


def _interruptible(ask: Callable[[], T], seconds: float | None) -> T:
    """Run `ask` so that Ctrl-C and a time limit can end the wait for DuckDB.

    Args:
        ask: run in a thread of its own where it would keep the main one, or has a limit.
        seconds: how long to wait; None waits for the answer.
    """
    if seconds is None and threading.current_thread() is not threading.main_thread():
        return ask()
    answers: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(ask())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise OwnerLost(f"no answer within {seconds:.0f} s")
    if errors:
        raise errors[0]
    return answers[0]
