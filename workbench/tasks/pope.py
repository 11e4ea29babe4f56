"""POPE: is this object in the picture? (Li et al., EMNLP 2023).

    coco_pope_{random,popular,adversarial}.json    3,000 each, as JSON lines or as an array
    images of COCO 2014: val2014/COCO_val2014_<12 digits>.jpg

Every file numbers its questions from 1, so an id holds its split.
"""

from __future__ import annotations

from pathlib import Path

from workbench.records import Task
from workbench.tasks.fields import Row, text, whole
from workbench.tasks.official import Find, Format, Official, jsonl_files


def pope(root: str | Path, images: str | Path | None = None) -> Official:
    """The source of POPE's questions, with the splits random, popular and adversarial."""
    form = Format(
        "pope",
        ("random", "popular", "adversarial"),
        lambda split: (f"coco_pope_{split}.json",),
        _task,
        jsonl_files,
    )
    return Official(form, root, images)


def _task(name: str, split: str, row: Row, find: Find) -> Task:
    label = text(row, "label")
    if label not in ("yes", "no"):
        raise ValueError(f"the label is {label!r:.60}; expected yes or no")
    picture = text(row, "image")
    return Task(
        id=name,
        source="pope",
        split=split,
        image=find(f"val2014/{picture}", picture),
        question=text(row, "text"),
        answers=(label,),
        answer_type="yesno",
        family=split,
        meta={"question_id": whole(row, "question_id")},
    )
