"""Locks between processes, on files beside the store.

The system lets go of them when a process ends, in whatever way.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from workbench.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

PATIENCE = 60.0
"""Seconds to wait for another process to finish its write."""


class FileLock:
    """One process's hold on a file.  The file stays; what counts is the lock on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take it if it is free.  Raises OSError when the file cannot be written."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            os.close(handle)
            if isinstance(error, BlockingIOError | PermissionError):
                return False
            raise
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go; nothing happens when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def read(self) -> str:
        """The word that the last holder left."""
        assert self._handle is not None
        os.lseek(self._handle, 1, os.SEEK_SET)
        return os.read(self._handle, 64).decode()

    def write(self, text: str) -> None:
        """Leave a word for the next holder, behind the first byte, which Windows locks."""
        assert self._handle is not None
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 1, os.SEEK_SET)
        os.write(self._handle, text.encode())


class WriteLock:
    """Held by every write, across threads and processes; the same thread may take it again.

    Hold it around a read that a write depends on.  While a write of an attached process is under
    way its number stands in the file: whoever finds it there knows that a process ended in the
    middle (see `unfinished`).

    Args:
        path: the lock's file.
        turn: a second lock, held by the process that is next; without it a process that writes
            without a pause would take the lock again before any other has seen it free.
    """

    def __init__(self, path: Path, turn: Path) -> None:
        self._thread = threading.RLock()
        self._file = FileLock(path)
        self._turn = FileLock(turn)
        self._depth = 0
        self._thread_id = 0

    @property
    def mine(self) -> bool:
        """Whether this thread holds it."""
        return self._depth > 0 and self._thread_id == threading.get_ident()

    def __enter__(self) -> WriteLock:
        self._thread.acquire()
        try:
            if self._depth == 0:
                self._wait()
                self._thread_id = threading.get_ident()
            self._depth += 1
        except BaseException:
            self._thread.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._file.release()
        self._thread.release()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        try:
            _poll(self._turn, 0.005, deadline)
            try:
                _poll(self._file, 0.0005, deadline)
            finally:
                self._turn.release()
        except OSError as error:
            raise StoreError(
                f"{self._file.path} cannot be written ({error.strerror}); nothing committed is "
                "lost: look for a full disk or a read-only folder, then run the command again"
            ) from error

    @property
    def unfinished(self) -> bool:
        """Whether a process ended, or lost the owner, within a write; ask only while it is held."""
        return self._file.read() != ""

    def begin(self) -> None:
        """Note that a write through the owner is under way."""
        self._file.write(str(os.getpid()))

    def end(self) -> None:
        """Note that the write ended, or that what is left of it was cleared away."""
        self._file.write("")


def _poll(lock: FileLock, pause: float, deadline: float) -> None:
    # Not a lock call that blocks: Ctrl-C and the deadline are to end the wait.
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise StoreError(
                f"another process has been writing to {lock.path.parent} for {PATIENCE:.0f} s; "
                "look for one that hangs, stop it and try again"
            )
        time.sleep(pause)
