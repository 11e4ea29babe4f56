"""Records to Arrow tables and back: the only place that knows both shapes.

Text from models and datasets may hold anything; a lone surrogate cannot be written as UTF-8 and
becomes '?'.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, overload
from uuid import uuid4

import pyarrow as pa

from workbench.events import decode_events, encode_events
from workbench.records import (
    Citation,
    Failure,
    PartRef,
    Prediction,
    Program,
    Rationale,
    Task,
    Trace,
    TraceEvent,
    Verdict,
    content_key,
    plain,
    storable,
    storable_json,
)
from workbench.store.records.words import text_of, tools_of
from workbench.verify.answers import canonical

_TEXTS = pa.list_(pa.string())
_TIME = pa.timestamp("us")

SCHEMAS: Mapping[str, pa.Schema] = {
    name: pa.schema([*columns.items(), ("created_at", _TIME)])
    for name, columns in {
        "part": {k: pa.string() for k in ("key", "role", "name", "version", "arguments")},
        "bad_row": {
            "source": pa.string(),
            "file": pa.string(),
            "line": pa.int64(),
            "reason": pa.string(),
        },
        "task": {
            "id": pa.string(),
            "seq": pa.int64(),
            "source": pa.string(),
            "split": pa.string(),
            "image": pa.string(),
            "question": pa.string(),
            "answers": _TEXTS,
            "answer_type": pa.string(),
            "choices": _TEXTS,
            "family": pa.string(),
            "meta": pa.string(),
            "content": pa.string(),
        },
        "program": {
            "id": pa.string(),
            "task_id": pa.string(),
            "sampler": pa.string(),
            "base_seed": pa.int64(),
            "index": pa.int32(),
            "source": pa.string(),
            "score": pa.float64(),
            "tokens": pa.int64(),
            "seed": pa.int64(),
            "seconds": pa.float64(),
            "parent": pa.string(),
        },
        "trace": {
            "id": pa.string(),
            "program_id": pa.string(),
            "task_id": pa.string(),
            "executor": pa.string(),
            "answer": pa.string(),
            "failure_kind": pa.string(),
            "failure_message": pa.string(),
            "failure_line": pa.int32(),
            "steps": pa.int64(),
            "tool_calls": pa.int64(),
            "seconds": pa.float64(),
            "events": pa.binary(),
            "tools": pa.string(),
            "form": pa.string(),
        },
        "verdict": {
            "id": pa.string(),
            "trace_id": pa.string(),
            "program_id": pa.string(),
            "task_id": pa.string(),
            "verifier": pa.string(),
            "runs": pa.int32(),
            "score": pa.float64(),
            "correct": pa.bool_(),
            "chosen": pa.bool_(),
            "method": pa.string(),
            "reason": pa.string(),
        },
        "rationale": {
            "id": pa.string(),
            "trace_id": pa.string(),
            "task_id": pa.string(),
            "writer": pa.string(),
            "text": pa.string(),
            "answer": pa.string(),
            "citations": pa.string(),
            "issues": _TEXTS,
        },
        "prediction": {
            "id": pa.string(),
            "task_id": pa.string(),
            "model": pa.string(),
            "answer": pa.string(),
            "rationale": pa.string(),
            "score": pa.float64(),
            "seconds": pa.float64(),
            "form": pa.string(),
        },
    }.items()
} | {
    "touched": pa.schema({"id": pa.string(), "task_ids": _TEXTS, "parts": _TEXTS, "texts": _TEXTS}),
}


def table(name: str, rows: Sequence[Mapping[str, Any]], created_at: datetime) -> pa.Table:
    """Rows of one table as Arrow, stamped."""
    schema = SCHEMAS[name]
    columns = [
        pa.repeat(pa.scalar(created_at, _TIME), len(rows))
        if column.name == "created_at"
        else _column([row[column.name] for row in rows], column.type)
        for column in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array([storable_json(value) for value in values], kind)


def part_key(ref: PartRef) -> str:
    """Key of a part in the store."""
    return content_key(ref)


class Keys:
    """Keys of the parts of one batch: its records share a few PartRef objects, and each is hashed
    once.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[PartRef, str]] = {}

    def __call__(self, ref: PartRef) -> str:
        held = self._known.get(id(ref))
        if held is None or held[0] is not ref:
            held = self._known[id(ref)] = ref, part_key(ref)
        return held[1]

    def refs(self) -> dict[str, PartRef]:
        """Every part met, by key."""
        return {key: ref for ref, key in self._known.values()}


def clean_task(task: Task) -> Task:
    """The task as the store will give it back, so that keys made before and after agree."""
    return Task(
        id=storable(task.id),
        source=storable(task.source),
        split=storable(task.split),
        image=task.image,
        question=storable(task.question),
        answers=tuple(storable_json(task.answers)),
        answer_type=task.answer_type,
        choices=tuple(storable_json(task.choices)),
        family=storable(task.family),
        meta=json.loads(_json(task.meta)),
    )


def _json(value: Any) -> str:
    return storable(
        json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    )


def from_part(ref: PartRef) -> dict[str, Any]:
    return {
        "key": part_key(ref),
        "role": ref.role,
        "name": ref.name,
        "version": ref.version,
        "arguments": _json(ref.arguments),
    }


def to_part(row: Mapping[str, Any]) -> PartRef:
    return PartRef(row["role"], row["name"], row["version"], json.loads(row["arguments"]))


def from_task(task: Task, seq: int) -> dict[str, Any]:
    return {
        "id": task.id,
        "seq": seq,
        "source": task.source,
        "split": task.split,
        "image": task.image,
        "question": task.question,
        "answers": task.answers,
        "answer_type": task.answer_type,
        "choices": task.choices,
        "family": task.family,
        "meta": _json(task.meta),
        "content": content_key(task),
    }


def to_task(row: Mapping[str, Any], prefix: str = "") -> Task:
    """A task from a row whose columns carry `prefix` (joined queries)."""
    get = {key: row[prefix + key] for key in _TASK_FIELDS}
    return Task(
        **{
            **get,
            "answers": tuple(get["answers"]),
            "choices": tuple(get["choices"]),
            "meta": json.loads(get["meta"]),
        }
    )


_TASK_FIELDS = (
    "id", "source", "split", "image", "question", "answers", "answer_type", "choices", "family", "meta",
)  # fmt: skip


def from_program(program: Program, key: Keys, base_seed: int) -> dict[str, Any]:
    return {
        "id": program.id,
        "task_id": program.task_id,
        "sampler": key(program.sampler),
        "base_seed": base_seed,
        "index": program.index,
        "source": program.source,
        "score": program.score,
        "tokens": program.tokens,
        "seed": program.seed,
        "seconds": program.seconds,
        "parent": program.parent,
    }


def to_program(row: Mapping[str, Any], parts: Mapping[str, PartRef]) -> Program:
    return Program(
        id=row["id"],
        task_id=row["task_id"],
        index=row["index"],
        source=row["source"],
        score=row["score"],
        tokens=row["tokens"],
        seed=row["seed"],
        sampler=parts[row["sampler"]],
        seconds=row["seconds"],
        parent=row["parent"],
    )


class PackedEvents(Sequence[TraceEvent]):
    """The events of a stored trace, decoded when they are first looked at; equal to the tuple of
    them.

    Most who read a trace look at its answer alone, and decoding takes ten times as long as all the
    rest.

    Args:
        packed: bytes of `encode_events`.

    Raises:
        ValueError: on the first look, for bytes that `encode_events` did not write.
    """

    __slots__ = ("_events",)

    def __init__(self, packed: bytes) -> None:
        self._events: bytes | tuple[TraceEvent, ...] = packed

    def _decoded(self) -> tuple[TraceEvent, ...]:
        events = self._events
        # Two threads may both decode; what they put in place is the same.
        if not isinstance(events, tuple):
            events = self._events = decode_events(events)
        return events

    @overload
    def __getitem__(self, place: int) -> TraceEvent: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[TraceEvent, ...]: ...

    def __getitem__(self, place: int | slice) -> TraceEvent | tuple[TraceEvent, ...]:
        return self._decoded()[place]

    def __len__(self) -> int:
        return len(self._decoded())

    def __iter__(self) -> Iterator[TraceEvent]:
        return iter(self._decoded())

    def __eq__(self, other: object) -> bool:
        return self._decoded() == (tuple(other) if isinstance(other, PackedEvents) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._decoded())


def form_of(answer: str | None, task: Task | None) -> str:
    """What an answer means, as the store keeps it: its canonical form, '' without one.

    Args: answer: text of a run or a student; None where it failed. task: the question; of an answer
        to a question that is not in the store, nothing but its text is known.
    """
    if answer is None:
        return ""
    return storable(answer if task is None else canonical(answer, task))


def from_trace(trace: Trace, key: Keys, task: Task | None) -> dict[str, Any]:
    """A row of `trace`, with `text`, which goes to `touched`.

    Args:
        trace: what happened.
        key: keys of the batch's parts.
        task: the question; None where the store lacks it.
    """
    failure = trace.failure
    return {
        "id": trace.id,
        "program_id": trace.program_id,
        "task_id": trace.task_id,
        "executor": key(trace.executor),
        "answer": trace.answer,
        "failure_kind": failure.kind if failure else None,
        "failure_message": failure.message if failure else None,
        "failure_line": failure.line if failure else None,
        "steps": trace.steps,
        "tool_calls": trace.tool_calls,
        "seconds": trace.seconds,
        "events": encode_events(trace.events),
        "tools": tools_of(trace.events),
        "form": form_of(trace.answer, task),
        "text": text_of(trace),
    }


def to_trace(row: Mapping[str, Any], parts: Mapping[str, PartRef]) -> Trace:
    failure = None
    if row["failure_kind"] is not None:
        failure = Failure(row["failure_kind"], row["failure_message"], row["failure_line"])
    return Trace(
        id=row["id"],
        program_id=row["program_id"],
        task_id=row["task_id"],
        answer=row["answer"],
        failure=failure,
        events=PackedEvents(row["events"]),
        steps=row["steps"],
        tool_calls=row["tool_calls"],
        seconds=row["seconds"],
        executor=parts[row["executor"]],
    )


def touches(table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The row of `touched` that goes with a batch of a table's rows."""
    task, maker, text = _TOUCHED[table]
    return [
        {
            "id": uuid4().hex,
            "task_ids": [row[task] for row in rows],
            "parts": [row.get(maker, "") for row in rows],
            "texts": [row.get(text, "") for row in rows],
        }
    ]


_TOUCHED = {
    "task": ("id", "", "question"),
    "program": ("task_id", "sampler", "source"),
    "trace": ("task_id", "executor", "text"),
    "verdict": ("task_id", "", ""),
    "rationale": ("task_id", "writer", "text"),
    "prediction": ("task_id", "", ""),
}
"""Columns with a record's task, its maker and the text by which it is found."""


def from_verdict(verdict: Verdict, key: Keys, runs: int) -> dict[str, Any]:
    return {
        "id": verdict.id,
        "trace_id": verdict.trace_id,
        "program_id": verdict.program_id,
        "task_id": verdict.task_id,
        "verifier": key(verdict.verifier),
        "runs": runs,
        "score": verdict.score,
        "correct": verdict.correct,
        "chosen": verdict.chosen,
        "method": verdict.method,
        "reason": verdict.reason,
    }


def to_verdict(row: Mapping[str, Any], parts: Mapping[str, PartRef]) -> Verdict:
    return Verdict(
        id=row["id"],
        trace_id=row["trace_id"],
        program_id=row["program_id"],
        task_id=row["task_id"],
        score=row["score"],
        correct=row["correct"],
        chosen=row["chosen"],
        method=row["method"],
        reason=row["reason"],
        verifier=parts[row["verifier"]],
    )


def from_rationale(rationale: Rationale, key: Keys) -> dict[str, Any]:
    return {
        "id": rationale.id,
        "trace_id": rationale.trace_id,
        "task_id": rationale.task_id,
        "writer": key(rationale.writer),
        "text": rationale.text,
        "answer": rationale.answer,
        "citations": json.dumps([[c.start, c.end, list(c.events)] for c in rationale.citations]),
        "issues": rationale.issues,
    }


def to_rationale(row: Mapping[str, Any], parts: Mapping[str, PartRef]) -> Rationale:
    return Rationale(
        id=row["id"],
        trace_id=row["trace_id"],
        task_id=row["task_id"],
        text=row["text"],
        answer=row["answer"],
        citations=tuple(
            Citation(start, end, tuple(events))
            for start, end, events in json.loads(row["citations"])
        ),
        issues=tuple(row["issues"]),
        writer=parts[row["writer"]],
    )


def from_prediction(prediction: Prediction, key: Keys, task: Task | None) -> dict[str, Any]:
    """A row of `prediction`.

    Args:
        prediction: what a student answered.
        key: keys of the batch's parts.
        task: the question; None where the store lacks it.
    """
    return {
        "id": prediction.id,
        "task_id": prediction.task_id,
        "model": key(prediction.model),
        "answer": prediction.answer,
        "rationale": prediction.rationale,
        "score": prediction.score,
        "seconds": prediction.seconds,
        "form": form_of(prediction.answer, task),
    }


def to_prediction(row: Mapping[str, Any], parts: Mapping[str, PartRef]) -> Prediction:
    return Prediction(
        id=row["id"],
        task_id=row["task_id"],
        answer=row["answer"],
        rationale=row["rationale"],
        score=row["score"],
        seconds=row["seconds"],
        model=parts[row["model"]],
    )
