"""Hateful Memes (Kiela et al., NeurIPS 2020): is a meme, picture and text together, hateful?

    {train,dev_seen,dev_unseen,test_seen,test_unseen}.jsonl    {id, img, label, text}
    {dev,test}.jsonl                                           of the first phase
    img/<5 digits>.png

Ids are numbers, in some copies as text ("08291"); they are handed in as they stand.

The label is missing where the benchmark keeps it secret.

8,500 train, 500 dev_seen, 540 dev_unseen, 1,000 test_seen, 2,000 test_unseen.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from workbench.records import Task
from workbench.tasks.fields import Row, number_or_digits, text
from workbench.tasks.official import Find, Format, Official, jsonl_files

SPLITS = ("train", "dev_seen", "dev_unseen", "test_seen", "test_unseen", "dev", "test")


def hateful(root: str | Path, images: str | Path | None = None) -> Official:
    """The source of the Hateful Memes, with the splits of `SPLITS`."""
    form = Format(
        "hateful", SPLITS, lambda split: (f"{split}.jsonl",), _task, jsonl_files, number="id"
    )
    return Official(form, root, images)


def _task(name: str, split: str, row: Row, find: Find) -> Task:
    caption, picture = text(row, "text"), text(row, "img")
    label = None if row.get("label") is None else int(number_or_digits(row, "label"))
    if label not in (None, 0, 1):
        raise ValueError(f"the label is {label}; expected 0, 1 or none")
    return Task(
        id=name,
        source="hateful",
        split=split,
        image=find(picture, PurePath(picture).name),
        question=f"Is this meme hateful? It says: {caption}",
        answers={None: (), 0: ("no",), 1: ("yes",)}[label],
        answer_type="yesno",
        choices=("yes", "no"),
        meta={"question_id": number_or_digits(row, "id"), "label": label, "text": caption},
    )
