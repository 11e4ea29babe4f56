"""VQAv2 and OK-VQA: questions and annotations in two files (Goyal et al. 2017; Marino et al. 2019).

    VQAv2    v2_OpenEnded_mscoco_{train,val}2014_questions.json
             v2_mscoco_{train,val}2014_annotations.json
             v2_OpenEnded_mscoco_{test-dev,test}2015_questions.json, whose answers the server keeps
    OK-VQA   OpenEnded_mscoco_{train,val}2014_questions.json
             mscoco_{train,val}2014_annotations.json
    images   {train,val}2014/COCO_{train,val}2014_<12 digits>.jpg
             test2015/COCO_test2015_<12 digits>.jpg

Annotations wait in a temporary file for their question, so the order of either file does not matter
and neither is ever whole in memory.  VQAv2: 443,757 train, 214,354 val, 447,793 test; OK-VQA: 9,009
train, 5,046 val; ten answers each.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.records import Task
from workbench.tasks.fields import VOTES, Row, answer_type, describe, text, whole
from workbench.tasks.json_stream import JsonEntry, Meter, json_entries
from workbench.tasks.official import Files, Find, Format, Official

SERVER_ONLY = ("test-dev", "test")
"""Splits whose answers nobody has but the evaluation server."""
TYPES = ("yes/no", "number", "other")


def vqav2(root: str | Path, images: str | Path | None = None) -> Official:
    """The source of VQAv2's questions, with the splits train, val, test-dev and test."""
    return Official(_form("vqav2", "v2_", SERVER_ONLY), root, images)


def okvqa(root: str | Path, images: str | Path | None = None) -> Official:
    """The source of OK-VQA's questions, with the splits train and val."""
    return Official(_form("okvqa", ""), root, images)


def _form(name: str, prefix: str, server_only: tuple[str, ...] = ()) -> Format:
    def files(split: str) -> tuple[str, ...]:
        if split in server_only:
            return (f"{prefix}OpenEnded_mscoco_{split}2015_questions.json",)
        return (
            f"{prefix}OpenEnded_mscoco_{split}2014_questions.json",
            f"{prefix}mscoco_{split}2014_annotations.json",
        )

    return Format(name, ("train", "val", *server_only), files, _task, _joined)


def _joined(files: Files, meter: Meter) -> Iterator[tuple[Path, JsonEntry]]:
    """Every question with its annotation under `annotation`.

    Annotations that are wrong come before the questions, those without a question after them.
    """
    if len(files) == 1:
        for entry in json_entries(files[0][0], meter, "questions"):
            yield files[0][0], entry
        return
    (questions,), (annotations,) = files
    with closing(sqlite3.connect("", isolation_level=None)) as waiting:
        waiting.execute("PRAGMA journal_mode = OFF")
        waiting.execute(
            "CREATE TABLE annotation "
            "(id INTEGER PRIMARY KEY, line INTEGER, number INTEGER, row TEXT)"
        )
        for entry in json_entries(annotations, meter, "annotations"):
            try:
                row = _annotation(entry.value)
                record = [row["question_id"], entry.line, entry.number, json.dumps(row)]
                if not waiting.execute(
                    "INSERT OR IGNORE INTO annotation VALUES (?, ?, ?, ?)", record
                ).rowcount:
                    raise ValueError(
                        f"question_id {row['question_id']} has another annotation; expected one"
                    )
            except ValueError as error:
                yield annotations, replace(entry, value=error)
        for entry in json_entries(questions, meter, "questions"):
            if isinstance(entry.value, dict):
                sql = "DELETE FROM annotation WHERE id = ? RETURNING row"
                number = _storable_id(entry.value)
                match = waiting.execute(sql, [number]).fetchone() if number is not None else None
                entry.value["annotation"] = json.loads(match[0]) if match else None
            yield questions, entry
        for number, line, place in waiting.execute(
            "SELECT id, line, number FROM annotation ORDER BY number"
        ):
            left = ValueError(
                f"question_id {number} has an annotation and no question in {questions.name}"
            )
            yield annotations, JsonEntry(line, place, None, left)


def _storable_id(row: Row) -> int | None:
    """The id of a question, None where it is none; its importer then says what is wrong with it."""
    try:
        return whole(row, "question_id")
    except ValueError:
        return None


def _annotation(row: Any) -> dict[str, Any]:
    """The fields of an annotation that a question needs.

    Raises:
        ValueError: a field is missing or wrong.
    """
    if isinstance(row, ValueError):
        raise row
    if not isinstance(row, dict):
        raise ValueError(f"the annotation is {describe(row)}; expected an object")
    number = whole(row, "question_id")
    try:
        kind = text(row, "answer_type")
        if kind not in TYPES:
            raise ValueError(f"the answer_type is {kind!r:.60}; expected {', '.join(TYPES)}")
        votes = row.get("answers")
        if (
            not isinstance(votes, list)
            or len(votes) != VOTES
            or not all(isinstance(vote, dict) for vote in votes)
        ):
            description = f"{len(votes)} entries" if isinstance(votes, list) else describe(votes)
            raise ValueError(f"the answers are {description}; expected a list of {VOTES} objects")
        return {
            "question_id": number,
            "image_id": whole(row, "image_id"),
            "answer_type": kind,
            "question_type": text(row, "question_type"),
            "answers": [text(vote, "answer", empty=True) for vote in votes],
        }
    except ValueError as error:
        raise ValueError(f"the annotation of question_id {number}: {error}") from error


def _task(name: str, split: str, row: Row, find: Find) -> Task:
    source = name.partition("/")[0]
    number, picture = whole(row, "question_id"), whole(row, "image_id")
    question = text(row, "question")
    if split in SERVER_ONLY:
        file = f"COCO_test2015_{picture:012d}.jpg"
        return Task(
            id=name,
            source=source,
            split=split,
            image=find(f"test2015/{file}", file),
            question=question,
            meta={"question_id": number},
        )
    votes = row.get("annotation")
    if votes is None:
        raise ValueError(
            "no annotation is left for this question_id: "
            "it has none, a bad one, or stands above already"
        )
    if votes["image_id"] != picture:
        raise ValueError(
            f"the image_id is {picture}, and {votes['image_id']} in its annotation; "
            "expected the same"
        )
    file = f"COCO_{split}2014_{picture:012d}.jpg"
    return Task(
        id=name,
        source=source,
        split=split,
        image=find(f"{split}2014/{file}", file),
        question=question,
        answers=tuple(votes["answers"]),
        answer_type=answer_type(votes["answers"]),
        family=votes["question_type"] if source == "okvqa" else votes["answer_type"],
        meta={
            "question_id": number,
            "answer_type": votes["answer_type"],
            "question_type": votes["question_type"],
        },
    )
