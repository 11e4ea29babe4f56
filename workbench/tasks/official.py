"""Benchmarks in their official files: the part that all importers share.

An importer is a `Format`: which files a split has, and how one row becomes a task.  `Official`
reads them lazily, so that a question file of any size needs the memory of its largest row; ids of
earlier rows lie in a temporary file.  Pictures stay where they are.  A row that cannot become a
task is listed with file, line and the question's id.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePath

from workbench.errors import DatasetError
from workbench.ports import BadRow
from workbench.records import JSON, PartRef, Task
from workbench.tasks.fields import Row, describe
from workbench.tasks.json_stream import (
    JsonEntry,
    Meter,
    is_json_array,
    json_entries,
    json_lines,
)
from workbench.tasks.pictures import spellings
from workbench.tasks.rows import Bad

NO_PICTURES = 1000
"""Number of rows without a picture, and none with one, that means a wrong folder of pictures."""

LONGEST_ID = 200
"""Most characters of an official id."""

FOLDERS = (".", "questions", "data")
"""Folders under the root where question files may lie; some archives unpack into one."""

Files = Sequence[Sequence[Path]]
"""The files of a split: for each of its patterns, the files that match."""
Find = Callable[..., str]
"""`find(name, ...)` gives the first of these pictures that exists, as `Task.image`.

It raises ValueError when none does.
"""


def json_files(files: Files, meter: Meter) -> Iterator[tuple[Path, JsonEntry]]:
    """The entries of files that are one JSON array or object each."""
    for path in files[0]:
        for entry in json_entries(path, meter):
            yield path, entry


def jsonl_files(files: Files, meter: Meter) -> Iterator[tuple[Path, JsonEntry]]:
    """The lines of JSON Lines files; one that is a JSON array gives the array's entries."""
    for path in files[0]:
        read = json_entries if is_json_array(path) else json_lines
        for entry in read(path, meter):
            yield path, entry


@dataclass(frozen=True, slots=True)
class Format:
    """One benchmark's official files."""

    name: str
    splits: tuple[str, ...]
    """In the order in which they are read."""
    files: Callable[[str], tuple[str, ...]]
    """Names or patterns of all files that a split needs."""
    task: Callable[[str, str, Row, Find], Task]
    """`task(id, split, row, find)` gives one row as a task.

    It raises ValueError with what was found and what was expected.
    """
    read: Callable[[Files, Meter], Iterator[tuple[Path, JsonEntry]]] = json_files
    """The rows of a split, each with its file."""
    number: str = "question_id"
    """The field with the official id; in a JSON object the entry's key is the id."""
    suffix: str = ""
    """The end of the ids of tasks, where one question can become two tasks."""


class Official:
    """Tasks of one benchmark; a `TaskSource`.

    Args:
        form: the benchmark's files.
        root: the folder with the question files.
        images: the folder with the pictures; `root` and its `images/` when None.
        arguments: further ones that the part was built with.
    """

    bad: Sequence[BadRow]

    def __init__(
        self,
        form: Format,
        root: str | Path,
        images: str | Path | None,
        arguments: Mapping[str, JSON] | None = None,
    ) -> None:
        self.root = Path(root)
        self.splits = form.splits
        self._form = form
        self._pictures = [Path(), Path("images")] if images is None else [Path(images).absolute()]
        self._last: tuple[tuple[str, ...], str] = (), ""
        """The names of the last search for a picture, and its result."""
        settings = {
            "root": str(root),
            "images": None if images is None else str(images),
            **(arguments or {}),
        }
        self.ref = PartRef("source", form.name, "1", settings)
        self._bad: list[BadRow] = []
        self.bad = self._bad
        self._meter = Meter()

    def tasks(self, split: str | None = None) -> Iterator[Task]:
        """Tasks in the files' order, lazily; nothing for a split that the benchmark does not have.

        Raises:
            DatasetError: a file is missing or cannot be read at all, or no picture is where it is
                expected.
        """
        self._bad.clear()
        files_of = self._files_of([name for name in self.splits if split in (None, name)])
        paths = [path for files in files_of.values() for group in files for path in group]
        self._meter.read, self._meter.total = 0, sum(path.stat().st_size for path in paths)
        count = pictureless = 0
        # An unnamed database is a temporary file of its own, gone when it is closed.
        with closing(sqlite3.connect("", isolation_level=None)) as ids:
            ids.execute("PRAGMA journal_mode = OFF")
            ids.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID")
            for name, path, entry in self._entries(files_of):
                try:
                    task = self._task(name, path, entry, ids)
                except ValueError as error:
                    self._bad.append(Bad(str(path), entry.line, f"{self._named(entry)}: {error}"))
                    pictureless += isinstance(error, _NoPicture)
                    if pictureless == NO_PICTURES and not count:
                        raise DatasetError(
                            f"none of the first {pictureless} questions has its picture ({error}); "
                            "name the folder of pictures with --images"
                        ) from error
                    continue
                count += 1
                yield task

    def _entries(self, files_of: Mapping[str, Files]) -> Iterator[tuple[str, Path, JsonEntry]]:
        """The rows of all splits, each with its split and its file."""
        for split, files in files_of.items():
            for path, entry in self._form.read(files, self._meter):
                yield split, path, entry

    def image_path(self, task: Task) -> Path:
        """Where the task's picture lies on disk."""
        return self.root / task.image

    def progress(self) -> tuple[int, int]:
        """Bytes read of the question files, and their size."""
        return self._meter.read, self._meter.total

    def _files_of(self, splits: Sequence[str]) -> dict[str, Files]:
        """The files of those splits that have any; at least one of them must."""
        files_of = {split: files for split in splits if (files := self._files(split))}
        if splits and not files_of:
            needed = "; ".join(f"{name}: {' and '.join(self._form.files(name))}" for name in splits)
            raise DatasetError(
                f"{self.root} has no question file of {self._form.name}; expected {needed}"
            )
        return files_of

    def _files(self, split: str) -> Files:
        """The files of a split; empty when none is there."""
        patterns = self._form.files(split)
        files = [
            sorted(
                {
                    path
                    for folder in FOLDERS
                    for path in (self.root / folder).glob(pattern)
                    if path.is_file()
                }
            )
            for pattern in patterns
        ]
        lacking = [pattern for pattern, paths in zip(patterns, files, strict=True) if not paths]
        if lacking and len(lacking) < len(patterns):
            raise DatasetError(
                f"{self.root} has no {lacking[0]}, which the split {split} needs; put it there"
            )
        return [] if lacking else files

    def _task(self, split: str, path: Path, entry: JsonEntry, ids: sqlite3.Connection) -> Task:
        row = entry.value
        if isinstance(row, ValueError):
            raise row
        if not isinstance(row, dict):
            raise ValueError(f"the entry is {describe(row)}; expected an object")
        number = row.get(self._form.number) if entry.key is None else entry.key
        if (
            isinstance(number, bool)
            or not isinstance(number, str | int)
            or not 0 < len(str(number)) <= LONGEST_ID
        ):
            raise ValueError(
                f"the {self._form.number} is {describe(number)}; "
                "expected short text or a whole number"
            )
        name = f"{self._form.name}/{split}/{number}{self._form.suffix}"
        task = self._form.task(name, split, row, self._find)
        place = f"entry {entry.number} of {path.name}"
        if not ids.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", [name, place]).rowcount:
            (used,) = ids.execute("SELECT place FROM seen WHERE id = ?", [name]).fetchone()
            raise ValueError(
                f"the {self._form.number} is already used by {used}; expected each once"
            )
        return task

    def _named(self, entry: JsonEntry) -> str:
        number = entry.key
        if number is None and isinstance(entry.value, dict):
            number = entry.value.get(self._form.number)
        return f"entry {entry.number}" + (
            "" if number is None else f", {self._form.number} {number!r:.60}"
        )

    def _find(self, *names: str) -> str:
        # Questions about one picture mostly stand together.
        if names != self._last[0]:
            self._last = names, self._looked_up(names)
        return self._last[1]

    def _looked_up(self, names: tuple[str, ...]) -> str:
        for name in names:
            if "\0" in name or ".." in PurePath(name).parts or PurePath(name).is_absolute():
                raise ValueError(
                    f"the picture's name is {name!r:.120}; "
                    "expected a path inside the folder of pictures"
                )
        for folder in self._pictures:
            for spelled in (spelled for name in names for spelled in spellings(name)):
                if ".." in PurePath(spelled).parts:
                    continue
                try:
                    if (self.root / folder / spelled).is_file():
                        return str(folder / spelled)
                except OSError:
                    continue  # No file can have this name, so the picture is not there.
        places = " or ".join(str(self.root / folder) for folder in self._pictures)
        raise _NoPicture(f"no picture {names[0]:.120} in {places}; expected a file there")


class _NoPicture(ValueError):
    """A row's picture is not there."""
