"""What this process has of a store: the file itself, or an attachment to the process that has it.

The first to open a store owns it; the others attach.  When the owner ends, whoever misses it first
opens the file, and the rest attach to that one; a call in flight is tried again.
"""

from __future__ import annotations

import atexit
import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from workbench.errors import StoreError, StoreReadOnly
from workbench.local_files import real_path
from workbench.store.kernel import migrate, owner
from workbench.store.kernel.attached import Attached, OwnerLost
from workbench.store.kernel.local import (
    WRITES,
    Attempt,
    Conflict,
    FileInUse,
    Local,
    holder,
    unreadable,
    wait_a_little,
)
from workbench.store.kernel.locks import FileLock, WriteLock

T = TypeVar("T")

HANDOVER = 60.0
"""Seconds that a call waits for an owner.

After an owner was killed its log is read back, which takes a while when it is long.
"""

TRIES = 8
"""How often a write that met another one is tried."""


def _unwritable(path: Path, error: OSError) -> StoreError:
    """The error for a store beside which no lock can be made."""
    reason = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreReadOnly(
            f"{path} cannot be written ({reason}): the project is read-only here, and nothing is "
            "wrong with it; vpd show, vpd status and vpd sql read it; to work on it, make its "
            "folder writable or copy it"
        )
    return StoreError(unreadable(path, reason))


class Link:
    """One process's way to a store, shared by every `Database` on that file.

    Raises what `Database` says.
    """

    def __init__(self, path: Path, steps: Sequence[migrate.Migration]) -> None:
        self.path = path
        self.users = 0
        self.write_lock = WriteLock(owner.beside(path, "write"), owner.beside(path, "turn"))
        self._steps = steps
        self._lock = FileLock(owner.beside(path, "lock"))
        self._changing = threading.RLock()
        self._way: Local | Attached | None = None
        self._process = os.getpid()

    def open(self, wait: float, upgrade: bool, only_read: bool) -> None:
        """Find the way to the store, as its owner or attached to it.

        Args:
            wait: seconds to wait at most.
            upgrade: bring an older store up to date.
            only_read: read without owning where the folder cannot be written.
        """
        with self._changing:
            if self._way is None:
                self._way = self._find(wait, upgrade, only_read)

    @property
    def owns(self) -> bool:
        """Whether this process has the file itself."""
        return isinstance(self._way, Local)

    def _find(self, wait: float, upgrade: bool, only_read: bool) -> Local | Attached:
        deadline = time.monotonic() + wait
        while True:
            late = time.monotonic() >= deadline
            try:
                free = self._lock.acquire()
            except OSError as error:
                if only_read:
                    return self._only_read()
                raise _unwritable(self.path, error) from error
            way = self._own(late, upgrade, only_read) if free else self._attach(late)
            if way is not None:
                return way
            time.sleep(0.02)

    def _own(self, late: bool, upgrade: bool, only_read: bool) -> Local | None:
        """The file itself, whose lock this process holds; None while another program has it."""
        try:
            return Local(self.path, self._steps, self._lock, upgrade)
        except FileInUse as error:
            self._lock.release()
            if late:
                raise StoreError(_in_use(self.path, holder(str(error)))) from error
            return None
        except (OSError, duckdb.IOException):
            self._lock.release()
            if only_read:  # on a full disk what is there can still be read
                return self._only_read()
            raise
        except BaseException:
            self._lock.release()
            raise

    def _attach(self, late: bool) -> Attached | None:
        address = owner.read_address(self.path)
        reason = "it does not say where it serves"
        if address is not None and not owner.binaries():
            reason = f"to work on it at the same time: pip install {owner.WHEELS}"
        elif address is not None and address.uri is not None:
            try:
                attached = Attached(address)
                with attached.cursor() as cursor:
                    migrate.check(migrate.version(cursor), self._steps, self.path)
                    if migrate.version(cursor) != len(self._steps):
                        raise StoreError(
                            f"{self.path} is in use by process {address.pid} ({address.name}) "
                            f"of an older workbench ({address.version}); stop it and try again"
                        )
                return attached
            except OwnerLost as error:
                reason = f"it does not answer: {error}"
        if not late:
            return None
        who = (
            f"process {address.pid} ({address.name})" if address is not None else "another process"
        )
        raise StoreError(f"{_in_use(self.path, who)} ({reason})")

    def _only_read(self) -> Local:
        try:
            return Local(self.path, self._steps, None, False)
        except FileInUse as error:
            raise StoreError(_in_use(self.path, holder(str(error)))) from error

    def _here(self) -> Local | Attached:
        if self._process != os.getpid():
            raise StoreError(
                f"{self.path} was opened before this process was forked; open it again here"
            )
        with self._changing:
            if self.users == 0:
                raise StoreError(f"{self.path} was closed; open it again")
            if self._way is None:
                self._way = self._find(HANDOVER, True, False)
            return self._way

    def leave(self, way: Local | Attached, instead: Local | Attached | None = None) -> None:
        """Give up a way that leads nowhere any more; the next call finds another.

        Args:
            way: ignored where this process has given it up already.
            instead: the way to take from now on; None finds one at the next call.
        """
        with self._changing:
            if self._way is not way:
                return
            self._way = instead
            if instead is not way:
                with suppress(Exception):
                    way.close()

    def read(self, ask: Callable[[Any], T]) -> T:
        """The result of `ask(cursor)`, which is called again when the owner ended meanwhile."""
        deadline = time.monotonic() + HANDOVER
        while True:
            way = self._here()
            try:
                with way.cursor() as cursor:
                    return ask(cursor)
            except duckdb.FatalException:
                # DuckDB closes a database whose file it could not write; the next call opens it.
                self.leave(way)
                raise
            except OwnerLost as error:
                self.leave(way)
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"the process that holds {self.path} does not answer ({error})"
                    ) from error

    def write(self, work: Callable[[Any, Local | Attached], T]) -> T:
        """The result of `work(cursor, way)`, in one transaction.

        It is tried again when it met another write, or when the owner ended.  A write that was
        sent to an owner has a number, written in the same transaction.  When the answer to its
        COMMIT is lost, the number says whether it was done: a write is never lost or done twice.
        """
        attempt = Attempt()
        tries = 0
        deadline = time.monotonic() + HANDOVER
        with self.write_lock:
            while True:
                way = self._here()
                try:
                    if self.write_lock.unfinished:
                        self.leave(way, way.cleared(self.path))
                        self.write_lock.end()
                        continue
                    if attempt.sent and self._done(way, attempt):
                        result: T = attempt.result
                        return result
                    return way.write(
                        lambda cursor, way=way: work(cursor, way),  # type: ignore[misc]
                        self.write_lock,
                        attempt,
                    )
                except duckdb.FatalException:
                    self.leave(way)
                    raise
                except OwnerLost as error:
                    self.leave(way)
                    if time.monotonic() > deadline:
                        raise StoreError(
                            f"the process that holds {self.path} does not answer ({error})"
                        ) from error
                except Conflict as error:
                    tries += 1
                    if tries == TRIES:
                        raise StoreError(
                            f"{self.path} cannot be written ({error}): other writes came first "
                            f"{TRIES} times; nothing committed is lost, run the command again"
                        ) from error
                    wait_a_little(tries)

    def _done(self, way: Local | Attached, attempt: Attempt) -> bool:
        with way.cursor() as cursor:
            rows = cursor.execute(
                f"SELECT 1 FROM {WRITES} WHERE id = ?", [attempt.number]
            ).fetchone()
        return rows is not None

    def close(self) -> None:
        with self._changing:
            if self._way is not None and self._process == os.getpid():
                self._way.close()
            self._way = None


def _in_use(path: Path, who: str) -> str:
    return f"{path} is in use by {who}: wait until it ends or stop it, then try again"


_links: dict[Path, Link] = {}
_guard = threading.Lock()


def take(
    path: Path, steps: Sequence[migrate.Migration], wait: float, upgrade: bool, only_read: bool
) -> Link:
    """This process's link to a store, opened; give it back with `give`.

    Args:
        path: the store's file.
        steps: the migrations that this workbench knows.
        wait: seconds to wait at most.
        upgrade: bring an older store up to date.
        only_read: read without owning where the folder cannot be written.
    """
    key = real_path(path)
    with _guard:
        link = _links.setdefault(key, Link(path, steps))
        link.users += 1
    try:
        link.open(wait, upgrade, only_read)
    except BaseException:
        give(link)
        raise
    return link


def give(link: Link) -> None:
    """Give a link back; the last to do so closes it."""
    with _guard:
        link.users -= 1
        if link.users == 0:
            _links.pop(real_path(link.path), None)
            link.close()


def _forked() -> None:
    """Forget, in a forked process, what its parent opened; it must not keep the parent's locks."""
    for link in _links.values():
        link._lock.release()
    _links.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


@atexit.register
def _close_all() -> None:
    """Hand over what was left open: a server that is cut off in a request keeps others waiting."""
    for link in list(_links.values()):
        with suppress(Exception):
            link.close()
