"""TallyQA: counting, simple and complex (Acharya et al., AAAI 2019).

    train.json, test.json
    images of Visual Genome and COCO: VG_100K/, VG_100K_2/, train2014/, val2014/

One JSON array a file: 249,318 train, 38,589 test (22,991 simple, 15,598 complex).  Some training
rows do not say which.
"""

from __future__ import annotations

from pathlib import Path

from workbench.records import Task
from workbench.tasks.fields import Row, flag, text, whole
from workbench.tasks.official import Find, Format, Official


def tallyqa(root: str | Path, images: str | Path | None = None) -> Official:
    """The source of TallyQA's questions, with the splits train and test."""
    return Official(
        Format("tallyqa", ("train", "test"), lambda split: (f"{split}.json",), _task), root, images
    )


def _task(name: str, split: str, row: Row, find: Find) -> Task:
    count = whole(row, "answer")
    if count < 0:
        raise ValueError(f"the answer is {count}; expected 0 or more")
    family = "unknown"
    if row.get("issimple") is not None:
        family = "simple" if flag(row, "issimple") else "complex"
    return Task(
        id=name,
        source="tallyqa",
        split=split,
        image=find(text(row, "image")),
        question=text(row, "question"),
        answers=(str(count),),
        answer_type="integer",
        family=family,
        meta={"question_id": whole(row, "question_id"), "data_source": text(row, "data_source")},
    )
