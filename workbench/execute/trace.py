"""Events: what each kind carries, how they are recorded, packed and compared.

Payloads, beside `seq`, `kind`, `line` (of the original source) and `frame` of every event:

`call`         `function`, `arguments` {name: value}, `parent` frame, `depth` (0 for execute_command)
`return`       `function`, `value`
`line`         `changed` {name: value}: variables that the statement mentions and whose summary differs from the
               last one seen; `form`: `for` when a loop target was bound
`branch`       `form`: `if`, `elif` or `while`; `taken`: bool; `changed` where `:=` bound a variable in the test
`tool`         `call` number from 0, `tool`, `receiver` (patch or None), `arguments` {name: value}, `column`,
               `inside`: `statement`, `lambda` or `comprehension`
`tool_result`  `call`, `tool`, `ok`, `result` or `error`, and measured: `duration_ms` (this call's share of its
               batch), `queue_ms`, `batch_size`, `cached`
`print`        `text`, as printed, last line break left out
`exception`    `type`, `message`, `handled`; `line` is where it was raised
`limit`        `limit` (a kind of failure), `message`
`truncated`    `kept`: events kept; the rest was left out
`end`          `ok`, `answer` (full text) or `error` {kind, message, line}; `steps`, `tool_calls`

A value is JSON: None, bool, numbers and short text as they are;
`{"type": "patch", "box": [x0, y0, x1, y1], "label", "score"}` (pixels, top-left origin),
`{"type": "list" | "tuple" | "set" | "dict", "length", "items"}` (first 12, to depth 3, dict items as pairs),
`{"type": "str", "length", "text"}` for long text, `{"type": "object", "name"}` for the rest.
Order is execution order; the events of a nested call come before the statement that made it.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from workbench.execute.language.desugar import CallSite
from workbench.execute.language.instrument import Site
from workbench.records import JSON, EventKind, Failure, Region, ToolCall, TraceEvent, Value, storable

MEASURED = ("duration_ms", "queue_ms", "batch_size", "cached")
"""Payload keys of `tool_result` that differ between equal runs."""

_ITEMS = 12
_RESULT_ITEMS = 50


def summary(value: Value, items: int = _ITEMS, depth: int = 3) -> JSON:
    """A host value as it stands in a payload."""
    if isinstance(value, Region):
        box = [int(x) if x == int(x) else x for x in value.box.as_tuple()]
        return {"type": "patch", "box": box, "label": value.label, "score": _number(value.score)}
    if isinstance(value, dict):
        shown = [[summary(k), summary(v, items, depth - 1)] for k, v in list(value.items())[:items]]
        return {"type": "dict", "length": len(value), "items": shown if depth else None}
    if isinstance(value, list | tuple):
        kind = type(value).__name__
        inner = [summary(v, items, depth - 1) for v in value[:items]] if depth else None
        return {"type": kind, "length": len(value), "items": inner}
    if isinstance(value, str) and len(value) > 1000:
        return {"type": "str", "length": len(value), "text": value[:1000]}
    return _number(value) if isinstance(value, float) else value


def _number(value: float | None) -> JSON:
    if value is None or math.isfinite(value):
        return value
    return {"type": "float", "text": str(value)}


@dataclass(slots=True)
class Recorder:
    """Builds the events of one run from what the sandbox reports; everything reported is hostile."""

    sites: Sequence[Any]
    height: int
    """Height of the picture, to turn boxes the right way up."""
    cap: int
    """Events kept."""
    events: list[TraceEvent] = field(default_factory=list)
    steps: int = 0
    last_line: int = 0
    """Line of the last event."""
    next_line: int = 0
    """Line of the statement that probably runs now."""
    dropped: int = 0
    _seen: dict[tuple[int, str], str] = field(default_factory=dict)
    _depths: dict[int, int] = field(default_factory=dict)

    def add(self, kind: EventKind, line: int, frame: int, payload: Mapping[str, JSON]) -> None:
        """One event of the host's own."""
        if len(self.events) >= self.cap and kind != "end":
            self.dropped += 1
            return
        self.events.append(TraceEvent(len(self.events), kind, line, frame, payload))

    def take(self, reports: Any) -> None:
        """Reports of the sandbox, in order.  Malformed ones are dropped: they cannot come from our own prelude."""
        if type(reports) is not list:
            return
        for report in reports:
            if type(report) is tuple and len(report) >= 3 and type(report[0]) is int and type(report[1]) is int:
                self._take(report)

    def place(self, number: Any) -> tuple[int, int, str]:
        """Line, column and surroundings of a site number; a negative one means the line of that other site."""
        if type(number) is not int:
            return self.last_line, 0, "statement"
        site = self.sites[number if number >= 0 else -1 - number] if -len(self.sites) <= number else None
        if site is None:
            return self.last_line, 0, "statement"
        if isinstance(site, CallSite) and number >= 0:
            return site.line, site.column, site.inside
        return site.line, 0, "statement"

    def _take(self, report: tuple[Any, ...]) -> None:
        number, frame = report[0], max(report[1] - 1, 0)
        site = self.sites[number] if 0 <= number < len(self.sites) else None
        if not isinstance(site, Site):
            line, _, _ = self.place(number)
            text = str(report[2])
            self.last_line = line
            self.add("print", line, frame, {"text": text.removesuffix("\n")})
            return
        self.last_line = site.line
        self.next_line = (site.following if site.kind != "branch" or report[2] else site.otherwise) or site.line
        if site.kind in ("line", "branch", "call", "exception"):
            self.steps += 1
        if site.kind == "line":
            changed = self._changed(frame, site.names, report[2])
            self.add("line", site.line, frame, {"changed": changed, **({"form": site.form} if site.form else {})})
        elif site.kind == "branch":
            changed = self._changed(frame, site.names, report[3])
            payload = {"form": site.form, "taken": bool(report[2]), **({"changed": changed} if changed else {})}
            self.add("branch", site.line, frame, payload)
        elif site.kind == "call":
            parent = max(int(report[3]) - 1, 0)
            depth = self._depths[frame] = 0 if frame == 0 else self._depths.get(parent, 0) + 1
            arguments = self._changed(frame, site.names, report[2])
            payload = {"function": site.function, "arguments": arguments, "parent": parent, "depth": depth}
            self.add("call", site.line, frame, payload)
        elif site.kind == "return":
            self.add("return", site.line, frame, {"function": site.function, "value": self.value(report[2])})
        elif site.kind == "exception":
            kind, message, line = report[2]
            self.add("exception", int(line), frame, {"type": kind, "message": message, "handled": True})

    def _changed(self, frame: int, names: Sequence[str], values: Any) -> dict[str, JSON]:
        changed = {}
        for name, packed in zip(names, values):
            value = self.value(packed)
            text = json.dumps(value, ensure_ascii=False)
            if self._seen.get((frame, name)) != text:
                self._seen[frame, name] = text
                changed[name] = value
        return changed

    def value(self, v: Any) -> JSON:
        """A summary made by the prelude, as JSON."""
        if type(v) is float:
            return _number(v)
        if type(v) is not tuple:
            return v if v is None or type(v) in (bool, int, str) else {"type": "object", "name": "?"}
        tag = v[0]
        if tag == "s":
            return {"type": "str", "length": v[1], "text": v[2]}
        if tag == "p":
            left, lower, right, upper = v[1]
            box = [left, self.height - upper, right, self.height - lower]
            return {"type": "patch", "box": box, "label": v[2], "score": _number(v[3])}
        if tag == "c":
            items = v[3]
            if items is not None:
                items = (
                    [[self.value(a), self.value(b)] for a, b in items]
                    if v[1] == "dict"
                    else list(map(self.value, items))
                )
            return {"type": v[1], "length": v[2], "items": items}
        return {"type": "object", "name": str(v[1])[:100]}

    def asked(self, number: int, call: ToolCall, site: Any, frame: Any) -> None:
        """The program issued a tool call and waits."""
        line, column, inside = self.place(site)
        self.last_line = line
        arguments = {k: summary(v) for k, v in call.arguments.items() if k != "patch"}
        receiver = call.arguments.get("patch")
        payload = {
            "call": number,
            "tool": call.tool,
            "receiver": None if receiver is None else summary(receiver),
            "arguments": arguments,
            "column": column,
            "inside": inside,
        }
        self.add("tool", line, max(int(frame) - 1, 0), payload)

    def answered(self, number: int, tool: str, frame: Any, outcome: Mapping[str, JSON], result: Value = None) -> None:
        """The host answered it; `outcome` holds `ok`, `error` and what was measured."""
        payload: dict[str, JSON] = {"call": number, "tool": tool, **outcome}
        if outcome["ok"]:
            payload["result"] = summary(result, _RESULT_ITEMS)
        self.add("tool_result", self.last_line, max(int(frame) - 1, 0), payload)

    def finish(self, answer: str | None, failure: Failure | None, tool_calls: int) -> tuple[TraceEvent, ...]:
        """Close the trace with `truncated` (where events were left out) and `end`."""
        if self.dropped:
            kept = len(self.events)
            self.events.append(TraceEvent(kept, "truncated", self.last_line, 0, {"kept": kept}))
        payload: dict[str, JSON] = {"ok": failure is None, "steps": self.steps, "tool_calls": tool_calls}
        if failure is None:
            payload["answer"] = answer
        else:
            payload["error"] = {"kind": failure.kind, "message": failure.message, "line": failure.line}
        self.add("end", 0, 0, payload)
        return tuple(self.events)


def encode_events(events: Iterable[TraceEvent]) -> bytes:
    """Events as compressed JSON: about 10 to 20 bytes an event."""
    rows = [[e.kind, e.line, e.frame, e.payload] for e in events]
    try:
        text = orjson.dumps(rows)
    except TypeError:  # integers of more than 64 bits, lone surrogates
        text = storable(json.dumps(rows, ensure_ascii=False, separators=(",", ":"))).encode()
    # Of a short text zlib's time goes into clearing its tables: small ones make it six times as fast.
    packer = zlib.compressobj() if len(text) > 8192 else zlib.compressobj(6, zlib.DEFLATED, 12, 4)
    return packer.compress(text) + packer.flush()


def decode_events(data: bytes) -> tuple[TraceEvent, ...]:
    """The inverse of `encode_events`.  Raises ValueError for bytes that it did not write."""
    try:
        rows = json.loads(zlib.decompress(data))
        return tuple(TraceEvent(i, row[0], row[1], row[2], row[3]) for i, row in enumerate(rows))
    except (zlib.error, json.JSONDecodeError, UnicodeDecodeError, IndexError, TypeError, KeyError) as error:
        raise ValueError(f"these bytes are no encoded trace ({error}); run the program again") from error


def final_locals(events: Iterable[TraceEvent], frame: int = 0) -> dict[str, JSON]:
    """The variables of a frame as last reported: replays `arguments` and `changed`."""
    found: dict[str, JSON] = {}
    for event in events:
        if event.frame == frame:
            found.update(event.payload.get("arguments", {}) if event.kind == "call" else {})
            found.update(event.payload.get("changed", {}))
    return found


def stable(event: TraceEvent) -> tuple[Any, ...]:
    """An event without what is measured: equal for equal runs."""
    payload = {k: v for k, v in event.payload.items() if k not in MEASURED}
    return event.kind, event.line, event.frame, json.dumps(payload, sort_keys=True, ensure_ascii=False)


Change = tuple[str, TraceEvent | None, TraceEvent | None]


def diff_traces(
    a: Sequence[TraceEvent], b: Sequence[TraceEvent], key: Callable[[TraceEvent], Any] = stable
) -> list[Change]:
    """What differs between two traces, in order: `("same" | "removed" | "added" | "changed", from a, from b)`.

    Events align by kind and line; an aligned pair whose content differs is `changed`.  Prefix and suffix are
    matched first, the rest greedily, so that two thousand-step traces compare in milliseconds.
    """
    start = 0
    while start < min(len(a), len(b)) and key(a[start]) == key(b[start]):
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and key(a[-1 - end]) == key(b[-1 - end]):
        end += 1
    changes: list[Change] = [("same", x, y) for x, y in zip(a[:start], b[:start])]
    changes += _align(a[start : len(a) - end], b[start : len(b) - end], key)
    changes += [("same", x, y) for x, y in zip(a[len(a) - end :], b[len(b) - end :])]
    return changes


def _align(a: Sequence[TraceEvent], b: Sequence[TraceEvent], key: Callable[[TraceEvent], Any]) -> list[Change]:
    changes: list[Change] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if key(a[i]) == key(b[j]):
            changes.append(("same", a[i], b[j]))
        elif (a[i].kind, a[i].line) == (b[j].kind, b[j].line):
            changes.append(("changed", a[i], b[j]))
        else:
            ahead = next((n for n in range(j, min(j + 50, len(b))) if _place(b[n]) == _place(a[i])), None)
            back = next((n for n in range(i, min(i + 50, len(a))) if _place(a[n]) == _place(b[j])), None)
            if ahead is not None and (back is None or ahead - j <= back - i):
                changes.append(("added", None, b[j]))
                j += 1
            else:
                changes.append(("removed", a[i], None))
                i += 1
            continue
        i, j = i + 1, j + 1
    changes += [("removed", x, None) for x in a[i:]]
    changes += [("added", None, y) for y in b[j:]]
    return changes


def _place(event: TraceEvent) -> tuple[str, int, int]:
    return event.kind, event.line, event.frame
