"""The texts by which a task is found, and the names of the tools that its runs called."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.records import JSON, Trace, TraceEvent

LONGEST = 20_000
"""Characters that are indexed of what one trace printed and got from its tools."""


def text_of(trace: Trace) -> str:
    """What a run printed, what its tools gave and how it ended; empty for one to be repeated."""
    failure = trace.failure
    if failure is not None and failure.kind == "infra":
        return ""
    pieces = [trace.answer or "", failure.message if failure is not None else ""]
    size = 0
    for event in trace.events:
        kind = event.kind
        if kind == "print":
            pieces.append(str(event.payload.get("text", "")))
        elif kind == "tool_result":
            _gather(event.payload.get("result"), pieces)
        else:
            continue
        size += len(pieces[-1])
        if size > LONGEST:
            break
    return "\n".join(dict.fromkeys(pieces))[:LONGEST]


def _gather(value: JSON, pieces: list[str]) -> None:
    """Add every text within the summary of a value (see `workbench/events.py`).

    It is asked for each value of each trace that is stored, and so it is no generator.
    """
    if isinstance(value, str):
        pieces.append(value)
    elif isinstance(value, list):
        for item in value:
            _gather(item, pieces)
    elif isinstance(value, dict):
        for key in ("text", "label", "items"):
            if (inner := value.get(key)) is not None:
                _gather(inner, pieces)


def tools_of(events: Iterable[TraceEvent]) -> str:
    """The names of the tools that were called: '|exists|find|', sorted."""
    names = sorted(
        {str(event.payload.get("tool", "")) for event in events if event.kind == "tool"} - {""}
    )
    return "".join(f"|{name}" for name in names) + "|" if names else ""
