"""TallyQA: counting, simple and complex (Acharya et al., AAAI 2019).

    train.json, test.json
    images of Visual Genome and COCO: VG_100K/, VG_100K_2/, train2014/, val2014/

One JSON array a file: 249,318 train, 38,589 test (22,991 simple, 15,598 complex).  A row that
does not say which is complex where its question was written for TallyQA (`data_source` is `amt`,
Amazon Mechanical Turk), and simple where it comes from another set: that is how the test set's were
told apart.
"""

from __future__ import annotations

from pathlib import Path

from workbench.records import Task
from workbench.tasks.fields import Row, flag, text, whole
from workbench.tasks.official import Find, Format, Official

WRITTEN_FOR_IT = "amt"
"""The `data_source` of questions that were written for TallyQA."""


def tallyqa(root: str | Path, images: str | Path | None = None) -> Official:
    """The source of TallyQA's questions, with the splits train and test."""
    return Official(
        Format("tallyqa", ("train", "test"), lambda split: (f"{split}.json",), _task), root, images
    )


def _task(name: str, split: str, row: Row, find: Find) -> Task:
    count = whole(row, "answer")
    if count < 0:
        raise ValueError(f"the answer is {count}; expected 0 or more")
    origin = text(row, "data_source")
    simple = origin != WRITTEN_FOR_IT if row.get("issimple") is None else flag(row, "issimple")
    return Task(
        id=name,
        source="tallyqa",
        split=split,
        image=find(text(row, "image")),
        question=text(row, "question"),
        answers=(str(count),),
        answer_type="integer",
        family="simple" if simple else "complex",
        meta={"question_id": whole(row, "question_id"), "data_source": origin},
    )
