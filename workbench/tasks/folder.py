"""A folder of one's own: pictures and a table of questions, the first thing that a user brings.

    my-folder/
        images/cat.jpg, ...
        questions.jsonl        or questions.csv, UTF-8

Columns (JSON Lines: keys):

    image      path relative to the folder or to its `images/`
    images     instead of `image`, for a question about several pictures: their paths in order, a
               JSON list, in CSV separated by `|`; 16 at most
    question   required; taken as it is, HTML and all
    id         optional; unique; otherwise made of pictures, question and choices, so that a row
               keeps its id wherever it stands in the table
    answer     optional; one answer: text, a number, or true and false for yes and no
    answers    optional; several: a JSON list, in CSV separated by `|`
    choices    optional; two or more options, written like `answers`; an answer must be one of them
    split      optional; `mine` where absent
    anything else goes to `Task.meta` as it is

In CSV, cells are separated by commas, semicolons or tabs; `TRUE` and `FALSE` (spreadsheets) are yes
and no as answers, and `2.0` (pandas) is 2.  A picture may be a symbolic link to anywhere.

A row that cannot become a task, or that stands in the table already, is listed in `bad` with file,
line and reason; all others are imported.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import DatasetError, ImageError
from workbench.images import decode
from workbench.parsing import TOO_DEEP, TooDeep, check_depth
from workbench.ports import BadRow
from workbench.records import PartRef, Task, content_key
from workbench.tasks.columns import KNOWN, TableColumns, likely_column
from workbench.tasks.csv_table import csv_records
from workbench.tasks.fields import Row, answer_type, describe, text_or_number
from workbench.tasks.json_stream import Meter, raw_lines
from workbench.tasks.pictures import named_pictures, plain_name, spellings
from workbench.tasks.rows import Bad

FILES = ("questions.jsonl", "questions.csv")
SPLIT = "mine"
DELIMITERS = (",", ";", "\t")
UNNAMED = "q-"
"""The beginning of the ids of rows that have none, behind the source's name."""


class Folder:
    """Tasks of a folder of one's own.

    Args:
        root: the folder.
        questions: name of the table in it; by default `questions.jsonl` or `questions.csv`,
            whichever is there.
        name: source name and prefix of the ids; the folder's own name when None.
        images: the folder that the pictures' paths are relative to; `root` when None.
    """

    bad: Sequence[BadRow]

    def __init__(
        self,
        root: str | Path,
        questions: str | None = None,
        name: str | None = None,
        images: str | Path | None = None,
    ) -> None:
        self.root = Path(root)
        self.name = name or Path(os.path.realpath(root)).name
        self._questions = questions
        self._images = self.root if images is None else Path(images).absolute()
        arguments = {"root": str(root), "questions": questions, "name": name}
        self.ref = PartRef(
            "source",
            "folder",
            "2",
            arguments if images is None else {**arguments, "images": str(images)},
        )
        self._meter = Meter()
        self._bad: list[BadRow] = []
        self.bad = self._bad

    def tasks(self, split: str | None = None) -> Iterator[Task]:
        """Tasks in the file's order, lazily; each picture is decoded once to see that it can be.

        Raises:
            DatasetError: the folder or its table is missing or cannot be read, or there are two
                tables.
        """
        self._bad.clear()
        path = self._table()
        earlier: dict[str, tuple[int, Task]] = {}
        pictures: dict[Path, str | None] = {}
        for line, row in self._rows(path):
            try:
                if isinstance(row, ValueError):
                    raise row
                task = self._task(row, pictures)
                if task.id in earlier:
                    raise ValueError(_twin(task, row.get("id"), *earlier[task.id]))
            except ValueError as error:
                self._bad.append(Bad(str(path), line, str(error)))
                continue
            earlier[task.id] = line, task
            if split is None or task.split == split:
                yield task

    def columns(self, split: str | None = None) -> TableColumns:
        """What the table's columns hold; no picture is decoded.

        Raises:
            DatasetError: as `tasks` raises it.
        """
        path = self._table()
        columns = TableColumns(path.name)
        for _, row in self._rows(path):
            if isinstance(row, ValueError) or split not in (None, row.get("split") or SPLIT):
                continue
            names = [name for name, value in row.items() if value not in (None, "", [])]
            columns.add(
                names,
                answered="answer" in names or "answers" in names,
                choices="choices" in names,
                pictured=self._are_there(row),
            )
        return columns

    def _rows(self, path: Path) -> Iterator[tuple[int, Row | ValueError]]:
        """The rows of the table, each with its line, or what is wrong with them."""
        self._meter.read, self._meter.total = 0, path.stat().st_size
        if path.suffix.lower() == ".csv":
            return _csv_rows(path, self._meter, self._are_there)
        return _json_rows(path, self._meter)

    def image_path(self, task: Task) -> Path:
        """Where the task's picture lies on disk."""
        return self._images / task.image

    def progress(self) -> tuple[int, int]:
        """Bytes read of the table, and its size."""
        return self._meter.read, self._meter.total

    def _table(self) -> Path:
        if not self.root.is_dir():
            raise DatasetError(
                f"{self.root} is not a folder; expected one with images/ and {' or '.join(FILES)}"
            )
        if self._questions is not None:
            path = self.root / self._questions
            if path.suffix.lower() not in (".csv", ".jsonl") or not path.is_file():
                raise DatasetError(f"no table {path}; expected a .jsonl or .csv file in the folder")
            return path
        tables = [self.root / name for name in FILES if (self.root / name).is_file()]
        if len(tables) != 1:
            what = "both " + " and ".join(FILES) if tables else "neither " + " nor ".join(FILES)
            raise DatasetError(
                f"{self.root} has {what}; expected one of them, or name the table with questions="
            )
        return tables[0]

    def _task(self, row: Row, pictures: dict[Path, str | None]) -> Task:
        """One row as a task; `pictures` says what is wrong with each that was decoded so far.

        Raises:
            ValueError: a field is wrong; says what was found and what was expected.
        """
        question = _question(row)
        choices = _choices(row)
        answers = _answers(row, choices)
        strange = [answer for answer in answers if choices and answer not in choices]
        if strange:
            raise ValueError(
                f"the answer '{strange[0]}' is not among the choices {list(choices)}; "
                "give an option's text"
            )
        split = row.get("split", SPLIT)
        if not isinstance(split, str):
            raise ValueError(f"the split is {describe(split)}; expected text")
        name = row.get("id")
        if isinstance(name, bool) or not isinstance(name, str | int | None) or name == "":
            raise ValueError(f"the id is {describe(name)}; expected text, a whole number, or none")
        named = named_pictures(row)
        first, *others = (self._image(one, pictures) for one in named)
        if name is None:
            name = _unnamed(named, question, choices)
        return Task(
            id=f"{self.name}/{name}",
            source=self.name,
            split=split or SPLIT,
            image=first,
            question=question,
            answers=answers,
            answer_type=answer_type(answers, choices),
            choices=choices,
            meta={key: value for key, value in row.items() if key not in KNOWN},
            more_images=tuple(others),
        )

    def _image(self, name: Any, pictures: dict[Path, str | None]) -> str:
        """The picture's path relative to the folder; it must lie inside and be decodable."""
        if not isinstance(name, str) or not name.strip():
            raise ValueError(
                f"the image is {describe(name)}; expected a path relative to {self._images}"
            )
        place = self._place(name)
        if place is None:
            raise ValueError(
                f"no picture '{name:.200}' in {self._images} or its images/; expected a file there"
            )
        path, relative = place
        if path not in pictures:
            pictures[path] = _fault(path)
        fault = pictures[path]
        if fault is not None:
            raise ValueError(fault)
        return relative

    def _are_there(self, row: Row) -> bool:
        """Whether a row names pictures of the folder, and nothing else, as its pictures."""
        try:
            return all(
                isinstance(name, str) and name.strip() and self._place(name) is not None
                for name in named_pictures(row)
            )
        except ValueError:
            return False

    def _place(self, name: str) -> tuple[Path, str] | None:
        """Where a picture lies, and its path relative to the folder; None where it is not there.

        Raises:
            ValueError: the name leads out of the folder, or no file can have it.
        """
        if "\0" in name:
            raise ValueError(f"the image {name!r:.80} is not a usable path (it holds a NUL)")
        root = Path(os.path.normpath(self._images.absolute()))
        outside = False
        for start in (root, root / "images"):
            for spelled in spellings(name):
                try:
                    path = Path(os.path.normpath(start / spelled))
                    there = path.is_file()
                    if not path.is_relative_to(root):
                        # The folder itself may be named by another way than the picture.
                        path, root_of_all = (Path(os.path.realpath(one)) for one in (path, root))
                    else:
                        root_of_all = root
                except (OSError, ValueError) as error:
                    raise ValueError(
                        f"the image '{name:.80}' is not a usable path ({error})"
                    ) from error
                if not path.is_relative_to(root_of_all):
                    outside = True
                elif there:
                    return path, path.relative_to(root_of_all).as_posix()
        if outside:
            raise ValueError(
                f"the image '{name:.200}' lies outside {self._images}; copy it into the folder"
            )
        return None


def _unnamed(pictures: Sequence[str], question: str, choices: Sequence[str]) -> str:
    """The id, within the source, of a row that names none.

    Args:
        pictures: as the row names them.
        question: its question.
        choices: its options.
    """
    plain = [plain_name(one) for one in pictures]
    about = plain[0] if len(plain) == 1 else plain
    return UNNAMED + content_key(about, question, list(choices))[:16]


def _twin(task: Task, name: Any, line: int, other: Task) -> str:
    """Why a row is left out whose id an earlier line has."""
    if name is not None:
        return f"the id '{name:.200}' is already used in line {line}"
    if (task.answers, task.split) == (other.answers, other.split):
        return f"the row is the same as line {line}; it counts once"
    return (
        f"line {line} asks the same about the same picture, with the answer "
        f"{list(other.answers)!r:.80} in the split '{other.split:.40}'; give each row an id, or "
        "put all answers into one row as answers"
    )


def _fault(path: Path) -> str | None:
    """What is wrong with a picture, or None."""
    try:
        decode(path)
    except ImageError as error:
        return str(error)
    return None


def _question(row: Row) -> str:
    question = row.get("question")
    if not isinstance(question, str):
        raise ValueError(f"the question is {describe(question)}; expected text")
    if not question.strip():
        raise ValueError("the question is empty; expected text")
    return question


def _choices(row: Row) -> tuple[str, ...]:
    choices = _texts(row.get("choices"), "choices")
    if len(choices) == 1 or len(set(choices)) < len(choices):
        raise ValueError(
            f"the choices are {list(choices)}; expected two or more different ones, or none"
        )
    return choices


def _texts(value: Any, what: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"{what} is {describe(value)}; expected a list of texts")
    return tuple(text_or_number(entry, f"an entry of {what}") for entry in value)


def _answers(row: Row, choices: Sequence[str]) -> tuple[str, ...]:
    answer, answers = row.get("answer"), row.get("answers")
    if answer is not None and answers is not None:
        raise ValueError("both 'answer' and 'answers' are given; choose one")
    if answer is not None:
        return (_answer(answer, "the answer", choices),)
    if answers is not None and not isinstance(answers, list):
        raise ValueError(f"answers is {describe(answers)}; expected a list of texts")
    return tuple(_answer(entry, "an entry of answers", choices) for entry in answers or ())


def _answer(value: Any, what: str, choices: Sequence[str]) -> str:
    """An answer as text; true and false are yes and no, unless the options say otherwise."""
    if isinstance(value, bool):
        words = ("True", "true", "TRUE", "yes") if value else ("False", "false", "FALSE", "no")
        return next((word for word in words if word in choices), words[-1])
    if isinstance(value, int | float) and str(value) in choices:
        return str(value)
    return text_or_number(value, what)


def _json_rows(path: Path, meter: Meter) -> Iterator[tuple[int, Row | ValueError]]:
    """Line number and row, or what is wrong with the line."""
    for number, raw in enumerate(raw_lines(path, meter), start=1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            if not text.strip():
                continue
            row = json.loads(text, parse_constant=_refuse)
            check_depth(row)
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            yield (
                number,
                ValueError("a text has half of a surrogate pair; write the character itself"),
            )
        except UnicodeDecodeError as error:
            yield (
                number,
                ValueError(f"the line is not UTF-8 ({error.reason}); save the file as UTF-8"),
            )
        except (TooDeep, RecursionError):
            yield number, ValueError(TOO_DEEP)
        except ValueError as error:
            yield number, ValueError(f"the line is not JSON ({error}); expected one object a line")
        else:
            if isinstance(row, dict):
                yield number, row
            else:
                yield (
                    number,
                    ValueError(
                        f"the line is a {type(row).__name__}; "
                        "expected an object with image (or images), question"
                    ),
                )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a value; give text, a number or null")


def _csv_rows(
    path: Path, meter: Meter, are_pictures: Callable[[Row], bool]
) -> Iterator[tuple[int, Row | ValueError]]:
    """First line number and row of each record, or what is wrong with it."""
    header: list[str] = []

    def is_row(cells: Sequence[str]) -> bool:
        row = _csv_row(header, cells)
        return not isinstance(row, ValueError) and are_pictures(row)

    for record in csv_records(path, meter, _delimiter(path), is_row):
        cells = record.cells
        if not header:
            header += _header(path, cells)
        elif isinstance(cells, ValueError):
            yield record.line, cells
        elif cells:
            yield record.line, _csv_row(header, cells)
    if not header:
        _header(path, [])


def _delimiter(path: Path) -> str:
    """What stands between the cells of a table: what its header can be read with."""
    first = next(raw_lines(path, Meter()), b"").decode("utf-8-sig", "replace")
    for delimiter in DELIMITERS:
        names = [name.strip(' "\r\n') for name in first.split(delimiter)]
        if {"image", "images"} & {*names} and "question" in names:
            return delimiter
    return DELIMITERS[0]


def _header(path: Path, cells: Sequence[str] | ValueError) -> list[str]:
    """The names of the columns.

    Raises:
        DatasetError: the first record is no header.
    """
    if isinstance(cells, ValueError):
        raise DatasetError(
            f"{path}:1 is not CSV ({cells}); expected a header with image (or images) and question"
        )
    header = [name.strip() for name in cells]
    pictured = "image" in header or "images" in header
    if pictured and "question" in header and len(set(header)) == len(header):
        return header
    near = {name: column for name in header if (column := likely_column(name)) not in (None, name)}
    hint = "".join(f"; '{name:.60}' may be {column}" for name, column in near.items())
    raise DatasetError(
        f"{path}:1 has the columns {header!r:.400}; expected image (or images) and question "
        f"among them, each name once{hint}"
    )


def _csv_row(header: Sequence[str], cells: Sequence[str]) -> Row | ValueError:
    if len(cells) != len(header):
        return ValueError(
            f"the row has {len(cells)} cells; expected {len(header)}: {', '.join(header)}"
        )
    if any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
        return ValueError("the row is not UTF-8; save the file as UTF-8")
    row: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        if name in ("answers", "choices", "images"):
            row[name] = cell.split("|") if cell.strip() else None
        elif name in ("image", "question") or cell.strip():
            row[name] = cell
    offered = row.get("choices") or ()
    if "answer" in row:
        row["answer"] = _cell(row["answer"], offered)
    if row.get("answers"):
        row["answers"] = [_cell(cell, offered) for cell in row["answers"]]
    return row


_WRITTEN = {"TRUE": True, "True": True, "FALSE": False, "False": False}
"""True and false as spreadsheets and pandas write them."""


def _cell(cell: str, choices: Sequence[str]) -> Any:
    """An answer as its writer had it, before CSV made text of it; an option's text stays as is."""
    text = cell.strip()
    if cell in choices:
        return cell
    if text.lower() == "nan":
        return math.nan
    if text in _WRITTEN:
        return _WRITTEN[text]
    # pandas makes decimals of whole numbers where one cell of the column is empty.
    return int(text.partition(".")[0]) if re.fullmatch(r"[-+]?\d{1,15}\.0+", text) else cell
