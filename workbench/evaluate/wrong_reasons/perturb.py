"""Ways to change what the tools of one run said: each change makes a *world*, a table of calls and
their results.

changed result    boolean flipped; yes and no swapped; a number one more, one less; a text replaced by an option or
                  by another text of the run; patches: one taken away, several added, all gone, as many as another
                  call found, all in one corner or the other, in reverse order; of every site all results at once
mirrored picture  every box mirrored from left to right, or from top to bottom; what tools said of each stays
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Literal

from workbench.boxes import Box
from workbench.events import summary
from workbench.records import Region, Task, Trace, Value

MOST_CALLS = 24
"""Results of one run that are changed one by one; further ones only together with the others of
their site.
"""
MOST_PATCHES = 2
"""Patches of one list that are taken away one by one."""
SMALL = 4
"""Side of a patch that was moved into a corner, pixels."""
MORE = 6
"""Patches that are added: enough to outnumber what stands beside them."""

Axis = Literal["across", "down"]
Size = tuple[int, int]
"""Width and height of a picture, pixels."""
Site = tuple[int, str, str]
"""Where something is asked, and what: line, tool and the arguments that are no patches."""


@dataclass(frozen=True, slots=True)
class Called:
    """One answered call of a trace."""

    number: int
    tool: str
    line: int
    arguments: Mapping[str, Value]
    """As the tool got them; patches without the picture's size."""
    result: Value

    @property
    def site(self) -> Site:
        """Where it was asked, and what: calls that differ in their patches alone are of one site."""
        words = {name: value for name, value in self.arguments.items() if not _has_patch(value)}
        return self.line, self.tool, json.dumps(summary(words), sort_keys=True, default=str)

    @property
    def words(self) -> str:
        """For people: `find("dog")`."""
        inner = (
            json.dumps(value, ensure_ascii=False)
            for value in self.arguments.values()
            if not _has_patch(value)
        )
        return f"{self.tool}({', '.join(inner)})"


@dataclass(frozen=True, slots=True)
class Change:
    """One changed world of one trace."""

    name: str
    """`flipped`, `emptied`, `fewer`, `more`, `reversed`, `replaced`, `across`, `down`, `nothing`,
    ...
    """
    sites: frozenset[Site]
    """Whose results differ; empty for a mirrored picture."""
    table: Mapping[str, Value]
    """Result of each call by `key`."""


def calls_of(task: Task, trace: Trace) -> list[Called]:
    """The answered calls of a trace, rebuilt from its events; what cannot be rebuilt is left out."""
    asked = {event.payload.get("call"): event for event in trace.events if event.kind == "tool"}
    found = []
    for event in trace.events:
        number = event.payload.get("call")
        if (
            event.kind != "tool_result"
            or not event.payload.get("ok")
            or number is None
            or number not in asked
        ):
            continue
        question = asked[number].payload
        arguments = {
            name: _value(value, task.image)
            for name, value in dict(question.get("arguments") or {}).items()
        }
        if question.get("receiver") is not None:
            arguments = {"patch": _value(question["receiver"], task.image), **arguments}
        result = _value(event.payload.get("result"), task.image)
        found.append(
            Called(int(number), str(question.get("tool")), asked[number].line, arguments, result)
        )
    return found


def _value(shown: Any, image: str) -> Value:
    """The value behind a summary (`workbench/events.py`); a list beyond its first fifty items is
    cut.
    """
    if not isinstance(shown, Mapping):
        return shown  # type: ignore[no-any-return]
    kind, items = shown.get("type"), shown.get("items") or []
    if kind == "patch":
        x0, y0, x1, y1 = shown["box"]
        return Region(image, 0, 0, Box(x0, y0, x1, y1), shown.get("label"), shown.get("score"))
    if kind == "dict":
        return {str(key): _value(value, image) for key, value in items}
    if kind in ("list", "tuple", "set"):
        return [_value(item, image) for item in items]
    return str(shown.get("text", ""))


def _has_patch(value: Any) -> bool:
    return isinstance(value, Region) or (isinstance(value, list) and any(map(_has_patch, value)))


def key(tool: str, arguments: Mapping[str, Value]) -> str:
    """One text for equal calls, whichever picture they name."""
    return json.dumps(
        [tool, {name: summary(value) for name, value in arguments.items()}], sort_keys=True
    )


# --- changes


def changes(task: Task, calls: Sequence[Called], size: Size) -> Iterator[Change]:
    """The unchanged world, the mirrored ones, and one for each way to change a result.

    Args:
        size: width and height of the picture, pixels.
    """
    keys = [key(call.tool, call.arguments) for call in calls]
    table = {same: call.result for same, call in zip(keys, calls, strict=True)}
    asked: dict[str, set[Site]] = {}
    for same, call in zip(keys, calls, strict=True):
        asked.setdefault(same, set()).add(call.site)
    yield Change("nothing", frozenset(), table)
    if any(_has_patch(call.result) for call in calls):
        for axis in ("across", "down"):
            mirrored = {
                key(call.tool, _mirrored(call.arguments, axis, size)): _mirrored(
                    call.result, axis, size
                )
                for call in calls
            }
            yield Change(axis, frozenset(), mirrored)
    others = [call.result for call in calls if isinstance(call.result, str)]
    counts = {len(call.result) for call in calls if isinstance(call.result, list)}
    sites: dict[Site, list[Called]] = {}
    for call in calls:
        sites.setdefault(call.site, []).append(call)
    for same, call in list(zip(keys, calls, strict=True))[:MOST_CALLS]:
        for name, result in variants(call.result, task, others, counts, size):
            yield Change(name, frozenset(asked[same]), {**table, same: result})
    for site, several in sites.items():
        if len(several) > 1:
            changed = {
                key(call.tool, call.arguments): first[1]
                for call in several
                if (first := next(variants(call.result, task, others, counts, size), None))
                is not None
            }
            yield Change("all", frozenset({site}), {**table, **changed})


def variants(
    result: Value, task: Task, others: Sequence[str], counts: Set[int], size: Size
) -> Iterator[tuple[str, Value]]:
    """Ways to change one result, each with its name; none for what has no other value.

    Args:
        others: texts that tools gave in the same run.
        counts: how many patches its calls found.
        size: width and height of the picture, pixels.
    """
    if isinstance(result, bool):
        yield "flipped", not result
    elif isinstance(result, int | float):
        yield "more", result + 1
        if result >= 1:
            yield "less", result - 1
    elif isinstance(result, str):
        yield from _texts(result, task, others)
    elif isinstance(result, Region):
        yield "across", _mirrored(result, "across", size)
        yield "down", _mirrored(result, "down", size)
    elif isinstance(result, list) and all(isinstance(item, Region) for item in result):
        yield "more", [*result, *[_another(result, size)] * MORE]
        if result:
            yield "emptied", []
            for corner in ((0, 0), size):
                yield "corner", [_in_corner(item, corner) for item in result]
        for number in sorted(counts - {len(result), 0, len(result) + MORE}):
            yield "as many", [*result, *[_another(result, size)] * number][:number]
        if len(result) > 1:
            yield "reversed", result[::-1]
            for at in range(min(len(result), MOST_PATCHES)):
                yield "fewer", [*result[:at], *result[at + 1 :]]


def _texts(text: str, task: Task, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    plain = text.strip().lower().rstrip(".")
    if plain in ("yes", "no"):
        yield "flipped", "no" if plain == "yes" else "yes"
        return
    if plain.isascii() and plain.isdigit() and len(plain) < 10:
        yield "more", str(int(plain) + 1)
        if int(plain):
            yield "less", str(int(plain) - 1)
        return
    for other in dict.fromkeys((*task.choices, *others)):
        if other.strip().lower() != plain:
            yield "replaced", other
            return
    yield "replaced", "something else"


def _another(patches: Sequence[Any], size: Size) -> Region:
    """One more patch of the same kind: the first one's, at the other end of the picture."""
    if patches:
        first: Region = _mirrored(_mirrored(patches[0], "across", size), "down", size)
        return first
    width, height = size
    return Region(
        "", width, height, Box(width // 3, height // 3, width // 2, height // 2), "object", 0.9
    )


def _in_corner(patch: Any, corner: Size) -> Region:
    """The patch, very small, in the picture's first corner, or in its last one when that is given."""
    x, y = max(corner[0] - SMALL, 0), max(corner[1] - SMALL, 0)
    moved: Region = replace(patch, box=Box(x, y, x + SMALL, y + SMALL))
    return moved


def _mirrored(value: Any, axis: Axis, size: Size) -> Any:
    """The value as it would be in the mirrored picture."""
    if isinstance(value, Region):
        width, height = size
        x0, y0, x1, y1 = value.box.as_tuple()
        box = (
            Box(width - x1, y0, width - x0, y1)
            if axis == "across"
            else Box(x0, height - y1, x1, height - y0)
        )
        return replace(value, box=box)
    if isinstance(value, list):
        return [_mirrored(item, axis, size) for item in value]
    if isinstance(value, Mapping):
        return {name: _mirrored(item, axis, size) for name, item in value.items()}
    return value
