"""NLVR2: is a sentence true of two photographs? (Suhr et al., ACL 2019).

    {train,dev,test1,test2}.json                  86,373 train, 6,982 dev, 6,967 test1
    balanced/balanced_{dev,test1}.json            subset `balanced`, where nothing is learnt from
                                                  one of the pictures alone
    unbalanced/unbalanced_{dev,test1}.json        subset `unbalanced`
    train/<directory>/train-<set>-<pair>-img{0,1}.png, {dev,test1,test2}/...

JSON Lines.  An identifier is `split-set-pair-sentence`; its pictures are named without the
sentence, the left one img0, and the right one img1.  A sentence is asked about several pairs of
its set of pictures.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from workbench.errors import ProfileError
from workbench.records import Task
from workbench.tasks.fields import Row, describe, text
from workbench.tasks.official import Find, Format, Official, jsonl_files

SUBSETS = ("all", "balanced", "unbalanced")
SPLITS = ("train", "dev", "test1", "test2")
PARTED = ("dev", "test1")
"""Splits that have a balanced and an unbalanced part."""
LABELS = {"true": "yes", "false": "no"}


def nlvr2(root: str | Path, images: str | Path | None = None, subset: str = "all") -> Official:
    """The source of NLVR2's sentences, with the splits of `SPLITS`.

    Args:
        root: the folder with the files; `nlvr2/data` of the official repository.
        images: the folder with the pictures; `root` and its `images/` when None.
        subset: `all`, on which results are quoted, `balanced` or `unbalanced`.

    Raises:
        ProfileError: there is no such subset.
    """
    if subset not in SUBSETS:
        raise ProfileError(f"nlvr2 has no subset {subset!r}; choose {', '.join(SUBSETS)}")

    def files(split: str) -> tuple[str, ...]:
        return (f"{split}.json" if subset == "all" else f"{subset}/{subset}_{split}.json",)

    form = Format(
        "nlvr2",
        SPLITS if subset == "all" else PARTED,
        files,
        _task,
        jsonl_files,
        number="identifier",
    )
    return Official(form, root, images, {"subset": subset})


def _task(name: str, split: str, row: Row, find: Find) -> Task:
    identifier, sentence = name.removeprefix(f"nlvr2/{split}/"), text(row, "sentence")
    parts = identifier.split("-")
    if len(parts) != 4 or not all(parts):
        raise ValueError(
            f"the identifier is {identifier!r:.80}; expected split-set-pair-sentence, as "
            "dev-850-0-1"
        )
    label = row.get("label")
    if label is not None and str(label).lower() not in LABELS:
        raise ValueError(f"the label is {describe(label)}; expected True, False or none")
    left, right = map(partial(_picture, find, split, parts, row.get("directory")), (0, 1))
    return Task(
        id=name,
        source="nlvr2",
        split=split,
        image=left,
        question=f"Is this true of the two pictures? {sentence}",
        answers=() if label is None else (LABELS[str(label).lower()],),
        answer_type="yesno",
        meta={
            "question_id": identifier,
            "sentence": sentence,
            "set": "-".join(parts[:2]),
            "synset": text(row, "synset", empty=True) if row.get("synset") else "",
        },
        more_images=(right,),
    )


def _picture(find: Find, split: str, parts: list[str], directory: object, number: int) -> str:
    """The path of one picture of a pair.

    Args:
        find: looks for it.
        split: the folder that it may lie in.
        parts: of the identifier.
        directory: the folder below, which pictures of train have.
        number: 0 for the left picture, 1 for the right one.
    """
    name = f"{'-'.join(parts[:3])}-img{number}.png"
    below = [] if directory is None else [f"{split}/{directory}/{name}", f"{directory}/{name}"]
    # some copies name the pictures by the whole identifier
    return find(*below, f"{split}/{name}", name, f"{'-'.join(parts)}-img{number}.png")
