"""One row of a snapshot: a question with what a student is to learn from it.

Boxes are kept as the rationale names them, on the 0-999 grid; `NamedBox.pixels` gives them in
pixels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

import pyarrow as pa

from workbench.boxes_in_text import NamedBox
from workbench.records import AnswerType, Task, storable, storable_json

Split = Literal["train", "val"]
SPLITS: tuple[Split, ...] = ("train", "val")


JOINED = "+"
"""What stands between the digests where a text names several pictures."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one picture or several, with its answer and, where there is one, its
    rationale.
    """

    task_id: str
    source: str
    task_split: str
    """The split that the question had in its source."""
    split: Split
    """The side of the snapshot; all rows of one picture, and of pictures that look alike, are on
    one.
    """
    family: str
    question: str
    choices: tuple[str, ...]
    answer: str
    """The short target: the commonest gold answer, or without a label the trace's answer."""
    answers: tuple[str, ...]
    """All gold answers; empty when unlabelled."""
    answer_type: str
    rationale: str | None
    """The long target; None for a row that teaches the label alone."""
    boxes: tuple[NamedBox, ...]
    """Boxes that the rationale names, in the order of the text."""
    program: str | None
    """Source of the program whose trace the rationale tells."""
    image: str
    """Digest of the picture."""
    width: int
    height: int
    """Size of the picture as decoded, upright, in pixels."""
    kind: Literal["person", "automatic", "label"]
    """Why it is in: a person accepted it, the verifier kept it, or it has a label alone."""
    trace_id: str | None
    program_id: str | None
    rationale_id: str | None
    edited: bool
    """A person changed the program or the rationale."""
    reviewers: tuple[str, ...]
    """Who accepted it, sorted; empty unless `kind` is person."""
    guideline: str | None
    """Version of the guideline that the reviewers followed."""
    weight: float = 1.0
    """What the loss of its lessons is multiplied by, as a selector weighs it."""
    more_images: tuple[str, ...] = ()
    """Digests of the pictures after the first one, in order."""
    more_sizes: tuple[tuple[int, int], ...] = ()
    """Width and height of each of these, in pixels."""

    @property
    def images(self) -> tuple[str, ...]:
        """Digests of all pictures, in order."""
        return (self.image, *self.more_images)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of all pictures, in order, in pixels."""
        return ((self.width, self.height), *self.more_sizes)

    @property
    def pictures(self) -> str:
        """What stands for its pictures in training: the digest, or those of several (`JOINED`)."""
        return JOINED.join(self.images)

    @property
    def id(self) -> str:
        """A stable name for this row: the same for the same task, trace and rationale."""
        made_of = json.dumps([self.task_id, self.trace_id, self.rationale_id])
        return hashlib.sha256(storable(made_of).encode()).hexdigest()[:20]


def task_of(example: Example) -> Task:
    """The question as verifiers take it."""
    return Task(
        id=example.task_id,
        source=example.source,
        split=example.task_split,
        image=example.image,
        question=example.question,
        answers=example.answers or (example.answer,),
        answer_type=cast(AnswerType, example.answer_type),
        choices=example.choices,
        family=example.family,
        more_images=example.more_images,
    )


_NAMES = tuple(field.name for field in fields(Example))
LATER = ("weight", "more_images", "more_sizes")
"""Fields that the rows of earlier snapshots lack, as rows do that have nothing in them."""
_BOX_NAMES = tuple(field.name for field in fields(NamedBox))
_TEXTS = pa.list_(pa.string())
_BOX_TYPE = pa.struct(
    [
        ("label", pa.string()),
        *((name, pa.int32()) for name in ("ymin", "xmin", "ymax", "xmax", "start", "end")),
    ]
)
_OTHER: Mapping[str, pa.DataType] = {
    "choices": _TEXTS,
    "answers": _TEXTS,
    "reviewers": _TEXTS,
    "boxes": pa.list_(_BOX_TYPE),
    "width": pa.int32(),
    "height": pa.int32(),
    "edited": pa.bool_(),
    "weight": pa.float64(),
    "more_images": _TEXTS,
    "more_sizes": pa.list_(pa.list_(pa.int32())),
}
SCHEMA = pa.schema(
    [("id", pa.string()), *((name, _OTHER.get(name, pa.string())) for name in _NAMES)]
)
"""Columns of `train.parquet` and `val.parquet`; an optional column holds null where it is empty."""


def canonical(value: Any) -> bytes:
    """The bytes that a digest of a value is taken of: JSON with sorted keys."""
    return _bytes(storable_json(value))


def _bytes(cleaned: Any) -> bytes:
    return json.dumps(cleaned, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def to_row(example: Example) -> dict[str, Any]:
    """An example as a row of the Parquet files."""
    row: dict[str, Any] = {name: storable_json(getattr(example, name)) for name in _NAMES}
    boxes = [
        {name: storable_json(getattr(box, name)) for name in _BOX_NAMES} for box in example.boxes
    ]
    if example.weight == 1.0:  # rows of snapshots from before there were weights stay the same
        del row["weight"]
    if not example.more_images:  # nor has a row about one picture anything to say of others
        del row["more_images"], row["more_sizes"]
    return {"id": example.id, **row, "boxes": boxes}


def from_row(row: Mapping[str, Any]) -> Example:
    """The inverse of `to_row`."""
    values = {name: row[name] for name in _NAMES if name not in LATER}
    if row.get("more_images"):
        values["more_images"] = tuple(row["more_images"])
        values["more_sizes"] = tuple((size[0], size[1]) for size in row["more_sizes"])
    if row.get("weight") is not None:
        values["weight"] = row["weight"]
    for name in ("choices", "answers", "reviewers"):
        values[name] = tuple(values[name])
    return Example(**{**values, "boxes": tuple(NamedBox(**box) for box in values["boxes"])})


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """sha256 over rows (of `to_row`, or read back) in their order, whatever wrote the file."""
    sha = hashlib.sha256()
    for row in rows:
        sha.update(_bytes(row) + b"\n")
    return sha.hexdigest()
