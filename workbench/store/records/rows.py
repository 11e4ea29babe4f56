"""Records to rows and back: the only place that knows both shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.events import encode_events, tool_seconds
from workbench.records import (
    Citation,
    Failure,
    PartRef,
    Prediction,
    Program,
    Rationale,
    Task,
    Trace,
    Verdict,
    content_key,
    plain,
    storable,
    storable_json,
)
from workbench.store.records.packed_events import PackedEvents
from workbench.store.records.stored_trace import lazily
from workbench.store.records.words import text_of, tools_of
from workbench.verify.answers import AnswerKind, canonical


def part_key(ref: PartRef) -> str:
    """Key of a part in the store."""
    return content_key(ref)


class Keys:
    """Keys of the parts of one batch.

    The records of a batch share a few PartRef objects, each of which is hashed once.
    """

    def __init__(self) -> None:
        self._pairs: dict[int, tuple[PartRef, str]] = {}

    def __call__(self, ref: PartRef) -> str:
        pair = self._pairs.get(id(ref))
        if pair is None or pair[0] is not ref:
            pair = self._pairs[id(ref)] = ref, part_key(ref)
        return pair[1]

    def refs(self) -> dict[str, PartRef]:
        """Every part that was asked for, by key."""
        return {key: ref for ref, key in self._pairs.values()}


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
        more_images=task.more_images,
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
        "more_images": task.more_images or None,
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
            "more_images": tuple(get["more_images"] or ()),
        }
    )


_TASK_FIELDS = (
    "id", "source", "split", "image", "question", "answers", "answer_type", "choices", "family",
    "meta", "more_images",
)  # fmt: skip


def from_program(program: Program, key: Keys, base_seed: int) -> dict[str, Any]:
    """A row of `program`.

    Args:
        program: what was sampled.
        key: keys of the batch's parts.
        base_seed: the seed of the scope, from which the program's own was drawn.
    """
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
        "problem": program.problem,
        "thinking": program.thinking,
        "draws": program.draws,
        "repeats": program.repeats,
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
        problem=row["problem"] or "",
        thinking=row["thinking"] or "",
        draws=row["draws"] or 1,
        repeats=row["repeats"],
    )


def form_of(answer: str | None, task: Task | AnswerKind | None) -> str:
    """The canonical form of an answer, as the store keeps it; empty without an answer.

    Args:
        answer: text of a run or a student; None where it failed.
        task: what is answered; without it the text is its own form.
    """
    if answer is None:
        return ""
    return storable(answer if task is None else canonical(answer, task))


def evidence_in(trace: Trace, source: str | None, choices: tuple[str, ...]) -> str:
    """What a trace's answer rests on, as the store keeps it; empty without an answer, and where its
    stored events cannot be read, which `vpd doctor` names.

    Args:
        trace: what happened.
        source: its program; None where the store lacks it.
        choices: the options of its question.
    """
    # it follows a run through its program, for which most commands have no use
    from workbench.rationalize.follow.evidence import evidence_of

    try:
        return evidence_of(source or "", trace, choices) or ""
    except ValueError:
        return ""


def from_trace(trace: Trace, key: Keys, task: AnswerKind | None) -> dict[str, Any]:
    """A row of `trace`, with `text`, which goes to `touched`; what an answer rests on is derived
    when it is asked for.

    Args:
        trace: what happened.
        key: keys of the batch's parts.
        task: of the question that the trace answers; None where the store lacks it.
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
        "evidence": None if trace.ok and trace.answer is not None else "",
        "work": tool_seconds(trace.events) if trace.work is None else trace.work,
        "text": text_of(trace),
    }


def to_trace(
    row: Mapping[str, Any],
    parts: Mapping[str, PartRef],
    source: str | None = None,
    choices: tuple[str, ...] = (),
) -> Trace:
    """A trace from its row; evidence that the store lacks is derived when it is first looked at.

    Args:
        row: of the table `trace`.
        parts: every part that made a record, by key.
        source: its program; without it no evidence is derived.
        choices: the options of its question.
    """
    failure = None
    if row["failure_kind"] is not None:
        failure = Failure(row["failure_kind"], row["failure_message"], row["failure_line"])
    values = {
        "id": row["id"],
        "program_id": row["program_id"],
        "task_id": row["task_id"],
        "answer": row["answer"],
        "failure": failure,
        "events": PackedEvents(row["events"]),
        "steps": row["steps"],
        "tool_calls": row["tool_calls"],
        "seconds": row["seconds"],
        "executor": parts[row["executor"]],
        "work": row["work"],
    }
    if row["evidence"] is not None or source is None:
        return Trace(**values, evidence=row["evidence"] or None)

    def derive(trace: Trace) -> Any:
        return evidence_in(trace, source, choices) or None

    return lazily(derive, values)


def touches(table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `touched` that go with a batch of a table's rows."""
    task, maker, text = _TOUCHED[table]
    return [
        {"task_id": row[task], "part": row.get(maker, ""), "text": row.get(text, "")}
        for row in rows
    ]


_TOUCHED = {
    "task": ("id", "", "question"),
    "program": ("task_id", "sampler", "source"),
    "trace": ("task_id", "executor", "text"),
    "verdict": ("task_id", "", ""),
    "rationale": ("task_id", "writer", "text"),
    "prediction": ("task_id", "", ""),
}
"""Columns of each table with a record's task, its part and the text to search in."""


def from_verdict(verdict: Verdict, key: Keys, runs: int) -> dict[str, Any]:
    """A row of `verdict`.

    Args:
        verdict: the verdict.
        key: keys of the batch's parts.
        runs: how many runs of the task were judged together.
    """
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
        "bare": rationale.bare,
        "unchecked": rationale.unchecked,
    }


def to_rationale(row: Mapping[str, Any], parts: Mapping[str, PartRef]) -> Rationale:
    return Rationale(
        id=row["id"],
        trace_id=row["trace_id"],
        task_id=row["task_id"],
        text=row["text"],
        answer=row["answer"],
        citations=tuple(
            Citation(a, b, tuple(events)) for a, b, events in json.loads(row["citations"])
        ),
        issues=tuple(row["issues"]),
        bare=bool(row["bare"]),
        unchecked=tuple(row["unchecked"] or ()),
        writer=parts[row["writer"]],
    )


def from_prediction(prediction: Prediction, key: Keys, task: AnswerKind | None) -> dict[str, Any]:
    """A row of `prediction`.

    Args:
        prediction: what a student answered.
        key: keys of the batch's parts.
        task: of the question; None where the store lacks it.
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
        "problem": prediction.problem,
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
        problem=row["problem"] or "",
    )
