"""One row of a snapshot: a question with what a student is to learn from it.

Boxes are kept as the rationale names them, on the 0-999 grid; `NamedBox.pixels` gives them in pixels.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import pyarrow as pa

from workbench.boxes import GRID, Box, from_grid
from workbench.english import singular

Split = Literal["train", "val"]
SPLITS: tuple[Split, ...] = ("train", "val")

_QUARTET = r"\d{1,3} \d{1,3} \d{1,3} \d{1,3}"
_BOX = re.compile(rf"(?<![\w.,-])(?<!\d ){_QUARTET}(?! ?\d|\w|[.,]\d)")
_NAMED = re.compile(
    rf"(?P<noun>[\w'-]+(?: [\w'-]+)?)(?: in the (?:image|picture))?,? at {_QUARTET}(?:(?:,| and|, and) {_QUARTET})*"
)
_LEADING = re.compile(r"^(?:\d+|the|a|an|this|that|one|both|of|is|are|and) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedBox:
    """A box that a rationale names."""

    label: str
    """What the text calls it, in the singular; empty where it does not say."""
    ymin: int
    xmin: int
    ymax: int
    xmax: int
    """Sides on the 0-999 grid of the whole picture."""
    start: int
    """First character of the four numbers in the rationale."""
    end: int
    """One past their last."""

    def pixels(self, width: int, height: int) -> Box:
        """The box in pixels of a picture of this size, top-left origin."""
        return from_grid((self.ymin, self.xmin, self.ymax, self.xmax), width, height)


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one picture, with its answer and, where there is one, its rationale."""

    task_id: str
    source: str
    task_split: str
    """The split that the question had in its source."""
    split: Split
    """The side of the snapshot; all rows of one picture, and of pictures that look alike, are on one."""
    family: str
    question: str
    choices: tuple[str, ...]
    answer: str
    """The short target: the commonest gold answer, or the trace's answer where there is no label."""
    answers: tuple[str, ...]
    """All gold answers; empty when unlabelled."""
    answer_type: str
    rationale: str | None
    """The long target; None for a row that teaches the label alone."""
    boxes: tuple[NamedBox, ...]
    """Named in the rationale, in the order of the text."""
    program: str | None
    """Source of the program whose trace the rationale tells."""
    image: str
    """Digest of the picture."""
    width: int
    height: int
    """Of the picture as decoded, upright, in pixels."""
    kind: Literal["person", "automatic", "label"]
    """Why it is in: a person accepted it, the verifier kept it, or it has a label and nothing more."""
    trace_id: str | None
    program_id: str | None
    rationale_id: str | None
    edited: bool
    """A person changed the program or the rationale."""
    reviewers: tuple[str, ...]
    """Who accepted it, sorted; empty unless `kind` is person."""
    guideline: str | None
    """Version of the guideline that the reviewers followed."""

    @property
    def id(self) -> str:
        """A stable name for this row: the same for the same task, trace and rationale."""
        made_of = json.dumps([self.task_id, self.trace_id, self.rationale_id])
        return hashlib.sha256(made_of.encode("utf-8", "replace")).hexdigest()[:20]


_NAMES = tuple(field.name for field in fields(Example))
_BOX_NAMES = tuple(field.name for field in fields(NamedBox))
_TEXTS = pa.list_(pa.string())
_BOX_TYPE = pa.struct(
    [("label", pa.string()), *((name, pa.int32()) for name in ("ymin", "xmin", "ymax", "xmax", "start", "end"))]
)
_OTHER: Mapping[str, pa.DataType] = {
    "choices": _TEXTS, "answers": _TEXTS, "reviewers": _TEXTS, "boxes": pa.list_(_BOX_TYPE),
    "width": pa.int32(), "height": pa.int32(), "edited": pa.bool_(),
}  # fmt: skip
SCHEMA = pa.schema([("id", pa.string()), *((name, _OTHER.get(name, pa.string())) for name in _NAMES)])
"""Columns of `train.parquet` and `val.parquet`; an optional column holds null where there is none."""


def boxes_in(text: str) -> tuple[NamedBox, ...]:
    """The boxes that a rationale names (`the bus at 469 124 726 351`), in the order of the text."""
    labels = [(match.start(), match.end(), _label(match["noun"])) for match in _NAMED.finditer(text)]
    found = []
    for match in _BOX.finditer(text):
        ymin, xmin, ymax, xmax = (int(cell) for cell in match[0].split())
        if ymin <= ymax <= GRID and xmin <= xmax <= GRID:
            label = next((name for start, end, name in labels if start <= match.start() < end), "")
            found.append(NamedBox(label, ymin, xmin, ymax, xmax, match.start(), match.end()))
    return tuple(found)


def _label(noun: str) -> str:
    while (shorter := _LEADING.sub("", noun)) != noun:
        noun = shorter
    words = noun.lower().split()
    return "" if words[-1] in ("one", "ones", "both") else " ".join([*words[:-1], singular(words[-1])])


def clean(value: Any) -> Any:
    """The value with lone surrogates, which no file can hold, as '?'."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def canonical(value: Any) -> bytes:
    """One byte string for one value: JSON with sorted keys; what digests are taken of."""
    return _bytes(clean(value))


def _bytes(cleaned: Any) -> bytes:
    return json.dumps(cleaned, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def to_row(example: Example) -> dict[str, Any]:
    """An example as a row of the Parquet files."""
    row: dict[str, Any] = {name: clean(getattr(example, name)) for name in _NAMES}
    boxes = [{name: clean(getattr(box, name)) for name in _BOX_NAMES} for box in example.boxes]
    return {"id": example.id, **row, "boxes": boxes}


def from_row(row: Mapping[str, Any]) -> Example:
    """The inverse of `to_row`."""
    values = {name: row[name] for name in _NAMES}
    for name in ("choices", "answers", "reviewers"):
        values[name] = tuple(values[name])
    return Example(**{**values, "boxes": tuple(NamedBox(**box) for box in values["boxes"])})


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """sha256 over rows (of `to_row`, or read back) in their order; the same whatever wrote the file."""
    found = hashlib.sha256()
    for row in rows:
        found.update(_bytes(row) + b"\n")
    return found.hexdigest()
