"""A pair of a snapshot: two things that were said to one question, of which one is preferred.

`program`: a right program and a wrong one.  `rationale`: a faithful rationale and one that is not,
or a person's wording and the one that it replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import pyarrow as pa

from workbench.records import storable_json
from workbench.snapshot.example import Split

PairKind = Literal["program", "rationale"]
PAIR_KINDS: tuple[PairKind, ...] = get_args(PairKind)
Origin = Literal["person", "edit", "verdict", "check"]
"""Who prefers: a person who decided, a person who edited, the verifier by the label, or the check
of rationales against traces.
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference about one question."""

    task_id: str
    source: str
    task_split: str
    """The split that the question had in its source."""
    split: Split
    """The side of the snapshot; all rows of one picture, pairs and examples, are on one."""
    family: str
    question: str
    choices: tuple[str, ...]
    answer: str
    """The short answer; empty without a label."""
    image: str
    """Digest of the picture."""
    width: int
    height: int
    """Size of the picture as decoded, upright, in pixels."""
    kind: PairKind
    prompt: str
    """What the writer of the programs is asked; empty for rationales, whose prompt is the student's
    own.
    """
    chosen: str
    rejected: str
    origin: Origin
    why: str
    """What speaks for the one and against the other, in words."""
    chosen_id: str
    """Id of the program or the rationale."""
    rejected_id: str
    chosen_trace: str | None
    rejected_trace: str | None
    reviewers: tuple[str, ...]
    """Whose word it rests on, sorted; empty where it rests on nobody's."""

    more_images = property(lambda self: ())
    """A pair is about one picture; these names are an example's."""

    @property
    def images(self) -> tuple[str, ...]:
        """The digest of its picture."""
        return (self.image,)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of its picture, in pixels."""
        return ((self.width, self.height),)

    @property
    def pictures(self) -> str:
        """What stands for its picture in training: the digest."""
        return self.image

    @property
    def rationale(self) -> str:
        """The text that is preferred, for whoever learns from it alone."""
        return self.chosen

    @property
    def id(self) -> str:
        """A stable name: the same two records are the same pair."""
        return f"{self.chosen_id}-{self.rejected_id}"


_NAMES = tuple(field.name for field in fields(Pair))
_LISTS = ("choices", "reviewers")
_OTHER: Mapping[str, pa.DataType] = {
    **dict.fromkeys(_LISTS, pa.list_(pa.string())),
    "width": pa.int32(),
    "height": pa.int32(),
}
PAIR_SCHEMA = pa.schema([(name, _OTHER.get(name, pa.string())) for name in _NAMES])
"""Columns of `pairs.parquet`; both sides stand in one file."""


def pair_row(pair: Pair) -> dict[str, Any]:
    """A pair as a row of `pairs.parquet`."""
    return {name: storable_json(getattr(pair, name)) for name in _NAMES}


def to_pair(row: Mapping[str, Any]) -> Pair:
    """The inverse of `pair_row`."""
    return Pair(**{**row, **{name: tuple(row[name]) for name in _LISTS}})
