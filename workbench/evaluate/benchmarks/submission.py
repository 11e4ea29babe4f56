"""Answers in the files that the benchmarks' own scripts and servers read.

    gqa             JSON list of {questionId, prediction}
    vqav2, okvqa    JSON list of {question_id, answer}
    aokvqa          JSON object by question id: {multiple_choice, direct_answer} or one of the two
    mmbench         tab-separated: index, question, A to D, prediction, category, l2-category
    pope            JSON Lines {question_id, question, answer} in the order of the question file
    hateful         CSV: id, proba, label
    nlvr2           CSV without a header: identifier, True or False
    tallyqa         JSON list of {question_id, answer}; it has no official format

One file per split, since ids begin anew in each.  A question without an answer is written with an
empty one, for the official scripts refuse incomplete files.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.evaluate.benchmarks import aokvqa, mmbench, nlvr2
from workbench.evaluate.benchmarks.hateful import says_hateful
from workbench.evaluate.benchmarks.scores import SystemAnswer, official
from workbench.records import Task, storable


@dataclass(frozen=True, slots=True)
class SubmissionFile:
    """One file to submit."""

    path: Path
    rows: int
    missing: int
    """Number of questions without an answer."""


def write(
    source: str,
    tasks: Sequence[Task],
    answers: Mapping[str, SystemAnswer],
    folder: Path,
    read_options: bool = False,
) -> list[SubmissionFile]:
    """Write the files of a benchmark, one per split, as `<source>_<split>.<json|jsonl|tsv|csv>`.

    Args:
        source: the benchmark's name, as in `Task.source`.
        tasks: its questions, also those without a right answer: test splits have none.
        answers: by task.
        folder: where the files go; created when it is missing.
        read_options: for multiple choice, write the option that an answer names (A-OKVQA: its
            text, MMBench: its letter) instead of the answer's own words; A-OKVQA's script stops at
            words that are not an option.

    Raises:
        InputError: the benchmark has no format, there is no task, a split has two tasks with one
            question id, or a meme lacks P(hateful).  Nothing is written then.
    """
    if source not in _FORMATS:
        raise InputError(
            f"'{source:.40}' has no submission format; there are: {', '.join(sorted(_FORMATS))}"
        )
    if not tasks:
        raise InputError(f"there is no task of '{source}' to write answers for")
    ending, render = _FORMATS[source]
    splits: dict[str, list[Task]] = {}
    for task in tasks:
        splits.setdefault(task.split, []).append(task)
    texts: list[tuple[SubmissionFile, str]] = []
    for split, tasks_of_split in splits.items():
        _refuse_twins(tasks_of_split)
        rows = [(task, answers.get(task.id, SystemAnswer(""))) for task in tasks_of_split]
        if read_options:
            rows = [(task, replace(one, text=_option(task, one.text))) for task, one in rows]
        path = folder / f"{source}_{re.sub(r'[^A-Za-z0-9_-]', '_', split)}.{ending}"
        missing = sum(task.id not in answers for task in tasks_of_split)
        texts.append((SubmissionFile(path, len(rows), missing), render(rows)))
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts:
        file.path.write_text(storable(text), encoding="utf-8", newline="")
    return [file for file, _ in texts]


def _refuse_twins(tasks: Sequence[Task]) -> None:
    owners: dict[tuple[Any, bool], str] = {}
    for task in tasks:
        # A-OKVQA asks one question in two settings.
        key = (official(task, "question_id"), bool(task.choices))
        if key in owners:
            raise InputError(
                f"tasks '{owners[key]:.80}' and '{task.id:.80}' have the question id "
                f"{key[0]!r:.40}; give one"
            )
        owners[key] = task.id


def _option(task: Task, text: str) -> str:
    if not task.choices:
        return text
    return mmbench.read(task, text) if task.source == "mmbench" else aokvqa.read(task, text)


Rows = list[tuple[Task, SystemAnswer]]


def _gqa(rows: Rows) -> str:
    return json.dumps(
        [{"questionId": str(task.meta["question_id"]), "prediction": a.text} for task, a in rows]
    )


def _by_id(rows: Rows) -> str:
    return json.dumps(
        [{"question_id": task.meta["question_id"], "answer": a.text} for task, a in rows]
    )


def _aokvqa(rows: Rows) -> str:
    by_question: dict[str, dict[str, str]] = {}
    for task, answer in rows:
        setting = "multiple_choice" if task.choices else "direct_answer"
        by_question.setdefault(str(task.meta["question_id"]), {})[setting] = answer.text
    return json.dumps(by_question)


def _pope(rows: Rows) -> str:
    # The official script pairs lines, not ids.
    ordered = sorted(rows, key=lambda row: int(row[0].meta["question_id"]))
    return "".join(
        json.dumps(
            {
                "question_id": task.meta["question_id"],
                "question": task.question,
                "answer": answer.text,
            }
        )
        + "\n"
        for task, answer in ordered
    )


def _mmbench(rows: Rows) -> str:
    letters = "".join(
        sorted({*"ABCD", *(name for task, _ in rows for name in official(task, "letters"))})
    )
    table = [["index", "question", *letters, "prediction", "category", "l2-category"]]
    for task, answer in rows:
        options = dict(zip(task.meta["letters"], task.choices, strict=True))
        table.append(
            [
                str(official(task, "index")),
                str(task.meta.get("question") or task.question),
                *(options.get(name, "") for name in letters),
                answer.text,
                task.family,
                str(task.meta.get("l2_category") or ""),
            ]
        )
    return _separated(table, "\t")


def _hateful(rows: Rows) -> str:
    absent = sum(answer.yes is None for _, answer in rows)
    if absent:
        raise InputError(
            f"{absent} of {len(rows)} answers have no P(hateful), which the file needs; "
            "ask for the yes/no token mass"
        )
    table = [["id", "proba", "label"]]
    table += [
        [str(task.meta["question_id"]), repr(a.yes), str(int(bool(says_hateful(a))))]
        for task, a in rows
    ]
    return _separated(table, ",")


def _nlvr2(rows: Rows) -> str:
    return _separated(
        [[str(task.meta["question_id"]), nlvr2.submitted(a.text)] for task, a in rows], ","
    )


def _separated(table: Sequence[Sequence[str]], mark: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\n").writerows(table)
    return text.getvalue()


_FORMATS: Mapping[str, tuple[str, Callable[[Rows], str]]] = {
    "gqa": ("json", _gqa),
    "vqav2": ("json", _by_id),
    "okvqa": ("json", _by_id),
    "aokvqa": ("json", _aokvqa),
    "tallyqa": ("json", _by_id),
    "pope": ("jsonl", _pope),
    "mmbench": ("tsv", _mmbench),
    "hateful": ("csv", _hateful),
    "nlvr2": ("csv", _nlvr2),
}
