"""Examples and pictures made by hand for the snapshot's tests."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from PIL import Image

from workbench.images import digest_of
from workbench.snapshot import Example, Pair, Snapshot, boxes_in, write

HOSTILE = "<script>alert(1)</script> <image> \x1b[31m {{7*7}} \u202e =cmd() \ud800 ' \" \n]]>"
RATIONALE = "There is 1 cat in the image, at 208 312 333 437. There are 2 dogs at 0 0 500 500 and 9 10 999 998. So, 2."


def draw(folder: Path, number: int, size: tuple[int, int] = (96, 64)) -> Path:
    """A picture that no other number gives: coloured blocks."""
    path = folder / f"{number}.png"
    if path.exists():
        return path
    dice = random.Random(number)
    small = Image.new("RGB", (8, 6))
    small.putdata(
        [(dice.randrange(256), dice.randrange(256), dice.randrange(256)) for _ in range(48)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    small.resize(size, Image.Resampling.NEAREST).save(path)
    return path


def example(number: int, image: str, **changes: Any) -> Example:
    """One accepted example; `changes` replace fields."""
    told = changes.get("rationale", RATIONALE)
    return Example(
        **{
            "task_id": f"made/{number:04d}",
            "source": "made",
            "task_split": "train",
            "split": "train",
            "family": "count",
            "question": "How many dogs are there?",
            "choices": (),
            "answer": "2",
            "answers": ("2",),
            "answer_type": "integer",
            "rationale": told,
            "boxes": boxes_in(told or ""),
            "program": "def execute_command(image):\n    return '2'\n",
            "image": image,
            "width": 96,
            "height": 64,
            "kind": "person",
            "trace_id": f"t{number}",
            "program_id": f"p{number}",
            "rationale_id": f"r{number}",
            "edited": False,
            "reviewers": ("ann",),
            "guideline": "g1",
            **changes,
        }
    )


def pair(number: int, image: str, **changes: Any) -> Pair:
    """One preference of a person between two rationales; `changes` replace fields."""
    return Pair(
        **{
            "task_id": f"made/{number:04d}",
            "source": "made",
            "task_split": "train",
            "split": "train",
            "family": "count",
            "question": "How many dogs are there?",
            "choices": (),
            "answer": "2",
            "image": image,
            "width": 96,
            "height": 64,
            "kind": "rationale",
            "prompt": "",
            "chosen": RATIONALE,
            "rejected": "There are no dogs, so 2.",
            "origin": "person",
            "why": "accepted by ann; against: not supported by the trace",
            "chosen_id": f"r{number}",
            "rejected_id": f"s{number}",
            "chosen_trace": f"t{number}",
            "rejected_trace": f"u{number}",
            "reviewers": ("ann",),
            **changes,
        }
    )


def taken(folder: Path, rows: int = 4, pairs: bool = False, **changes: Any) -> Snapshot:
    """A snapshot of `rows` examples on as many pictures; the last one is in val.

    With `pairs` each has a preference between rationales, and one between programs.
    """
    pictures = {
        digest_of(path): path for path in (draw(folder / "drawn", at) for at in range(rows))
    }
    examples = [
        example(at, image, split="val" if at == rows - 1 else "train", **changes)
        for at, image in enumerate(pictures)
    ]
    both = [
        pair(at, one.image, split=one.split, **more)
        for at, one in enumerate(examples)
        for more in ({}, PROGRAMS)
    ]
    return write(
        folder / "snapshots",
        examples,
        pictures,
        filter={"accepted": "person"},
        pairs=both if pairs else (),
    )


PROGRAMS: dict[str, Any] = {
    "kind": "program",
    "prompt": "def find(name): ...\n# How many dogs are there?\n",
    "chosen": "def execute_command(image):\n    return '2'\n",
    "rejected": "def execute_command(image):\n    return 1 / 0\n",
    "origin": "verdict",
    "reviewers": (),
}
