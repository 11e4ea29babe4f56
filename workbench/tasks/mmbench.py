"""MMBench: multiple choice asked in every rotation of its options (Liu et al., ECCV 2024).

    mmbench_dev_*.tsv, mmbench_test_*.tsv
    index, question, hint, A, B, C, D, answer (dev only), category, image, l2-category

The question of a task holds the hint and the options with their letters, as the benchmark's own
prompts do.

Tab-separated with quotes.  `image` is a picture in base64, or in a rotated copy the index of the
row that has it; a copy's index is its base row's plus a multiple of a million.  Empty cells are
written as nothing or `nan`.  Pictures are decoded when they are taken into a project; until then
only their places in the file are remembered.
"""

from __future__ import annotations

import binascii
import csv
import glob
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from workbench.errors import DatasetError, ImageError
from workbench.records import Task
from workbench.tasks.csv_table import csv_records
from workbench.tasks.fields import Row, text, whole
from workbench.tasks.json_stream import JsonEntry, Meter
from workbench.tasks.official import Files, Find, Format, Official

SPLITS = ("dev", "test")
ROUND = 1_000_000
"""Distance between the indices of a question's rotations."""
LETTERS = "ABCD"
NEEDED = ("index", "question", "A", "B", "category", "image")
"""Columns that every table must have."""


class MMBench:
    """The source of MMBench's questions, with the splits dev and test.

    Args:
        root: the folder with the tables.
        file: the one table to read, where the folder has several; dev or test must be part of its
            name.
    """

    def __init__(self, root: str | Path, file: str | None = None) -> None:
        splits = (
            SPLITS if file is None else tuple(split for split in SPLITS if split in file.lower())
        )
        if not splits or Path(file or "").name != (file or ""):
            raise DatasetError(
                f"the file {file!r} is not a name with dev or test in it; "
                "name a table in the folder"
            )
        patterns = {"dev": "*[dD][eE][vV]*.tsv", "test": "*[tT][eE][sS][tT]*.tsv"}
        self._places: dict[str, tuple[int, int]] = {}
        """By `Task.image`, the byte at which the picture's row begins in its file, and its cell."""
        read = partial(_rows, self._places)
        form = Format(
            "mmbench",
            splits,
            lambda split: (glob.escape(file) if file else patterns[split],),
            _task,
            read,
            "index",
        )
        self._official = Official(form, root, None, {"file": file})
        self.root, self.splits = self._official.root, self._official.splits
        self.ref, self.bad = self._official.ref, self._official.bad
        self.tasks, self.progress = self._official.tasks, self._official.progress

    def image_path(self, task: Task) -> Path:
        """A name for the picture: the table, and the index of the row with the picture."""
        return Path(task.image)

    def image_bytes(self, task: Task) -> bytes:
        """The picture's file, out of the table.

        Raises:
            ImageError: there is no such picture, or its base64 cannot be decoded.
        """
        path = self.image_path(task)
        try:
            start, cell = self._places[task.image]
            with path.parent.open("rb") as file:
                file.seek(start)
                row = next(
                    csv.reader((line.decode("utf-8", "replace") for line in file), delimiter="\t")
                )
            return binascii.a2b_base64(row[cell], strict_mode=True)
        except (KeyError, IndexError, OSError, StopIteration, ValueError, csv.Error) as error:
            raise ImageError(
                f"the picture of index {path.name} in {path.parent} cannot be decoded ({error}); "
                "expected base64"
            ) from error


def _rows(
    places: dict[str, tuple[int, int]], files: Files, meter: Meter
) -> Iterator[tuple[Path, JsonEntry]]:
    """The rows of a table, each with `picture`: the name of its picture, None where it has none."""
    if len(files[0]) > 1:
        names = ", ".join(path.name for path in files[0])
        raise DatasetError(
            f"{files[0][0].parent} has several tables of one split: {names}; "
            "name one with --set file=NAME"
        )
    path = files[0][0]
    header: list[str] = []

    def is_row(cells: Sequence[str]) -> bool:
        return len(cells) == len(header) and cells[header.index("index")].isdecimal()

    for number, record in enumerate(csv_records(path, meter, "\t", is_row)):
        if not header:
            header += _header(path, record.cells)
            continue
        cells = record.cells
        value: Row | ValueError
        if isinstance(cells, ValueError):
            value = cells
        elif len(cells) == len(header):
            value = _row(places, path, record.start, header, cells)
        else:
            value = ValueError(
                f"the row has {len(cells)} cells; expected {len(header)}, as the header has"
            )
        yield path, JsonEntry(record.line, number, None, value)
    if not header:
        _header(path, [])


def _header(path: Path, cells: list[str] | ValueError) -> list[str]:
    """The columns of a table.

    Raises:
        DatasetError: the first line is not one of columns, or a needed column is missing.
    """
    if isinstance(cells, ValueError):
        raise DatasetError(
            f"{path}:1 is not tab-separated ({cells}); expected the columns {', '.join(NEEDED)}"
        )
    header = cells
    if lacking := [name for name in NEEDED if name not in header]:
        raise DatasetError(
            f"{path}:1 lacks the column {lacking[0]}; expected {', '.join(NEEDED)} among them"
        )
    return header


def _row(
    places: dict[str, tuple[int, int]],
    path: Path,
    start: int,
    header: Sequence[str],
    cells: Sequence[str],
) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: cell
        for name, cell in zip(header, cells, strict=True)
        if cell.lower() not in ("", "nan")
    }
    if row.get("index", "").isdecimal() and len(row["index"]) < 18:
        row["index"] = int(row["index"])
    image = row.pop("image", "")
    owner = f"{path}/{image if image.isdecimal() else row.get('index')}"
    if image and not image.isdecimal():
        places[owner] = start, header.index("image")
    return {**row, "picture": owner if owner in places else None}


def _question_text(row: Row, options: dict[str, str]) -> str:
    """The question as everybody is asked it: hint, question, and options with their letters.

    So do VLMEvalKit's prompts, whose rules read the answer: a letter can only be answered where
    letters were shown.
    """
    hint = [f"Hint: {text(row, 'hint')}"] if "hint" in row else []
    lettered = [f"{letter}. {option}" for letter, option in options.items()]
    return "\n".join((*hint, text(row, "question"), *lettered))


def _task(name: str, split: str, row: Row, _: Find) -> Task:
    index = whole(row, "index")
    letters = "".join(letter for letter in LETTERS if letter in row)
    options = tuple(text(row, letter) for letter in letters)
    if len(options) < 2:
        raise ValueError(f"the options are {list(options)!r:.200}; expected two to four")
    answer = text(row, "answer") if "answer" in row or split == "dev" else None
    if answer is not None and (len(answer) != 1 or answer not in letters):
        raise ValueError(
            f"the answer is {answer!r:.60}; expected one of the letters {', '.join(letters)}"
        )
    if row["picture"] is None:
        raise ValueError(
            "the image is missing, or is the index of a row that has none above this one; "
            "expected base64"
        )
    return Task(
        id=name,
        source="mmbench",
        split=split,
        image=row["picture"],
        question=_question_text(row, dict(zip(letters, options, strict=True))),
        answers=() if answer is None else (options[letters.index(answer)],),
        answer_type="choice",
        choices=options,
        family=text(row, "category"),
        meta={
            "question_id": index,
            "index": index,
            "base": index % ROUND,
            "letters": letters,
            "answer": answer,
            "l2_category": text(row, "l2-category") if "l2-category" in row else "",
            "hint": text(row, "hint") if "hint" in row else "",
            "question": text(row, "question"),
        },
    )
