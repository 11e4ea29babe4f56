"""A trace's events in the form that the follower needs.

Patches are `Patch`, and each tool call is joined with its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """Variables that changed, of a `line`; arguments, of a `call`."""
    value: Any = UNKNOWN
    """Whether the branch was taken, of a `branch`; the value, of a `return`."""
    call: AnsweredCall | None = None
    """Tool call with its answer, of a `tool`."""
    parent: int = 0
    """Frame that called, of a `call` or a `return`."""


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """A trace as the follower sees it."""

    steps: tuple[FollowedStep, ...]
    picture: Patch | None
    """The whole picture, the first of several; None where the trace holds no patch of it."""
    printed: tuple[tuple[int, str], ...]
    """`seq` and text of each printed line."""
    closing: tuple[int, ...]
    """`seq` of the events that hold the answer."""
    pictures: tuple[Patch, ...] = ()
    """Pictures of a question about several that the trace shows, in order."""
    number: int = 1
    """How many pictures the question has."""


def read(trace: Trace, number: int = 1) -> FollowedRun:
    """A trace as the follower sees it.  Never raises: events of a strange form are left out.

    Args:
        trace: the trace.
        number: how many pictures its question has.
    """
    patches = [patch for event in trace.events for patch in patches_in(event.payload)]
    several = number > 1 or any(patch.picture for patch in patches)
    picture = _picture([patch.box for patch in patches if not patch.picture], several)
    pictures = _pictures(picture, patches) if several else ()
    reader = _Reader(picture, trace.events, several)
    steps: list[FollowedStep] = []
    printed: list[tuple[int, str]] = []
    closing: list[int] = []
    for event in trace.events:
        if not _is_map(event):
            continue
        step = reader.step(event)
        if step is not None:
            steps.append(step)
        if event.kind == "print":
            printed.append((event.seq, str(event.payload.get("text", ""))))
        if event.kind == "end" or (event.kind == "return" and event.frame == 0):
            closing.append(event.seq)
    return FollowedRun(tuple(steps), picture, tuple(printed), tuple(closing), pictures, number)


def _is_map(event: TraceEvent) -> bool:
    return isinstance(event.payload, Mapping)


def _box(value: Any) -> Box | None:
    """The box of a patch in a payload; None for any other value."""
    if not isinstance(value, Mapping) or value.get("type") != "patch":
        return None
    corners = value.get("box")
    if not isinstance(corners, list | tuple) or len(corners) != 4:
        return None
    if not all(map(_is_coordinate, corners)):
        return None
    x0, y0, x1, y1 = (float(x) for x in corners)
    return Box(x0, y0, x1, y1) if x0 <= x1 and y0 <= y1 else None


def _is_coordinate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6


def _label(patch: Mapping[str, Any]) -> str | None:
    label = patch.get("label")
    return label if isinstance(label, str) else None


@dataclass(frozen=True, slots=True)
class TracedPatch:
    """A patch inside a payload."""

    box: Box
    label: str | None
    picture: int = 0
    """Which of the question's pictures, from 0."""
    size: tuple[int, int] | None = None
    """Width and height of that picture in pixels, of another than the first."""


def _number(patch: Mapping[str, Any]) -> int:
    number = patch.get("picture")
    return number if type(number) is int and 0 <= number < 1000 else 0


def _size(patch: Mapping[str, Any]) -> tuple[int, int] | None:
    size = patch.get("size")
    if not isinstance(size, list | tuple) or len(size) != 2:
        return None
    width, height = size
    is_size = type(width) is int and type(height) is int and 0 < width < 1e6 and 0 < height < 1e6
    return (width, height) if is_size else None


def patches_in(value: Any, depth: int = 6) -> list[TracedPatch]:
    """Every patch inside a payload.

    Args:
        value: the payload, of any form.
        depth: how many levels of nesting are read.
    """
    # most of what lies in a trace is plain, and this is asked of all of it
    if depth == 0 or isinstance(value, str | int | float | None):
        return []
    box = _box(value)
    if box is not None:
        return [TracedPatch(box, _label(value), _number(value), _size(value))]
    inner: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inner = value.values()
    elif isinstance(value, list | tuple):
        inner = value
    return [patch for item in inner for patch in patches_in(item, depth - 1)]


def _pictures(first: Patch | None, patches: Sequence[TracedPatch]) -> tuple[Patch, ...]:
    """The pictures of a question about several that a trace shows, in order.

    Args:
        first: the first one.
        patches: every patch of the trace.
    """
    others = {
        patch.picture: Patch(Box(0, 0, *patch.size), *patch.size, picture=patch.picture)
        for patch in patches
        if patch.picture and patch.size is not None
    }
    return (*([] if first is None else [first]), *(others[at] for at in sorted(others)))


def _picture(boxes: Sequence[Box], several: bool) -> Patch | None:
    """The whole picture, or the first of several, which programs make first.

    It is the patch that begins at the corner and holds all others.

    Args:
        boxes: of every patch of it.
        several: whether the question has several pictures.
    """
    if not boxes:
        return None
    right, bottom = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
    whole = next((box for box in boxes if box.as_tuple() == (0, 0, right, bottom)), None)
    if whole is None or not (right.is_integer() and bottom.is_integer() and right > 0 < bottom):
        return None
    return Patch(whole, int(right), int(bottom), picture=0 if several else None)


class _Reader:
    """Reads events and the values in their payloads as the follower's."""

    def __init__(self, picture: Patch | None, events: Sequence[TraceEvent], several: bool) -> None:
        self._size = (picture.width, picture.height) if picture is not None else (0, 0)
        self._several = several
        self._answers = {
            repr(event.payload.get("call")): event
            for event in events
            if event.kind == "tool_result" and _is_map(event)
        }
        """Event of each answer, by the number of its call."""
        self._parents: dict[int, int] = {}
        """Frame that called, by frame."""

    def step(self, event: TraceEvent) -> FollowedStep | None:
        """An event as a step; None for one that the follower does not look at."""
        data, at = event.payload, (event.seq, event.line, event.frame)
        match event.kind:
            case "tool":
                call = self._answered_call(event)
                return FollowedStep("tool", *at, call=call) if call is not None else None
            case "line":
                return FollowedStep("line", *at, self._variables(data.get("changed")))
            case "branch" if isinstance(data.get("taken"), bool):
                return FollowedStep("branch", *at, value=data["taken"])
            case "call":
                parent = data.get("parent")
                self._parents[event.frame] = parent if isinstance(parent, int) else 0
                return FollowedStep("call", *at, self._variables(data.get("arguments")))
            case "return":
                value, parent = self._value(data.get("value")), self._parents.get(event.frame, 0)
                return FollowedStep("return", *at, value=value, parent=parent)
        return None

    def _variables(self, values: Any) -> dict[str, Any]:
        if not isinstance(values, Mapping):
            return {}
        return {str(name): self._value(value) for name, value in values.items()}

    def _value(self, value: Any, depth: int = 6) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if not isinstance(value, Mapping) or depth == 0:
            return UNKNOWN
        box = _box(value)
        if box is not None:
            return self._patch(box, value)
        if value.get("type") == "str" and isinstance(value.get("text"), str):
            return CutText(value["text"] + "…")
        if value.get("type") in ("list", "tuple", "set") and isinstance(value.get("items"), list):
            return self._items(value["items"], value.get("length"), depth)
        return UNKNOWN

    def _patch(self, box: Box, value: Mapping[str, Any]) -> Patch:
        if not self._several:
            return Patch(box, *self._size, _label(value))
        number = _number(value)
        size = self._size if number == 0 else _size(value) or (0, 0)
        return Patch(box, *size, _label(value), number)

    def _items(self, items: Sequence[Any], length: Any, depth: int) -> list[Any]:
        values = [self._value(item, depth - 1) for item in items]
        if length == len(values):
            return values
        return Cut(values, length if isinstance(length, int) else len(values))

    def _answered_call(self, event: TraceEvent) -> AnsweredCall | None:
        """A tool call with its answer; None where the tool failed or never answered."""
        answer = self._answers.get(repr(event.payload.get("call")))
        if answer is None or answer.payload.get("ok") is not True:
            return None
        receiver = self._value(event.payload.get("receiver"))
        return AnsweredCall(
            name=str(event.payload.get("tool", "")),
            receiver=receiver if isinstance(receiver, Patch) else None,
            arguments=self._variables(event.payload.get("arguments")),
            result=self._value(answer.payload.get("result")),
            events=frozenset({event.seq, answer.seq}),
        )


def agree(mine: Any, traced: Any) -> bool:
    """Whether a computed value is the value of the trace, which may hold less of it.

    Args:
        mine: the computed value.
        traced: the value in the trace.
    """
    if mine is UNKNOWN:
        return False
    if traced is UNKNOWN:
        return True
    if isinstance(traced, Patch) or isinstance(mine, Patch):
        return isinstance(mine, Patch) and isinstance(traced, Patch) and mine.place == traced.place
    if isinstance(traced, list | tuple):
        return isinstance(mine, list | tuple) and _items_agree(mine, traced)
    if isinstance(traced, CutText):
        return isinstance(mine, str) and mine.startswith(traced[:-1])
    return _scalars_agree(mine, traced)


def _items_agree(mine: Sequence[Any], traced: Sequence[Any]) -> bool:
    length = traced.length if isinstance(traced, Cut) else len(traced)
    return len(mine) == length and all(map(agree, mine, traced))


def _scalars_agree(mine: Any, traced: Any) -> bool:
    if any(value is None or isinstance(value, bool) for value in (mine, traced)):
        return mine is traced
    if isinstance(traced, int | float) and isinstance(mine, int | float):
        return abs(mine - traced) <= 1e-6 * max(1.0, abs(traced))
    return type(mine) is type(traced) and bool(mine == traced)
