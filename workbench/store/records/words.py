"""The texts by which a task is found, and the names of the tools that its runs called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
        if event.kind == "print":
            pieces.append(str(event.payload.get("text", "")))
        elif event.kind == "tool_result":
            pieces.extend(_texts(event.payload.get("result")))
        else:
            continue
        size += len(pieces[-1])
        if size > LONGEST:
            break
    return "\n".join(dict.fromkeys(pieces))[:LONGEST]


def _texts(value: JSON) -> Iterator[str]:
    """Every text within the summary of a value (see `workbench/events.py`)."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key in ("text", "label", "items"):
            yield from _texts(value.get(key))


def tools_of(events: Iterable[TraceEvent]) -> str:
    """The names of the tools that were called: '|exists|find|', sorted."""
    names = sorted(
        {str(event.payload.get("tool", "")) for event in events if event.kind == "tool"} - {""}
    )
    return "".join(f"|{name}" for name in names) + "|" if names else ""
