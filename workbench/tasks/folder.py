"""A folder of one's own: pictures and a table of questions, the first thing that a user brings.

    my-folder/
        images/cat.jpg, ...
        questions.jsonl        or questions.csv, UTF-8

Columns (JSON Lines: keys):

    image      required; path relative to the folder or to its `images/`
    question   required; taken as it is, HTML and all
    id         optional; unique; otherwise the number of the line
    answer     optional; one answer (text or number)
    answers    optional; several: a JSON list, in CSV separated by `|`
    choices    optional; two or more options, written like `answers`; an answer must be one of them
    split      optional; `mine` where absent
    anything else goes to `Task.meta` as it is

A row that cannot become a task is listed in `bad` with file, line and reason; all others are
imported.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import DatasetError, ImageError
from workbench.images import decode
from workbench.ports import BadRow
from workbench.records import PartRef, Task
from workbench.tasks.fields import Row, answer_type, describe, text_or_number
from workbench.tasks.json_stream import Meter, raw_lines
from workbench.tasks.rows import Bad

FILES = ("questions.jsonl", "questions.csv")
SPLIT = "mine"
_KNOWN = ("id", "image", "question", "answer", "answers", "choices", "split")


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
        self.name = name or self.root.resolve().name
        self._questions = questions
        self._images = self.root if images is None else Path(images).absolute()
        arguments = {"root": str(root), "questions": questions, "name": name}
        self.ref = PartRef(
            "source",
            "folder",
            "1",
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
        self._meter.read, self._meter.total = 0, path.stat().st_size
        read = _csv_rows if path.suffix.lower() == ".csv" else _json_rows
        line_of_id: dict[str, int] = {}
        pictures: dict[Path, str | None] = {}
        for line, row in read(path, self._meter):
            try:
                if isinstance(row, ValueError):
                    raise row
                task = self._task(row, line, pictures)
                if task.id in line_of_id:
                    raise ValueError(
                        f"the id '{row.get('id', line)}' is already used "
                        f"in line {line_of_id[task.id]}"
                    )
            except ValueError as error:
                self._bad.append(Bad(str(path), line, str(error)))
                continue
            line_of_id[task.id] = line
            if split is None or task.split == split:
                yield task

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

    def _task(self, row: Row, line: int, pictures: dict[Path, str | None]) -> Task:
        """One row as a task.

        Args:
            row: the row.
            line: its number in the table.
            pictures: what is wrong with each picture that was decoded so far.

        Raises:
            ValueError: a field is wrong; says what was found and what was expected.
        """
        question = _question(row)
        choices = _choices(row)
        answers = _answers(row)
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
        image = self._image(row.get("image"), pictures)
        return Task(
            id=f"{self.name}/{line if name is None else name}",
            source=self.name,
            split=split or SPLIT,
            image=image,
            question=question,
            answers=answers,
            answer_type=answer_type(answers, choices),
            choices=choices,
            meta={key: value for key, value in row.items() if key not in _KNOWN},
        )

    def _image(self, name: Any, pictures: dict[Path, str | None]) -> str:
        """The picture's path relative to the folder; it must lie inside and be decodable."""
        if not isinstance(name, str) or not name.strip():
            raise ValueError(
                f"the image is {describe(name)}; expected a path relative to {self._images}"
            )
        root = self._images.resolve()
        for start in (self._images, self._images / "images"):
            try:
                path = (start / name).resolve()
                inside, there = path.is_relative_to(root), path.is_file()
            except (OSError, ValueError) as error:
                raise ValueError(
                    f"the image '{name:.80}' is not a usable path ({error})"
                ) from error
            if not inside:
                raise ValueError(
                    f"the image '{name}' lies outside {self._images}; copy it into the folder"
                )
            if there:
                break
        else:
            raise ValueError(
                f"no picture '{name:.200}' in {self._images} or its images/; expected a file there"
            )
        if path not in pictures:
            pictures[path] = _fault(path)
        fault = pictures[path]
        if fault is not None:
            raise ValueError(fault)
        return path.relative_to(root).as_posix()


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


def _answers(row: Row) -> tuple[str, ...]:
    answer, answers = row.get("answer"), row.get("answers")
    if answer is not None and answers is not None:
        raise ValueError("both 'answer' and 'answers' are given; choose one")
    return _texts(answers, "answers") if answer is None else (text_or_number(answer, "the answer"),)


def _json_rows(path: Path, meter: Meter) -> Iterator[tuple[int, Row | ValueError]]:
    """Line number and row, or what is wrong with the line."""
    for number, raw in enumerate(raw_lines(path, meter), start=1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            if not text.strip():
                continue
            row = json.loads(text, parse_constant=_refuse)
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
        except (ValueError, RecursionError) as error:
            yield number, ValueError(f"the line is not JSON ({error}); expected one object a line")
        else:
            if isinstance(row, dict):
                yield number, row
            else:
                yield (
                    number,
                    ValueError(
                        f"the line is a {type(row).__name__}; "
                        "expected an object with image, question"
                    ),
                )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a value; give text, a number or null")


def _csv_rows(path: Path, meter: Meter) -> Iterator[tuple[int, Row | ValueError]]:
    """First line number and row of each record, or what is wrong with it."""
    texts = (
        line.decode("utf-8-sig" if i == 0 else "utf-8", "surrogateescape")
        for i, line in enumerate(raw_lines(path, meter))
    )
    reader = csv.reader(texts, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise DatasetError(
            f"{path}:1 is not CSV ({error}); expected a header with image and question"
        ) from error
    if "image" not in header or "question" not in header or len(set(header)) < len(header):
        raise DatasetError(
            f"{path}:1 has the columns {header}; "
            "expected image and question among them, each name once"
        )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, ValueError(f"the row is not CSV ({error}); check its quotes")
            continue
        if not cells:
            continue
        yield line, _csv_row(header, cells)


def _csv_row(header: Sequence[str], cells: Sequence[str]) -> Row | ValueError:
    if len(cells) != len(header):
        return ValueError(
            f"the row has {len(cells)} cells; expected {len(header)}: {', '.join(header)}"
        )
    if any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
        return ValueError("the row is not UTF-8; save the file as UTF-8")
    row: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        if name in ("answers", "choices"):
            row[name] = cell.split("|") if cell.strip() else None
        elif name in ("image", "question"):
            row[name] = cell
        elif cell.strip():
            row[name] = math.nan if name == "answer" and cell.strip().lower() == "nan" else cell
    return row
