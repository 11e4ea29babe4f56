"""Entries of large files, one at a time: JSON arrays and objects of any size, and JSON lines, in
bounded memory.

A JSON file is read through a window that grows to the largest entry, never to the file.  A stock
event parser (ijson) is as fast, but ends at the first NaN and cannot say on which line anything
stands; here an entry with a NaN is an entry like any other, for its reader to refuse, and every
entry has its line and its number.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from workbench.errors import DatasetError

CHUNK = 1 << 20
"""Bytes read at once."""
LARGEST = 32 << 20
"""Bytes of one line, characters of one JSON entry; a larger one is refused."""

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER_SO_FAR = re.compile(r"[-+.0-9eE]*\Z")
_JSON = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class JsonEntry:
    """One entry of a file, or what is wrong with it."""

    line: int
    """1-based line on which it begins."""
    number: int
    """1-based place among the file's entries."""
    key: str | None
    """Its name where the file is a JSON object; None in arrays and lines."""
    value: Any
    """Any JSON value; a ValueError where none could be read."""


@dataclass(slots=True)
class Meter:
    """How far files were read, for progress."""

    read: int = 0
    total: int = 0
    """Bytes."""


def json_lines(path: Path, meter: Meter) -> Iterator[JsonEntry]:
    """The lines of a JSON Lines file, blank ones left out.  Raises DatasetError when it cannot be
    read at all.
    """
    for line, raw in enumerate(raw_lines(path, meter), start=1):
        value: Any
        try:
            text = raw.decode("utf-8-sig" if line == 1 else "utf-8")
            if not text.strip():
                continue
            value = json.loads(text)
        except UnicodeDecodeError as error:
            value = ValueError(f"the line is not UTF-8 ({error.reason}); save the file as UTF-8")
        except (ValueError, RecursionError) as error:
            value = ValueError(f"the line is not JSON ({error}); expected one object a line")
        yield JsonEntry(line, line, None, value)


def raw_lines(path: Path, meter: Meter) -> Iterator[bytes]:
    """The lines of a file as bytes, ends included.  Raises DatasetError when it cannot be read, or
    is no text.
    """
    try:
        with path.open("rb") as file:
            while line := file.readline(LARGEST + 1):
                if len(line) > LARGEST:
                    raise DatasetError(
                        f"{path} has a line of more than {LARGEST >> 20} MB; expected a text file"
                    )
                meter.read += len(line)
                yield line
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error


def json_entries(path: Path, meter: Meter, under: str | None = None) -> Iterator[JsonEntry]:
    """The entries of the array or object that a JSON file is, or of the one under a key of its
    outer object.

    Where the file breaks off or stops being JSON, the last entry says so: the place of later ones
    is unknown.

    Raises:
        DatasetError: the file cannot be read, or has no entries where they are expected.
    """
    try:
        with path.open("rb") as file:
            yield from _entries(path, _Window(file, meter), under)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error


def _entries(path: Path, window: _Window, under: str | None) -> Iterator[JsonEntry]:
    what = "an array or object" if under is None else f'an object with an array under "{under}"'
    number = 0
    try:
        if under is not None:
            _seek(window, under)
        opened = window.take("[{")
        closing = "}" if opened == "{" else "]"
        while window.peek() != closing:
            if number:
                window.take(",")
            key = None
            if opened == "{":
                key = str(window.value())
                window.take(":")
            window.peek()  # over the space before the entry, so that the line is its own
            line = window.line
            value = window.value()
            number += 1
            yield JsonEntry(line, number, key, value)
    except _Broken as error:
        if not number:
            raise DatasetError(
                f"{path}:{window.line}: {error}; expected {what}: download or export it again"
            ) from error
        told = f"{error}; the file is of no use from here, after {number} entries: download or export it again"
        yield JsonEntry(window.line, number + 1, None, ValueError(told))


def _seek(window: _Window, under: str) -> None:
    """Go to the value under a key of the outer object."""
    window.take("{")
    while True:
        key = window.value()
        window.take(":")
        if key == under:
            return
        window.value()
        window.take(",")


class _Broken(Exception):
    """The text stops being JSON."""


class _Window:
    """A moving part of a file's text."""

    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(
            "surrogateescape"
        )  # refused where it is used
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = 1
        self._counted = 0

    @property
    def line(self) -> int:
        """The line of the next character."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """The next character that is not space; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None  # it matches nothing as well
            self._at = found.end()
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def take(self, expected: str) -> str:
        """Go over one of the characters expected."""
        found = self.peek()
        if not found:
            raise _Broken("the file ends too early")
        if found not in expected:
            raise _Broken(f"found {found!r} where {' or '.join(expected)} was expected")
        self._at += 1
        return found

    def value(self) -> Any:
        """Go over one value."""
        if not self.peek():
            raise _Broken("the file ends too early")
        while True:
            try:
                value, end = self._parsed()
            except json.JSONDecodeError as error:
                # An error well before the end of the window is not a matter of reading on.
                cut = (
                    error.msg.startswith("Unterminated string") or error.pos > len(self._text) - 16
                )
                if self._ended or not cut:
                    raise _Broken(
                        "the file ends too early" if cut else f"this is not JSON ({error.msg})"
                    ) from error
            except RecursionError as error:
                raise _Broken("values lie too deep in each other") from error
            else:
                if self._ended or not _NUMBER_SO_FAR.match(self._text, end):
                    self._at = end
                    return value
            if len(self._text) - self._at > LARGEST:
                raise _Broken(f"an entry has more than {LARGEST >> 20} million characters")
            self._fill()

    def _parsed(self) -> tuple[Any, int]:
        try:
            return _JSON.raw_decode(self._text, self._at)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a whole number of more digits than Python converts
            return json.JSONDecoder(parse_int=_whole).raw_decode(self._text, self._at)

    def _fill(self) -> None:
        """Read on; what was gone over leaves memory."""
        data = self._file.read(max(CHUNK, len(self._text) - self._at))
        self._meter.read += len(data)
        self._ended = not data
        _ = self.line  # counts what leaves
        self._text = self._text[self._at :] + self._decoder.decode(data, self._ended)
        self._at = self._counted = 0


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= 4300 else math.inf
