"""The events of a trace as lines of text, for people and for models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workbench.records import JSON, TraceEvent
from workbench.safe_text import safe

LONGEST = 100
"""Characters of one value that are printed."""


def value_text(value: JSON) -> str:
    """A short text for a value of an event's payload."""
    if isinstance(value, Mapping) and "type" in value:
        kind = value["type"]
        if kind == "patch":
            box = " ".join(f"{edge:.0f}" for edge in value.get("box", ()))
            score = f" {value['score']:.2f}" if isinstance(value.get("score"), float) else ""
            number = value.get("picture")
            where = f" in picture {number + 1}" if isinstance(number, int) else ""
            return f"<{safe(value.get('label') or 'patch', 40)}{score} at {box}{where}>"
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


def step_lines(events: Sequence[TraceEvent], timed: bool = True) -> Iterator[str]:
    """A line for each tool call with its result, each change of variables, branch and print.

    Args:
        events: of a trace.
        timed: how long each call took stands behind it; without, equal runs give equal lines.
    """
    calls: dict[int, TraceEvent] = {}
    for event in events:
        payload = event.payload
        if event.kind == "tool":
            calls[payload.get("call", -1)] = event
        elif event.kind == "tool_result":
            call = calls.get(payload.get("call", -1), event)
            yield f"line {call.line}: {_call(call.payload)} -> {_outcome(payload, timed)}"
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


def _outcome(payload: Mapping[str, Any], timed: bool) -> str:
    text = (
        value_text(payload.get("result"))
        if payload.get("ok")
        else f"failed: {safe(payload.get('error', ''), 300)}"
    )
    if not timed:
        return text
    if payload.get("cached"):
        return f"{text}  (known)"
    took = payload.get("duration_ms")
    return f"{text}  ({took:.0f} ms)" if isinstance(took, int | float) else text


def call_lines(events: Sequence[TraceEvent]) -> dict[int, str]:
    """Each tool call of a trace with its result in one line, by the number of the call."""
    calls: dict[int, TraceEvent] = {}
    lines = {}
    for event in events:
        number = event.payload.get("call", -1)
        if event.kind == "tool":
            calls[number] = event
            lines[number] = _call(event.payload)
        elif event.kind == "tool_result" and number in calls:
            lines[number] = f"{_call(calls[number].payload)} -> {_outcome(event.payload, False)}"
    return lines
