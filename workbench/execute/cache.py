"""Results of tools by content, on disk, so that no call is made twice.

The cache is one SQLite file with a write-ahead log, safe for several processes.  A key holds tool,
version, arguments and picture digest (`ToolCall.key`).  An entry that cannot be read back is
computed again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import OrderedDict
from pathlib import Path
from threading import Lock, local
from typing import Any

from workbench.boxes import Box
from workbench.errors import InputError
from workbench.made_pictures import MadeRegion, PicturePart
from workbench.records import Region, Value

_MISSING = object()
_Fields = tuple[str, int, int, Box, str | None, float | None]
"""The fields of a region."""


class ResultCache:
    """A cache in memory, and on disk when a path is given.  Safe for several threads and processes.

    Args:
        path: The SQLite file, which is made if it is absent; None keeps results in memory only.
        keep: Number of results that are kept in memory.

    Raises:
        InputError: the path cannot be opened as a cache.
    """

    def __init__(self, path: Path | None = None, keep: int = 20_000) -> None:
        self.path = path
        self._keep = keep
        self._memory: OrderedDict[str, Value] = OrderedDict()
        self._lock = Lock()
        self._local = local()
        self._connections: list[sqlite3.Connection] = []
        self.broken = 0
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._open()
            except (OSError, sqlite3.Error) as error:
                raise InputError(
                    f"{path} cannot be used as a cache of results ({error}); move it away"
                ) from error

    def _open(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            assert self.path is not None
            connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS results "
                "(key TEXT PRIMARY KEY, tool TEXT, value BLOB, sum TEXT) WITHOUT ROWID"
            )
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def get(self, key: str) -> tuple[bool, Value]:
        """`(True, result)`, or `(False, None)` where the cache has none."""
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                return True, self._memory[key]
        if self.path is not None:
            value = self._read(key)
            if value is not _MISSING:
                self._remember(key, value)
                return True, value
        return False, None

    def _read(self, key: str) -> Any:
        try:
            row = (
                self._open()
                .execute("SELECT value, sum FROM results WHERE key = ?", (key,))
                .fetchone()
            )
        except sqlite3.Error:
            return _MISSING
        if row is None:
            return _MISSING
        try:
            if hashlib.sha256(row[0]).hexdigest()[:16] != row[1]:
                raise ValueError("checksum")
            return _decode(json.loads(row[0]))
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            self.broken += 1
            return _MISSING

    def put(self, tool: str, items: list[tuple[str, Value]]) -> None:
        """Keep results of a tool, by key, in one transaction.

        Failing to write to disk is not an error: the results are computed again.
        """
        for key, value in items:
            self._remember(key, value)
        if self.path is None or not items:
            return
        rows = []
        for key, value in items:
            data = json.dumps(_encode(value), ensure_ascii=False, separators=(",", ":")).encode()
            rows.append((key, tool, data, hashlib.sha256(data).hexdigest()[:16]))
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except sqlite3.Error:
            self.broken += 1

    def _remember(self, key: str, value: Value) -> None:
        with self._lock:
            self._memory[key] = value
            while len(self._memory) > self._keep:
                self._memory.popitem(last=False)

    def clear(self) -> None:
        """Forget the results in memory; those on disk stay."""
        with self._lock:
            self._memory.clear()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = local()


def _encode(value: Any) -> Any:
    if isinstance(value, Region):
        box = list(value.box.as_tuple())
        row = [value.image, value.width, value.height, box, value.label, value.score]
        if not isinstance(value, MadeRegion):
            return {"r": row}
        return {"m": [*row, [_piece_row(piece) for piece in value.pieces]]}
    if isinstance(value, dict):
        return {"d": [[k, _encode(v)] for k, v in value.items()]}
    if isinstance(value, tuple):
        return {"t": [_encode(v) for v in value]}
    if isinstance(value, list):
        return [_encode(v) for v in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(v) for v in value]
    if isinstance(value, dict):
        ((tag, inner),) = value.items()
        if tag == "r":
            return Region(*_fields(*inner))
        if tag == "m":
            pieces = tuple(_piece(*row) for row in inner[6])
            return MadeRegion(*_fields(*inner[:6]), pieces)
        if tag == "d":
            return {k: _decode(v) for k, v in inner}
        if tag == "t":
            return tuple(_decode(v) for v in inner)
        raise ValueError(tag)
    return value


def _fields(image: Any, width: Any, height: Any, box: Any, label: Any, score: Any) -> _Fields:
    """The fields of a region that was read back; raises ValueError for what is none."""
    numbers = [width, height, *box, *(() if score is None else (score,))]
    if type(image) is not str or any(type(n) not in (int, float) for n in numbers):
        raise ValueError("a region")
    return image, width, height, Box(*box), label, score


def _piece_row(piece: PicturePart) -> list[Any]:
    shown_part = [piece.image, piece.width, piece.height, list(piece.area.as_tuple())]
    return [list(piece.box.as_tuple()), *shown_part, list(piece.back)]


def _piece(box: Any, image: Any, width: Any, height: Any, area: Any, back: Any) -> PicturePart:
    numbers = [*box, width, height, *area, *back]
    if type(image) is not str or any(type(n) not in (int, float) for n in numbers):
        raise ValueError("a piece")
    a, b, c, d, e, f = back
    return PicturePart(Box(*box), image, width, height, Box(*area), (a, b, c, d, e, f))
