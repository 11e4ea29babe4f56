"""Events of a trace: what each kind carries, and how they are packed and compared.

Payloads, beside `seq`, `kind`, `line` (of the original source) and `frame` of every event:

`call`         `function`, `arguments` {name: value}, `parent` frame, `depth` (0 for
               execute_command)
`return`       `function`, `value`
`line`         `changed` {name: value}: variables that the statement mentions and whose summary
               differs from the one before; `form`: `for` when a loop target was bound
`branch`       `form`: `if`, `elif` or `while`; `taken`: bool; `changed` where `:=` bound a variable
               in the test
`tool`         `call` number from 0, `tool`, `receiver` (patch or None), `arguments` {name: value},
               `column`, `inside`: `statement`, `lambda` or `comprehension`
`tool_result`  `call`, `tool`, `ok`, `result` or `error`, and what is measured: `duration_ms` (this
               call's share of its batch), `queue_ms`, `batch_size`, `cached`
`print`        `text`, as printed, without the last line break
`exception`    `type`, `message`, `handled`; `line` is where it was raised
`limit`        `limit` (a kind of failure), `message`
`truncated`    `kept`: number of events that the trace holds; the others were left out
`end`          `ok`, `answer` (full text) or `error` {kind, message, line}; `steps`, `tool_calls`

A value is JSON: None, bool, numbers and short text as they are; `{"type": "patch", "box": [x0, y0,
x1, y1], "label", "score"}` (pixels, top-left origin), `{"type": "list" | "tuple" | "set" | "dict",
"length", "items"}` (first 12, to depth 3, dict items as pairs), `{"type": "str", "length", "text"}`
for long text, `{"type": "object", "name"}` for the rest. Order is execution order; the events of a
nested call come before the statement that made it.

The `box` of a patch is its place in the task's picture.  Where a task has several pictures, a patch
of another than the first has `picture`, its number from 0, and `size`, its width and height.  A
patch of a picture that the program made has `made` as well: `image`, that picture's digest, its
`size`, and `box`, the patch in that picture's own pixels.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from workbench.made_pictures import MadeRegion, made_part, place_of
from workbench.records import JSON, Region, TraceEvent, Value, storable

MEASURED = ("duration_ms", "queue_ms", "batch_size", "cached")
"""Payload keys of `tool_result` that differ between equal runs."""

MAX_TRACE = 2**26
"""Bytes of events that a trace may hold; twice as many are read back at most."""

ITEMS = 12
"""Most items of a container that a payload holds, results of tools apart."""
RESULT_ITEMS = 50
"""Most items of a tool's result that a payload holds."""


def summary(value: Value, items: int = ITEMS, depth: int = 3, pictures: Sequence[str] = ()) -> JSON:
    """A value as it stands in a payload.

    Args:
        value: the value.
        items: most items of a container that the payload holds.
        depth: levels of nesting that it holds.
        pictures: digests of the task's pictures, where there are several.
    """
    if isinstance(value, Region):
        return _patch(value, pictures)
    if isinstance(value, dict):
        pairs = [
            [summary(k), summary(v, items, depth - 1, pictures)]
            for k, v in list(value.items())[:items]
        ]
        return {"type": "dict", "length": len(value), "items": pairs if depth else None}
    if isinstance(value, list | tuple):
        kind = type(value).__name__
        inner = [summary(v, items, depth - 1, pictures) for v in value[:items]] if depth else None
        return {"type": kind, "length": len(value), "items": inner}
    if isinstance(value, str) and len(value) > 1000:
        return {"type": "str", "length": len(value), "text": value[:1000]}
    return plain_number(value) if isinstance(value, float) else value


def _patch(region: Region, pictures: Sequence[str]) -> JSON:
    place = place_of(region)
    box = [int(x) if x == int(x) else x for x in place.box.as_tuple()]
    score = plain_number(region.score)
    patch = {"type": "patch", "box": box, "label": region.label, "score": score}
    if place.image in pictures[1:]:
        patch["picture"] = pictures.index(place.image)
        patch["size"] = [place.width, place.height]
    if isinstance(region, MadeRegion):
        patch["made"] = made_part(region)
    return patch


def plain_number(value: float | None) -> JSON:
    """A number as JSON holds it; infinity and NaN, which JSON lacks, stand as a text."""
    if value is None or math.isfinite(value):
        return value
    return {"type": "float", "text": str(value)}


def tool_seconds(events: Iterable[TraceEvent]) -> float:
    """Seconds in which tools worked for a run: its calls' shares of their batches."""
    results = (event.payload for event in events if event.kind == "tool_result")
    return sum(float(result.get("duration_ms") or 0.0) for result in results) / 1000


ARCHIVED = b"VPD archive 1 "
"""How the stored events of a trace begin that lie in `archive/` instead; no encoded trace does."""


def encode_events(events: Iterable[TraceEvent]) -> bytes:
    """Events as compressed JSON: about 10 to 20 bytes an event."""
    rows = [[e.kind, e.line, e.frame, e.payload] for e in events]
    try:
        text = orjson.dumps(rows)
    except TypeError:  # integers of more than 64 bits, lone surrogates
        text = storable(json.dumps(rows, ensure_ascii=False, separators=(",", ":"))).encode()
    # Of a short text zlib's time goes into clearing its tables: small ones make it six times as
    # fast.
    packer = zlib.compressobj() if len(text) > 8192 else zlib.compressobj(6, zlib.DEFLATED, 12, 4)
    return packer.compress(text) + packer.flush()


def decode_events(data: bytes) -> tuple[TraceEvent, ...]:
    """The inverse of `encode_events`.

    Raises:
        ValueError: the bytes are not those of a trace, or only say where they are.
    """
    if data.startswith(ARCHIVED):
        raise ValueError(
            "this trace's events were archived, and their file in archive/ is missing or was "
            "changed; put it back from a backup (vpd doctor names it)"
        )
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(data, 2 * MAX_TRACE)
        if unpacker.unconsumed_tail:
            raise TypeError(f"more than {2 * MAX_TRACE} bytes")
        rows = json.loads(text)
        return tuple(TraceEvent(i, row[0], row[1], row[2], row[3]) for i, row in enumerate(rows))
    except (
        zlib.error,
        json.JSONDecodeError,
        UnicodeDecodeError,
        IndexError,
        TypeError,
        KeyError,
    ) as error:
        raise ValueError(
            f"these bytes are no encoded trace ({error}); run the program again"
        ) from error


def final_locals(events: Iterable[TraceEvent], frame: int = 0) -> dict[str, JSON]:
    """The variables of a frame as its last events have them.

    Args:
        events: the events of a trace, whose `arguments` and `changed` are replayed.
        frame: number of the frame.
    """
    variables: dict[str, JSON] = {}
    for event in events:
        if event.frame == frame:
            variables.update(event.payload.get("arguments", {}) if event.kind == "call" else {})
            variables.update(event.payload.get("changed", {}))
    return variables


def stable(event: TraceEvent) -> tuple[Any, ...]:
    """An event without what is measured, so that equal runs give equal events."""
    payload = {k: v for k, v in event.payload.items() if k not in MEASURED}
    return (
        event.kind,
        event.line,
        event.frame,
        json.dumps(payload, sort_keys=True, ensure_ascii=False),
    )


Change = tuple[str, TraceEvent | None, TraceEvent | None]
"""`same`, `removed`, `added` or `changed`, with the event of the first and of the second trace."""


def diff_traces(
    a: Sequence[TraceEvent], b: Sequence[TraceEvent], key: Callable[[TraceEvent], Any] = stable
) -> list[Change]:
    """What differs between two traces, in order.

    Events align by kind and line; an aligned pair whose content differs is `changed`.  Prefix and
    suffix are matched first, the rest greedily, so that traces of a thousand steps compare in
    milliseconds.

    Args:
        a: events of the first trace.
        b: events of the second trace.
        key: gives what two events must share to be the same.
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


def _align(
    a: Sequence[TraceEvent], b: Sequence[TraceEvent], key: Callable[[TraceEvent], Any]
) -> list[Change]:
    changes: list[Change] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if key(a[i]) == key(b[j]):
            changes.append(("same", a[i], b[j]))
        elif (a[i].kind, a[i].line) == (b[j].kind, b[j].line):
            changes.append(("changed", a[i], b[j]))
        else:
            ahead = next(
                (n for n in range(j, min(j + 50, len(b))) if _place(b[n]) == _place(a[i])), None
            )
            back = next(
                (n for n in range(i, min(i + 50, len(a))) if _place(a[n]) == _place(b[j])), None
            )
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
