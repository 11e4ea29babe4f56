"""The recorder: it turns what a program reports while it runs into the events of its trace.

`workbench/events.py` describes the events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from workbench.events import ITEMS, RESULT_ITEMS, plain_number, summary
from workbench.execute.key_errors import key_error_text
from workbench.execute.language.desugar import CallSite
from workbench.execute.language.instrument import EventSite
from workbench.execute.values import Border, Unfit
from workbench.records import JSON, EventKind, Failure, ToolCall, TraceEvent, Value


@dataclass(slots=True)
class Recorder:
    """Builds the events of one run from the sandbox's reports, all of which count as hostile."""

    sites: Sequence[Any]
    """What the site numbers of the reports stand for: `Instrumented.sites`."""
    height: int
    """Height of the picture in pixels; the sandbox counts it from below."""
    cap: int
    """Number of events that are kept at most, `truncated` and `end` not counted."""
    room: int
    """Bytes of payloads that are kept at most, as JSON."""
    source: str = ""
    """The program."""
    border: Border | None = None
    """Knows the run's pictures beside the first one; None where there is only that."""
    events: list[TraceEvent] = field(default_factory=list)
    steps: int = 0
    """Statements, tests, calls and handlers so far."""
    printed: int = 0
    """Characters printed so far, events that were dropped included."""
    last_line: int = 0
    """Line of the last event; 0 before the first."""
    next_line: int = 0
    """Line of the statement that probably runs now; 0 when there is no guess."""
    dropped: int = 0
    """Number of events beyond the cap or the room."""
    _size: int = 0
    """Bytes of the payloads so far."""
    _last_values: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """The last value reported of each variable, by frame and name, as JSON text."""
    _depths: dict[int, int] = field(default_factory=dict)
    """Depth of each frame; a function that `execute_command` calls has 1."""

    def add(self, kind: EventKind, line: int, frame: int, payload: Mapping[str, JSON]) -> None:
        """Append an event, unless the trace is full.

        Args:
            kind: The kind of the event.
            line: Line of the source, from 1; 0 for none.
            frame: Number of the call in which it happened, from 0.
            payload: What `workbench/events.py` says of the kind.
        """
        full = self.dropped or len(self.events) >= self.cap or not self._fits(payload)
        if full and kind != "end":
            self.dropped += 1
            return
        self.events.append(TraceEvent(len(self.events), kind, line, frame, payload))

    def _fits(self, payload: Mapping[str, JSON]) -> bool:
        self._size += len(_encoded(payload))
        return self._size <= self.room

    def take(self, reports: Any) -> None:
        """Record reports of the sandbox, in their order.

        Malformed ones are dropped, because our own prelude makes none.
        """
        if type(reports) is not list:
            return
        for report in reports:
            if (
                type(report) is tuple
                and len(report) >= 3
                and type(report[0]) is int
                and type(report[1]) is int
            ):
                self._take(report)

    def place(self, number: Any) -> tuple[int, int, str]:
        """Line, column and surroundings of a call site.

        A negative number `-1 - n` stands for the line of site `n`; for anything that is not a site
        number the answer is the line of the last event.
        """
        if type(number) is not int or not -len(self.sites) <= number < len(self.sites):
            return self.last_line, 0, "statement"
        site = self.sites[number if number >= 0 else -1 - number]
        if isinstance(site, CallSite) and number >= 0:
            return site.line, site.column, site.inside
        return site.line, 0, "statement"

    def _take(self, report: tuple[Any, ...]) -> None:
        number, frame = report[0], max(report[1] - 1, 0)
        site = self.sites[number] if 0 <= number < len(self.sites) else None
        if not isinstance(site, EventSite):
            line, _, _ = self.place(number)
            text = str(report[2])
            self.last_line = line
            self.printed += len(text)
            self.add("print", line, frame, {"text": text.removesuffix("\n")})
            return
        self.last_line = site.line
        self.next_line = (
            site.following if site.kind != "branch" or report[2] else site.otherwise
        ) or site.line
        if site.kind in ("line", "branch", "call", "exception"):
            self.steps += 1
        if site.kind == "line":
            changes = self._changes(frame, site.names, report[2])
            self.add(
                "line",
                site.line,
                frame,
                {"changed": changes, **({"form": site.form} if site.form else {})},
            )
        elif site.kind == "branch":
            changes = self._changes(frame, site.names, report[3])
            payload = {
                "form": site.form,
                "taken": bool(report[2]),
                **({"changed": changes} if changes else {}),
            }
            self.add("branch", site.line, frame, payload)
        elif site.kind == "call":
            parent = max(int(report[3]) - 1, 0)
            depth = self._depths[frame] = 0 if frame == 0 else self._depths.get(parent, 0) + 1
            arguments = self._changes(frame, site.names, report[2])
            payload = {
                "function": site.function,
                "arguments": arguments,
                "parent": parent,
                "depth": depth,
            }
            self.add("call", site.line, frame, payload)
        elif site.kind == "return":
            self.add(
                "return",
                site.line,
                frame,
                {"function": site.function, "value": self.value(report[2])},
            )
        elif site.kind == "exception":
            self._take_exception(site, frame, *report[2])

    def _take_exception(
        self, site: EventSite, frame: int, kind: str, message: str, line: int | None
    ) -> None:
        if kind == "KeyError" and message:
            message = self.key_text(message, line)
        payload = {"type": kind, "message": message, "handled": True}
        self.add("exception", int(line or site.line), frame, payload)

    def key_text(self, key: str, line: int | None) -> str:
        """The text of a KeyError, of what the sandbox keeps of its key.

        Args:
            key: How the key is written.
            line: Where the error arose, where that is known.
        """
        return key_error_text(key, self.source, line, self._values_of)

    def _values_of(self, variable: str) -> Iterator[JSON]:
        for (_, name), value in self._last_values.items():
            if name == variable:
                yield orjson.loads(value)

    def _changes(self, frame: int, names: Sequence[str], values: Any) -> dict[str, JSON]:
        changes: dict[str, JSON] = {}
        if self.dropped:
            return changes  # nothing more is kept, so that its values cost nothing
        for name, packed in zip(names, values):
            value = self.value(packed)
            text = _encoded(value)
            if self._last_values.get((frame, name)) != text:
                self._last_values[frame, name] = text
                changes[name] = value
        return changes

    def value(self, v: Any) -> JSON:
        """A summary made by the prelude, as JSON."""
        if type(v) is float:
            return plain_number(v)
        if v is None or type(v) in (bool, int, str):
            return v
        if type(v) is not tuple:
            return {"type": "object", "name": "?"}
        tag = v[0]
        if tag == "s":
            return {"type": "str", "length": v[1], "text": v[2]}
        if tag == "p" and len(v) == 5:
            return self._other_patch(v)
        if tag == "p":
            left, lower, right, upper = v[1]
            box = [left, self.height - upper, right, self.height - lower]
            return {"type": "patch", "box": box, "label": v[2], "score": plain_number(v[3])}
        if tag == "c":
            items = v[3]
            if items is not None and v[1] == "dict":
                items = [[self.value(a), self.value(b)] for a, b in items]
            elif items is not None:
                items = list(map(self.value, items))
            return {"type": v[1], "length": v[2], "items": items}
        return {"type": "object", "name": str(v[1])[:100]}

    def _other_patch(self, v: tuple[Any, ...]) -> JSON:
        """A patch of another picture than the first one."""
        try:
            return self._summary(self.border.read(v) if self.border is not None else None)
        except Unfit:
            return {"type": "object", "name": "?"}

    def _summary(self, value: Value, items: int = ITEMS) -> JSON:
        wholes = self.border.wholes if self.border is not None else ()
        pictures = [whole.image for whole in wholes]
        return summary(value, items, pictures=pictures)

    def tool_call(self, number: int, call: ToolCall, site: Any, frame: Any) -> None:
        """Record that the program called a tool and waits.

        Args:
            number: Number of the call, from 0.
            call: The tool and its arguments.
            site: The sandbox's number of the place in the source.
            frame: The sandbox's number of the calling frame.
        """
        line, column, inside = self.place(site)
        self.last_line = line
        arguments = {k: self._summary(v) for k, v in call.arguments.items() if k != "patch"}
        receiver = call.arguments.get("patch")
        payload = {
            "call": number,
            "tool": call.tool,
            "receiver": None if receiver is None else self._summary(receiver),
            "arguments": arguments,
            "column": column,
            "inside": inside,
        }
        self.add("tool", line, max(int(frame) - 1, 0), payload)

    def tool_result(
        self, number: int, tool: str, frame: Any, outcome: Mapping[str, JSON], result: Value = None
    ) -> None:
        """Record the answer to a tool call.

        Args:
            number: Number of the call, from 0.
            tool: Name of the tool.
            frame: The sandbox's number of the calling frame.
            outcome: `ok`, `error` where there is one, and the times.
            result: The tool's result, where the call went well.
        """
        payload: dict[str, JSON] = {"call": number, "tool": tool, **outcome}
        if outcome["ok"]:
            payload["result"] = self._summary(result, RESULT_ITEMS)
        self.add("tool_result", self.last_line, max(int(frame) - 1, 0), payload)

    def finish(
        self, answer: str | None, failure: Failure | None, tool_calls: int
    ) -> tuple[TraceEvent, ...]:
        """Close the trace and give its events.

        Where events were left out, `truncated` comes before the `end`.

        Args:
            answer: The program's answer; None where it failed.
            failure: Why it failed; None where it did not.
            tool_calls: Number of calls that were answered.
        """
        if self.dropped:
            kept = len(self.events)
            self.events.append(TraceEvent(kept, "truncated", self.last_line, 0, {"kept": kept}))
        payload: dict[str, JSON] = {
            "ok": failure is None,
            "steps": self.steps,
            "tool_calls": tool_calls,
        }
        if failure is None:
            payload["answer"] = answer
        else:
            payload["error"] = {
                "kind": failure.kind,
                "message": failure.message,
                "line": failure.line,
            }
        self.add("end", 0, 0, payload)
        return tuple(self.events)


def _encoded(value: JSON | Mapping[str, JSON]) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # integers of more than 64 bits, lone surrogates
        return json.dumps(value).encode()
