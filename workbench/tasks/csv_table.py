"""Records of a CSV file, each with its line; a quote that was never closed costs its own row only.

A cell in quotes may hold line ends.  So one stray quote makes a reader take all rows down to the
next quote, or to the end of the file, for one cell.  Here such a record is given up: its first line
is a bad row, and reading goes on at the second.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.tasks.json_stream import LARGEST, Meter, raw_lines

MOST_LINES = 200
"""Most lines of a record; a quote that is open for longer was never closed."""

IsRow = Callable[[Sequence[str]], bool]
"""Whether cells are surely a row of their own, although a quoted cell seems to hold them."""


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One record of a table, or what is wrong with it."""

    line: int
    """1-based line on which it begins."""
    start: int
    """Byte at which it begins."""
    cells: list[str] | ValueError
    """Its cells; none for an empty line."""


class _Lines:
    """The lines of a file, some of which can be given back."""

    def __init__(self, path: Path, meter: Meter) -> None:
        self._raw = raw_lines(path, meter)
        self._back: deque[bytes] = deque()
        self.line = 1
        """Number of the next line."""
        self.start = 0
        """Byte at which it begins."""

    def take(self) -> bytes | None:
        raw = self._back.popleft() if self._back else next(self._raw, None)
        if raw is not None:
            self.line += 1
            self.start += len(raw)
        return raw

    def give_back(self, lines: Sequence[bytes]) -> None:
        self._back.extendleft(reversed(lines))
        self.line -= len(lines)
        self.start -= sum(map(len, lines))


def csv_records(
    path: Path, meter: Meter, delimiter: str = ",", is_row: IsRow = lambda cells: False
) -> Iterator[CsvRecord]:
    """The records of a table, the header first.

    Args:
        path: the file.
        meter: counts the bytes that are read.
        delimiter: what stands between cells.
        is_row: asked of each further line of a record that spans several.

    Raises:
        DatasetError: the file cannot be read, or is not a text.
    """
    # The usual limit of 131,072 characters would refuse a picture in base64.
    csv.field_size_limit(max(csv.field_size_limit(), LARGEST))
    lines = _Lines(path, meter)
    while True:
        line, start = lines.line, lines.start
        own_lines: list[bytes] = []
        try:
            cells = next(csv.reader(_texts(lines, own_lines), delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back(own_lines[1:])
            yield CsvRecord(line, start, ValueError(_fault(str(error), len(own_lines))))
            continue
        inside = _row_inside(own_lines, delimiter, is_row)
        if inside:
            lines.give_back(own_lines[1:])
            fault = (
                f"the row is not CSV (a quote in it swallows the row in line {line + inside}); "
                "close the quote or remove it"
            )
            yield CsvRecord(line, start, ValueError(fault))
            continue
        yield CsvRecord(line, start, cells)


def _texts(lines: _Lines, own_lines: list[bytes]) -> Iterator[str]:
    """The lines of one record as text; each one that is read is also put into `own_lines`."""
    while len(own_lines) < MOST_LINES:
        first = lines.start == 0
        raw = lines.take()
        if raw is None:
            return
        own_lines.append(raw)
        yield raw.decode("utf-8-sig" if first else "utf-8", "surrogateescape")


def _fault(error: str, lines: int) -> str:
    if lines > 1:
        return f"the row is not CSV (a quote opens in it and does not close: {error}); close it"
    return f"the row is not CSV ({error}); check its quotes"


def _row_inside(own_lines: Sequence[bytes], delimiter: str, is_row: IsRow) -> int:
    """The place of the first further line that is a row of its own; 0 where none is."""
    for at, raw in enumerate(own_lines[1:], start=1):
        text = raw.decode("utf-8", "surrogateescape")
        try:
            cells = next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:
            continue
        if is_row(cells):
            return at
    return 0
