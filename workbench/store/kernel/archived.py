"""Events of traces that lie in Parquet files beside the store, put back into rows that are read.

A file is named by the digest of its content, which is checked before it is read; what names it in
the store is no path.  A row whose file is missing or was changed stays as it is stored: its events
then say so to whoever looks at them, and `vpd doctor` names the file.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.events import ARCHIVED

FOLDER = "archive"
"""Folder of the files, in the project."""

GROUP = 256
"""Traces of a row group, which is the least that is read of a file."""

_KEPT = 8
"""Row groups that are kept in memory: questions are looked at in order."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLACE = re.compile(rb"([0-9a-f]{64}) (\d{1,9})")


def place_of(events: object) -> tuple[str, int] | None:
    """The digest and the row that stand for archived events; None for events themselves."""
    if not isinstance(events, bytes | bytearray) or not events.startswith(ARCHIVED):
        return None
    match = _PLACE.fullmatch(bytes(events), len(ARCHIVED))
    return (match[1].decode(), int(match[2])) if match else None


def file_of(folder: Path, digest: str) -> Path | None:
    """The file of this digest; None where the name is none, or where there is no plain file."""
    path = folder / f"{digest}.parquet"
    if not _DIGEST.fullmatch(digest) or folder.is_symlink() or path.is_symlink():
        return None
    return path if path.is_file() else None


def is_whole(path: Path) -> bool:
    """Whether a file's content has the digest that it is named by."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == path.stem
    except OSError:
        return False


class ArchiveReader:
    """Reads archived events; from any thread.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._whole: dict[str, tuple[int, int, int]] = {}
        """Files that were checked, by digest, with what says that they are still the same."""
        self._groups: OrderedDict[tuple[str, int], tuple[list[str], list[bytes]]] = OrderedDict()

    def fill(self, rows: Sequence[dict[str, Any]]) -> None:
        """Put the events of archived traces into rows, where their files can be read."""
        for row in rows:
            if (place := place_of(row["events"])) is not None:
                events = self._events(*place, row.get("id"))
                row["events"] = row["events"] if events is None else events

    def _events(self, digest: str, at: int, trace: object) -> bytes | None:
        with self._lock:
            ids, events = self._group(digest, at // GROUP)
        place = at % GROUP
        if place >= len(ids) or trace not in (None, ids[place]):
            return None
        return events[place]

    def _group(self, digest: str, number: int) -> tuple[list[str], list[bytes]]:
        """Ids and events of a row group; none where it cannot be read."""
        path = file_of(self._folder, digest)
        if path is None or not self._is_whole(path):
            return [], []
        key = (digest, number)
        if key not in self._groups:
            self._groups[key] = _read(path, number)
            while len(self._groups) > _KEPT:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]

    def _is_whole(self, path: Path) -> bool:
        stat = path.stat()
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if self._whole.get(path.stem) != stamp:
            if not is_whole(path):
                return False
            self._whole[path.stem] = stamp
        return True


def _read(path: Path, number: int) -> tuple[list[str], list[bytes]]:
    # most commands read nothing archived, and would wait for it
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            if number >= file.num_row_groups:
                return [], []
            columns: Mapping[str, list[Any]] = file.read_row_group(number).to_pydict()
        return columns["id"], columns["events"]
    except (pa.ArrowException, OSError, KeyError):
        return [], []  # of its digest, and yet none of ours
