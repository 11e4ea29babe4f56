"""GQA: questions made from scene graphs (Hudson and Manning, CVPR 2019).

    questions/{train,val,testdev}_balanced_questions.json    the part that results are quoted on
    questions/{val,testdev}_all_questions.json
    questions/train_all_questions/train_all_questions_*.json
    questions/{test,challenge}_{balanced,all}_questions.json, submission_all_questions.json
                                                             whose answers the server keeps
    images/<imageId>.jpg

One JSON object a file, by question id.  Balanced: 943,000 train, 132,062 val, 12,578 testdev; all:
14.3 million train.
"""

from __future__ import annotations

from pathlib import Path

from workbench.errors import ProfileError
from workbench.records import Task
from workbench.tasks.fields import Row, answer_type, describe, flag, text, texts
from workbench.tasks.official import Find, Format, Official

SUBSETS = ("balanced", "all")
SERVER_ONLY = ("test", "challenge", "submission")
"""Splits whose answers nobody has but the evaluation server.

It takes answers to `submission`, which holds all questions.
"""
SPLITS = ("train", "val", "testdev", *SERVER_ONLY)


def gqa(root: str | Path, images: str | Path | None = None, subset: str = "balanced") -> Official:
    """The source of GQA's questions, with the splits of `SPLITS`.

    Args:
        root: the folder with the question files.
        images: the folder with the pictures; `root` and its `images/` when None.
        subset: `balanced` or `all`; consistency needs all.

    Raises:
        ProfileError: there is no such subset.
    """
    if subset not in SUBSETS:
        raise ProfileError(f"gqa has no subset {subset!r}; choose {' or '.join(SUBSETS)}")

    def files(split: str) -> tuple[str, ...]:
        if (split, subset) == ("train", "all"):
            return ("train_all_questions/train_all_questions_*.json",)
        return (f"{split}_{subset}_questions.json",)

    return Official(Format("gqa", SPLITS, files, _task), root, images, {"subset": subset})


def _task(name: str, split: str, row: Row, find: Find) -> Task:
    picture = text(row, "imageId")
    answers: tuple[str, ...]
    if split in SERVER_ONLY:
        answers, types = (), row.get("types") or {}
    else:
        answers, types = (text(row, "answer"),), row.get("types")
    if not isinstance(types, dict):
        raise ValueError(
            f"the types are {describe(types)}; "
            "expected an object with structural, semantic and detailed"
        )
    structural = text(types, "structural") if answers else _or_empty(types, "structural")
    return Task(
        id=name,
        source="gqa",
        split=split,
        image=find(f"{picture}.jpg", f"images/{picture}.jpg"),
        question=text(row, "question"),
        answers=answers,
        answer_type=answer_type(answers),
        family=structural,
        meta={
            "question_id": name.removeprefix(f"gqa/{split}/"),
            "balanced": flag(row, "isBalanced") if answers else row.get("isBalanced") is not False,
            "structural": structural,
            "semantic": _or_empty(types, "semantic"),
            "detailed": _or_empty(types, "detailed"),
            "full_answer": _or_empty(row, "fullAnswer"),
            "entailed": list(texts(row, "entailed")),
            "equivalent": list(texts(row, "equivalent")),
        },
    )


def _or_empty(row: Row, field: str) -> str:
    return "" if row.get(field) is None else text(row, field, empty=True)
