"""A-OKVQA: questions that need knowledge, with four choices and ten direct answers.

Source: Schwenk et al., ECCV 2022.  Files:

    aokvqa_v1p0_{train,val,test}.json
    images of COCO 2017: {train,val,test}2017/<12 digits>.jpg

Some rows have equal or empty choices, or an empty direct answer; they count as they are.

One JSON array a file: 17,056 train, 1,145 val, 6,702 test; the test file has no answers.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from workbench.errors import ProfileError
from workbench.records import Task
from workbench.tasks.fields import VOTES, Row, answer_type, choices, flag, text, texts, whole
from workbench.tasks.official import Find, Format, Official

SETTINGS = ("choice", "open")


def aokvqa(root: str | Path, images: str | Path | None = None, setting: str = "choice") -> Official:
    """The source of A-OKVQA's questions, with the splits train, val and test.

    Args:
        root: the folder with the question files.
        images: the folder with the pictures; `root` and its `images/` when None.
        setting: `choice` for multiple choice, `open` for direct answers.

    Raises:
        ProfileError: there is no such setting.
    """
    if setting not in SETTINGS:
        raise ProfileError(f"aokvqa has no setting {setting!r}; choose {' or '.join(SETTINGS)}")
    form = Format(
        "aokvqa",
        ("train", "val", "test"),
        lambda split: (f"aokvqa_v1p0_{split}.json",),
        partial(_task, setting == "open"),
        suffix="/open" if setting == "open" else "",
    )
    return Official(form, root, images, {"setting": setting})


def _task(as_open: bool, name: str, split: str, row: Row, find: Find) -> Task:
    options = choices(row, "choices", 4)
    direct = texts(row, "direct_answers", empty=True)
    right = None
    labelled = split != "test"
    if labelled or row.get("correct_choice_idx") is not None:
        at = whole(row, "correct_choice_idx")
        if not 0 <= at < len(options):
            raise ValueError(f"the correct_choice_idx is {at}; expected 0 to {len(options) - 1}")
        right = options[at]
    if len(direct) != VOTES and (labelled or direct):
        raise ValueError(f"the direct_answers are {len(direct)}; expected {VOTES}")
    difficult = flag(row, "difficult_direct_answer")
    number, picture = text(row, "question_id"), whole(row, "image_id")
    answers = direct
    if not as_open:
        answers = () if right is None else (right,)
    other = {"choices": list(options)} if as_open else {"direct_answers": list(direct)}
    offered = () if as_open else options
    file = f"{picture:012d}.jpg"
    return Task(
        id=name,
        source="aokvqa",
        split=split,
        image=find(f"{split}2017/{file}", file),
        question=text(row, "question"),
        answers=answers,
        answer_type=answer_type(answers, offered),
        choices=offered,
        family="difficult" if difficult else "",
        meta={"question_id": number, "correct_choice": right, "difficult": difficult, **other},
    )
