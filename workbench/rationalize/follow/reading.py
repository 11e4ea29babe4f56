"""A trace's events in the form that the follower needs: patches as `Patch`, tool calls joined with
their answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.boxes import Box
from workbench.rationalize.claims.claims import UNKNOWN, Cut, CutText, Patch
from workbench.rationalize.follow.tool_calls import AnsweredCall
from workbench.records import Trace, TraceEvent


@dataclass(frozen=True, slots=True)
class FollowedStep:
    """One event that the follower looks at."""

    kind: str
    """`tool`, `line`, `branch`, `call` or `return`."""
    seq: int
    line: int
    frame: int
    values: Mapping[str, Any] = field(default_factory=dict)
    """`line`: what changed; `call`: the arguments."""
    value: Any = UNKNOWN
    """`branch`: whether it was taken; `return`: the value."""
    asked: AnsweredCall | None = None
    parent: int = 0
    """`call` and `return`: the frame that called."""


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """A trace as the follower sees it."""

    steps: tuple[FollowedStep, ...]
    picture: Patch | None
    """The whole picture; None where the trace holds no patch."""
    printed: tuple[tuple[int, str], ...]
    """`seq` and text of each printed line."""
    closing: tuple[int, ...]
    """`seq` of the events that hold the answer."""


def read(trace: Trace) -> FollowedRun:
    """A trace as the follower sees it.  Never raises: events of a strange form are left out."""
    picture = _picture(trace.events)
    reader = _Reader(picture)
    steps: list[FollowedStep] = []
    answers = {
        repr(event.payload.get("call")): event
        for event in trace.events
        if event.kind == "tool_result" and _is_map(event)
    }
    parents: dict[int, int] = {}
    printed: list[tuple[int, str]] = []
    closing: list[int] = []
    for event in trace.events:
        if not _is_map(event):
            continue
        data = event.payload
        if event.kind == "tool" and (answer := answers.get(repr(data.get("call")))) is not None:
            asked = reader.asked(event, answer)
            if asked is not None:
                steps.append(FollowedStep("tool", event.seq, event.line, event.frame, asked=asked))
        elif event.kind == "line":
            steps.append(
                FollowedStep(
                    "line", event.seq, event.line, event.frame, reader.named(data.get("changed"))
                )
            )
        elif event.kind == "branch" and isinstance(data.get("taken"), bool):
            steps.append(
                FollowedStep("branch", event.seq, event.line, event.frame, value=data["taken"])
            )
        elif event.kind == "call":
            parent = data.get("parent")
            parents[event.frame] = parent if isinstance(parent, int) else 0
            steps.append(
                FollowedStep(
                    "call", event.seq, event.line, event.frame, reader.named(data.get("arguments"))
                )
            )
        elif event.kind == "return":
            value = reader.value(data.get("value"))
            steps.append(
                FollowedStep(
                    "return",
                    event.seq,
                    event.line,
                    event.frame,
                    value=value,
                    parent=parents.get(event.frame, 0),
                )
            )
            if event.frame == 0:
                closing.append(event.seq)
        elif event.kind == "print":
            printed.append((event.seq, str(data.get("text", ""))))
        elif event.kind == "end":
            closing.append(event.seq)
    return FollowedRun(tuple(steps), picture, tuple(printed), tuple(closing))


def _is_map(event: TraceEvent) -> bool:
    return isinstance(event.payload, Mapping)


def _box(value: Any) -> Box | None:
    if not isinstance(value, Mapping) or value.get("type") != "patch":
        return None
    corners = value.get("box")
    if not isinstance(corners, list | tuple) or len(corners) != 4:
        return None
    if not all(
        isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < 1e6 for x in corners
    ):
        return None
    x0, y0, x1, y1 = (float(x) for x in corners)
    return Box(x0, y0, x1, y1) if x0 <= x1 and y0 <= y1 else None


def patches_in(value: Any, depth: int = 6) -> list[tuple[Box, str | None]]:
    """Every patch inside a payload: its box and label."""
    if depth == 0:
        return []
    box = _box(value)
    if box is not None:
        label = value.get("label")
        return [(box, label if isinstance(label, str) else None)]
    inner = (
        value.values()
        if isinstance(value, Mapping)
        else value
        if isinstance(value, list | tuple)
        else ()
    )
    return [found for item in inner for found in patches_in(item, depth - 1)]


def _picture(events: Sequence[TraceEvent]) -> Patch | None:
    """The whole picture: the patch that begins at the corner and holds all others; programs make it
    first.
    """
    boxes = [box for event in events for box, _ in patches_in(event.payload)]
    if not boxes:
        return None
    right, bottom = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
    whole = next((box for box in boxes if box.as_tuple() == (0, 0, right, bottom)), None)
    if whole is None or not (right.is_integer() and bottom.is_integer() and right > 0 < bottom):
        return None
    return Patch(whole, int(right), int(bottom))


class _Reader:
    """Payload values as the follower's values."""

    def __init__(self, picture: Patch | None) -> None:
        self._size = (picture.width, picture.height) if picture is not None else (0, 0)

    def named(self, values: Any) -> dict[str, Any]:
        if not isinstance(values, Mapping):
            return {}
        return {str(name): self.value(value) for name, value in values.items()}

    def value(self, value: Any, depth: int = 6) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if not isinstance(value, Mapping) or depth == 0:
            return UNKNOWN
        box = _box(value)
        if box is not None:
            label = value.get("label")
            return Patch(box, *self._size, label if isinstance(label, str) else None)
        if value.get("type") == "str" and isinstance(value.get("text"), str):
            return CutText(value["text"] + "…")
        items, length = value.get("items"), value.get("length")
        if value.get("type") in ("list", "tuple", "set") and isinstance(items, list):
            inner = [self.value(item, depth - 1) for item in items]
            return (
                inner
                if length == len(inner)
                else Cut(inner, length if isinstance(length, int) else len(inner))
            )
        return UNKNOWN

    def asked(self, event: TraceEvent, answer: TraceEvent) -> AnsweredCall | None:
        if answer.payload.get("ok") is not True:
            return None
        receiver = self.value(event.payload.get("receiver"))
        return AnsweredCall(
            name=str(event.payload.get("tool", "")),
            receiver=receiver if isinstance(receiver, Patch) else None,
            arguments=self.named(event.payload.get("arguments")),
            result=self.value(answer.payload.get("result")),
            events=frozenset({event.seq, answer.seq}),
        )


def agree(mine: Any, shown: Any) -> bool:
    """Whether a computed value is what the trace shows (which may show less of it)."""
    if mine is UNKNOWN:
        return False
    if shown is UNKNOWN:
        return True
    if isinstance(shown, Patch) or isinstance(mine, Patch):
        return isinstance(mine, Patch) and isinstance(shown, Patch) and mine.box == shown.box
    if isinstance(shown, list | tuple):
        length = shown.length if isinstance(shown, Cut) else len(shown)
        return (
            isinstance(mine, list | tuple)
            and len(mine) == length
            and all(agree(a, b) for a, b in zip(mine, shown, strict=False))
        )
    if isinstance(shown, CutText):
        return isinstance(mine, str) and mine.startswith(shown[:-1])
    if isinstance(shown, bool) or isinstance(mine, bool) or shown is None or mine is None:
        return mine is shown
    if isinstance(shown, int | float) and isinstance(mine, int | float):
        return abs(mine - shown) <= 1e-6 * max(1.0, abs(shown))
    return type(mine) is type(shown) and bool(mine == shown)
