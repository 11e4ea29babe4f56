"""Entries of large JSON and JSON Lines files, one at a time in bounded memory.

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
from workbench.parsing import TOO_DEEP, TooDeep, check_depth

CHUNK = 1 << 20
"""Number of bytes that are read at once."""
LARGEST = 32 << 20
"""Most bytes of a line, and most characters of a JSON entry; larger ones are refused."""

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER_SO_FAR = re.compile(r"[-+.0-9eE]*\Z")
_JSON = json.JSONDecoder()
_MARK = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
"""A text, perhaps one that is not whole yet, or where a list or an object begins or ends."""


@dataclass(frozen=True, slots=True)
class JsonEntry:
    """One entry of a file, or what is wrong with it."""

    line: int
    """1-based line on which it begins."""
    number: int
    """1-based place among the file's entries."""
    key: str | None
    """The entry's name where the file is a JSON object; None in arrays and lines."""
    value: Any
    """The JSON value, or a ValueError where none can be read."""


@dataclass(slots=True)
class Meter:
    """How far files are read, for progress."""

    read: int = 0
    """Number of bytes that are read."""
    total: int = 0
    """Number of all bytes."""


def json_lines(path: Path, meter: Meter) -> Iterator[JsonEntry]:
    """The lines of a JSON Lines file, without blank ones.

    Raises:
        DatasetError: the file cannot be read at all.
    """
    for line, raw in enumerate(raw_lines(path, meter), start=1):
        value: Any
        try:
            text = raw.decode("utf-8-sig" if line == 1 else "utf-8")
            if not text.strip():
                continue
            value = json.loads(text)
            check_depth(value)
        except UnicodeDecodeError as error:
            value = ValueError(f"the line is not UTF-8 ({error.reason}); save the file as UTF-8")
        except (TooDeep, RecursionError):
            value = ValueError(TOO_DEEP)
        except ValueError as error:
            value = ValueError(f"the line is not JSON ({error}); expected one object a line")
        yield JsonEntry(line, line, None, value)


def is_json_array(path: Path) -> bool:
    """Whether a file of JSON Lines is one JSON array instead.

    Raises:
        DatasetError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4096).removeprefix(codecs.BOM_UTF8).lstrip()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    # A line that is a list of something else is a bad row of JSON Lines.
    return start[:1] == b"[" and start[1:].lstrip()[:1] in (b"", b"{", b"]")


def raw_lines(path: Path, meter: Meter) -> Iterator[bytes]:
    """The lines of a file as bytes, ends included.

    Raises:
        DatasetError: the file cannot be read, or is not a text.
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
    """The entries of the array or object in a JSON file.

    Where the file breaks off or stops being JSON, the last entry says so: the place of later ones
    is unknown.

    Args:
        path: the file.
        meter: counts the bytes that are read.
        under: key of the file's outer object that the array or object stands under; None where the
            file is the array or object itself.

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
            window.peek()  # Skips the space before the entry, so that the line is its own.
            line = window.line
            value = window.value()
            number += 1
            yield JsonEntry(line, number, key, value)
    except _Broken as error:
        if not number:
            raise DatasetError(
                f"{path}:{window.line}: {error}; expected {what}: download or export it again"
            ) from error
        message = (
            f"{error}; the file is of no use from here, after {number} entries: "
            "download or export it again"
        )
        yield JsonEntry(window.line, number + 1, None, ValueError(message))


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
        # Escaped bytes are refused by the readers of single fields.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
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
            space = _SPACE.match(self._text, self._at)
            assert space is not None  # The pattern also matches no space.
            self._at = space.end()
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def take(self, expected: str) -> str:
        """Pass one of the expected characters and give it."""
        mark = self.peek()
        if not mark:
            raise _Broken("the file ends too early")
        if mark not in expected:
            raise _Broken(f"found {mark!r} where {' or '.join(expected)} was expected")
        self._at += 1
        return mark

    def value(self) -> Any:
        """Pass one value and give it; a ValueError where it is nested too deep."""
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
            except RecursionError:
                if self._pass_deep():
                    return ValueError(TOO_DEEP)
            else:
                if self._ended or not _NUMBER_SO_FAR.match(self._text, end):
                    self._at = end
                    return _flat(value)
            if len(self._text) - self._at > LARGEST:
                raise _Broken(f"an entry has more than {LARGEST >> 20} million characters")
            self._fill()

    def _pass_deep(self) -> bool:
        """Pass a value that no parser can take; False where its end lies behind the window."""
        depth = 0
        for match in _MARK.finditer(self._text, self._at):
            if match[0] in "[{":
                depth += 1
            elif match[0] in "]}":
                depth -= 1
                if not depth:
                    self._at = match.end()
                    return True
        if self._ended:
            raise _Broken("the file ends too early")
        return False

    def _parsed(self) -> tuple[Any, int]:
        try:
            return _JSON.raw_decode(self._text, self._at)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a whole number of more digits than Python converts
            return json.JSONDecoder(parse_int=_whole).raw_decode(self._text, self._at)

    def _fill(self) -> None:
        """Read on, and drop the text that was passed."""
        data = self._file.read(max(CHUNK, len(self._text) - self._at))
        self._meter.read += len(data)
        self._ended = not data
        _ = self.line  # Counts the lines of the text that is dropped.
        self._text = self._text[self._at :] + self._decoder.decode(data, self._ended)
        self._at = self._counted = 0


def _flat(value: Any) -> Any:
    """The value, or a ValueError where it is nested too deep."""
    try:
        check_depth(value)
    except TooDeep as error:
        return error
    return value


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= 4300 else math.inf
