"""Rows of task files: a task as JSON and back, and rows that are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from workbench.records import Task

LONGEST_REASON = 399
"""Most characters of the reason of a row that is left out."""


def short_reason(reason: str) -> str:
    """A reason that quotes a long value, cut in its middle: what to do stands at the end."""
    if len(reason) <= LONGEST_REASON:
        return reason
    end = 140
    return f"{reason[: LONGEST_REASON - end - 3]} … {reason[-end:]}"


@dataclass(slots=True)
class Bad:
    """A row of a dataset that could not be imported."""

    file: str
    line: int
    """1-based; 0 where the file as a whole is meant."""
    reason: str
    """What was found and what was expected."""

    def __post_init__(self) -> None:
        self.reason = short_reason(self.reason)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


_TUPLES = ("answers", "choices", "more_images")
_NAMES = tuple(field.name for field in fields(Task))
_TEXTS = ("id", "source", "split", "image", "question", "answer_type", "family")


def task_to_json(task: Task) -> dict[str, Any]:
    """A task as plain values for `json.dumps`."""
    row = asdict(task)
    row |= {**{name: list(row[name]) for name in _TUPLES}, "meta": dict(task.meta)}
    if not task.more_images:
        del row["more_images"]
    return row


def task_from_json(row: Mapping[str, Any]) -> Task:
    """The inverse of `task_to_json`.

    Raises:
        ValueError: a field is missing, unknown or of the wrong type; the text names it.
    """
    unknown = sorted(set(row) - set(_NAMES))
    if unknown:
        raise ValueError(f"unknown field '{unknown[0]}'; expected {', '.join(_NAMES)}")
    for name in ("id", "source", "split", "image", "question"):
        if name not in row:
            raise ValueError(f"the field '{name}' is missing")
    for name in _TEXTS:
        if name in row and not isinstance(row[name], str):
            raise ValueError(f"the field '{name}' is {type(row[name]).__name__}; expected text")
    for name in _TUPLES:
        values = row.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError(f"the field '{name}' is {values!r:.60}; expected a list of texts")
    if not isinstance(row.get("meta", {}), dict):
        raise ValueError("the field 'meta' is not an object; expected one")
    return Task(**{**row, **{name: tuple(row.get(name, ())) for name in _TUPLES}})
