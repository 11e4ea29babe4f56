"""A program and its trace as lines of text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workbench.cli.text import safe, seconds
from workbench.records import JSON, Trace, TraceEvent
from workbench.store import Run

LONGEST = 100
"""Characters of one value that are printed."""


def program_lines(source: str, failed: int | None = None) -> list[str]:
    """Lines of a source with their numbers; the line that failed is marked with `>`."""
    lines = source.rstrip("\n").split("\n")
    wide = len(str(len(lines)))
    marks = {failed: ">"}
    return [
        f"{marks.get(at, ' ')} {at:>{wide}}  {safe(line, 200, lines=True)}"
        for at, line in enumerate(lines, 1)
    ]


def value_text(value: JSON) -> str:
    """A short text for a value of an event's payload."""
    if isinstance(value, Mapping) and "type" in value:
        kind = value["type"]
        if kind == "patch":
            box = " ".join(f"{edge:.0f}" for edge in value.get("box", ()))
            score = f" {value['score']:.2f}" if isinstance(value.get("score"), float) else ""
            return f"<{safe(value.get('label') or 'patch', 40)}{score} at {box}>"
        if kind in ("list", "tuple", "set", "dict") and isinstance(value.get("items"), Sequence):
            show: Callable[[Any], str] = _pair if kind == "dict" else value_text
            items = [show(item) for item in value["items"]]
            more = ", …" if value.get("length", 0) > len(items) else ""
            ends = {"list": "[]", "tuple": "()", "set": "{}", "dict": "{}"}[kind]
            return f"{ends[0]}{', '.join(items)}{more}{ends[1]}"
        if kind == "str":
            return safe(repr(value.get("text", "")), LONGEST)
        return f"<{safe(value.get('name', kind), 40)}>"
    return safe(
        repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False), LONGEST
    )


def _pair(item: Sequence[JSON]) -> str:
    key, value = item
    return f"{value_text(key)}: {value_text(value)}"


def step_lines(events: Sequence[TraceEvent]) -> Iterator[str]:
    """A line for each tool call with its result, each change of variables, branch and print."""
    calls: dict[int, TraceEvent] = {}
    for event in events:
        payload = event.payload
        if event.kind == "tool":
            calls[payload.get("call", -1)] = event
        elif event.kind == "tool_result":
            call = calls.get(payload.get("call", -1), event)
            yield f"line {call.line}: {_call(call.payload)} -> {_outcome(payload)}"
        elif event.kind == "line" and payload.get("changed"):
            changed = ", ".join(
                f"{safe(name, 40)} = {value_text(value)}"
                for name, value in payload["changed"].items()
            )
            yield f"line {event.line}: {changed}"
        elif event.kind == "branch":
            direction = "taken" if payload.get("taken") else "not taken"
            yield f"line {event.line}: {safe(payload.get('form', 'if'))} {direction}"
        elif event.kind == "print":
            yield f"line {event.line}: prints {safe(repr(payload.get('text', '')), LONGEST)}"
        elif event.kind in ("exception", "limit"):
            yield (
                f"line {event.line}: {safe(payload.get('type') or payload.get('limit'), 40)}: "
                + safe(payload.get("message", ""), 300)
            )
        elif event.kind == "truncated":
            yield f"(only the first {payload.get('kept')} events were kept)"


def _call(payload: Mapping[str, Any]) -> str:
    arguments = ", ".join(
        f"{safe(name, 40)}={value_text(value)}"
        for name, value in payload.get("arguments", {}).items()
    )
    receiver = payload.get("receiver")
    of = f"{value_text(receiver)}." if receiver is not None else ""
    return f"{of}{safe(payload.get('tool', '?'), 60)}({arguments})"


def _outcome(payload: Mapping[str, Any]) -> str:
    text = (
        value_text(payload.get("result"))
        if payload.get("ok")
        else f"failed: {safe(payload.get('error', ''), 300)}"
    )
    if payload.get("cached"):
        return f"{text}  (known)"
    took = payload.get("duration_ms")
    return f"{text}  ({took:.0f} ms)" if isinstance(took, int | float) else text


def ending(trace: Trace) -> str:
    """The answer or the failure of a run, in one line."""
    if trace.failure is not None:
        where = f" in line {trace.failure.line}" if trace.failure.line else ""
        return f"failed{where}, {trace.failure.kind}: {safe(trace.failure.message, 300)}"
    return f"answer: {safe(trace.answer, 300)}"


def _times(trace: Trace) -> str:
    """How long a run worked, and how long it waited for its turn where that is worth a word."""
    work = trace.seconds if trace.work is None else trace.work
    waiting = trace.seconds - work
    return seconds(work) + (f" of work, {seconds(waiting)} of waiting" if waiting >= 0.05 else "")


def run_lines(run: Run) -> Iterator[str]:
    """Lines of a program, of its steps, and of their result."""
    failed = (
        run.trace.failure.line if run.trace is not None and run.trace.failure is not None else None
    )
    yield from program_lines(run.program.source, failed)
    if run.trace is None:
        yield "not run yet"
        return
    for line in step_lines(run.trace.events):
        yield f"    {line}"
    yield f"{ending(run.trace)}  ({_times(run.trace)}, {run.trace.tool_calls} tool calls)"
    if run.verdict is not None:
        yield verdict_line(run)


def verdict_line(run: Run) -> str:
    """The verdict on a run, in words."""
    assert run.verdict is not None
    word = (
        {True: "right", False: "wrong"}
        if run.verdict.method == "gold"
        else {True: "agrees", False: "differs"}
    )
    kept = ", kept" if run.verdict.chosen else ""
    return f"{word[run.verdict.correct]}{kept}: {safe(run.verdict.reason, 400)}"
