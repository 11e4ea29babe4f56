"""Programs that were written elsewhere, from a file.

A line of the file is one program, as a JSON object:

    {"task_id": "...", "question": "...", "program": "def execute_command(image): ...",
     "index": 0, "score": -0.1, "tokens": 80, "seconds": 0.2}

Only `task_id` and `program` are needed; a program without an `index` is the next one of its
question.  Where `question` stands, it has to be the question's own text: ids of other files may be
the same.  `program` may be a whole reply, with prose, thoughts and fences, as models send it.  The
file may be packed by gzip.  `vpd programs` writes such a file.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from workbench.errors import InputError
from workbench.images import digest_of
from workbench.records import PartRef, Program, Task, ToolSpec, content_key, storable_json
from workbench.safe_text import safe
from workbench.sample.extract import read_reply
from workbench.sample.seeds import sample_seed
from workbench.settings import data_dir
from workbench.unanswered import no_program

LONGEST_LINE = 1_000_000
"""Most characters of a line; a longer one is no program."""
_MAGIC = b"\x1f\x8b"

Row = Mapping[str, Any]


def program_row(task: Task, program: Program) -> dict[str, Any]:
    """A program of a question as a line of the file says it."""
    return {
        "task_id": task.id,
        "question": task.question,
        "program": program.source,
        "index": program.index,
        "score": program.score,
        "tokens": program.tokens,
        "seconds": program.seconds,
        "problem": program.problem,
    }


def write_programs(path: Path, programs: Iterable[tuple[Task, Program]]) -> int:
    """Write a file that `FileSampler` reads; the number of programs in it.

    Args:
        path: of a new file; one that ends in `.gz` is packed.
        programs: in any order, each with its question.

    Raises:
        InputError: the file is there already, or cannot be written.
    """
    count = 0
    try:
        # without a name and a time inside, equal programs make equal files
        with path.open("xb") as raw, _packed(path, raw) as file:
            for task, program in programs:
                line = json.dumps(storable_json(program_row(task, program)))
                file.write(line.encode("utf-8") + b"\n")
                count += 1
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); name a new file") from error
    return count


def _packed(path: Path, raw: IO[bytes]) -> Any:
    return gzip.GzipFile("", "wb", 9, raw, 0) if path.suffix == ".gz" else raw


def bundled_programs() -> Path:
    """The file of programs that comes with the workbench."""
    return data_dir() / "collages" / "programs.jsonl.gz"


class FileSampler:
    """The programs of a file, for the questions that it names; see this module for its lines.

    A question with fewer programs in the file than are asked for has rows that say so, as for any
    program that did not come.  All programs are held in memory.

    Args:
        specs: The tools that programs may call; the file's programs may call others and then fail.
        path: The file, from the current folder where it is relative; `bundled` is the one for the
            training questions of `python -m workbench.making.bundle more` (data/README.md).
        written_by: Who wrote the programs, for the record.

    Raises:
        InputError: the file is not there, or a line of it is no program.
    """

    def __init__(self, specs: Sequence[ToolSpec], path: str, written_by: str = "") -> None:
        self._path = bundled_programs() if path == "bundled" else Path(path).expanduser()
        if not self._path.is_file():
            raise InputError(
                f"sampler 'file': there is no file {safe(str(self._path))}; `path` names one with "
                "a program in each line, which `vpd programs` writes"
            )
        self._rows: dict[str, dict[int, Row]] | None = None
        arguments = {"file": self._path.name}
        if written_by:
            arguments["written_by"] = written_by
        # the content and not the place: a file that is moved holds the same programs
        self.ref = PartRef("sampler", "file", f"1-{digest_of(self._path)[:16]}", arguments)

    def warm(self) -> None:
        """Read the file."""
        if self._rows is None:
            self._rows = _by_question(self._path)

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        """k programs per question, grouped by question in the questions' order.

        Args:
            tasks: Questions.
            k: Programs per question.
            seed: The run's seed, which changes nothing about the file's programs.
        """
        self.warm()
        assert self._rows is not None
        for task in tasks:
            rows = self._rows.get(task.id, {})
            for index in range(k):
                yield self._program(task, index, sample_seed(task, seed, index), rows.get(index))

    def _program(self, task: Task, index: int, seed: int, row: Row | None) -> Program:
        if row is None:
            reason = f"the file holds no program number {index} for this question"
            return no_program(task, index, seed, self.ref, reason)
        if (question := row.get("question", task.question)) != task.question:
            reason = f"the file's program was written for another question: {safe(question, 200)}"
            return no_program(task, index, seed, self.ref, reason)
        if problem := str(row.get("problem") or ""):
            return no_program(task, index, seed, self.ref, problem)
        reply = read_reply(row["program"])
        if not reply.program:
            reason = "the file's text for this question holds no program"
            return no_program(task, index, seed, self.ref, reason, reply.thinking)
        return Program(
            id=content_key("program", task.id, task.question, index, seed, reply.program, self.ref),
            task_id=task.id,
            index=index,
            source=reply.program,
            score=_number(row, "score"),
            tokens=int(_number(row, "tokens")),
            seed=seed,
            sampler=self.ref,
            seconds=max(_number(row, "seconds"), 0.0),
            thinking=reply.thinking,
        )


def _by_question(path: Path) -> dict[str, dict[int, Row]]:
    """Rows of a file by question and index."""
    rows: dict[str, dict[int, Row]] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        row = _row(path, number, line)
        of_task = rows.setdefault(row["task_id"], {})
        index = row.get("index")
        of_task.setdefault(len(of_task) if index is None else index, row)
    return rows


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as raw:
            packed = raw.read(len(_MAGIC)) == _MAGIC
            raw.seek(0)
            with gzip.open(raw) if packed else raw as file:
                while line := file.readline(LONGEST_LINE + 1):
                    yield line.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as lines of JSON ({safe(str(error), 200)}); write it again, "
            "as UTF-8, packed by gzip or not"
        ) from error


def _row(path: Path, number: int, line: str) -> Row:
    where = f"line {number} of {path}"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no JSON object: {safe(str(error), 200)}") from error
    if not isinstance(row, dict) or not all(
        isinstance(row.get(name), str) for name in ("task_id", "program")
    ):
        raise InputError(
            f"{where} holds {safe(line, 120)}; a line needs the texts `task_id` and `program`"
        )
    if not isinstance(row.get("question", ""), str):
        raise InputError(f"{where} has a `question` that is no text; write it, or leave it out")
    index = row.get("index")
    if index is not None and (not isinstance(index, int) or isinstance(index, bool) or index < 0):
        raise InputError(
            f"{where} has the index {safe(repr(index), 40)}; it is a whole number from 0, or is "
            "left out"
        )
    return row


def _number(row: Row, name: str) -> float:
    """A number of a row, 0 where there is none that counts."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if math.isfinite(value) else 0.0
