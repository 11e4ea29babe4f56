"""Ways to change the results of one run's tool calls.

Each change makes a *world*: a table of calls and their results.  There are two kinds of change.

changed result
    A boolean is flipped, yes and no are swapped, a number becomes one more or one less, and a text
    is replaced by an option or by another text of the run.  Of a list of patches one is removed or
    all are, several are added, it becomes as long as another call's, all move into one corner or
    the other, or their order is reversed.  For every site all its results also change at once.
mirrored picture
    Every box is mirrored from left to right, or from top to bottom; all other results stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from workbench.boxes import Box
from workbench.events import summary
from workbench.records import Region, Task, Trace, Value

MOST_CALLS = 24
"""Most results of one run that are changed one by one.

Further ones change only together with the others of their site.
"""
MOST_PATCHES = 2
"""Most patches of one list that are removed one by one."""
SMALL = 4
"""Side of a patch that moves into a corner, pixels."""
MORE = 6
"""Number of patches that are added, enough to outnumber what stands beside them."""

Axis = Literal["across", "down"]
Size = tuple[int, int]
"""Width and height of a picture, pixels."""
Site = tuple[int, str, str]
"""Where a tool is called, and with what: line, tool and the arguments without patches."""


@dataclass(frozen=True, slots=True)
class Called:
    """One answered call of a trace."""

    number: int
    tool: str
    line: int
    arguments: Mapping[str, Value]
    """The arguments as the tool got them; patches lack the picture's size."""
    result: Value

    @property
    def site(self) -> Site:
        """Line, tool and words; calls that differ in their patches alone are of one site."""
        words = {name: value for name, value in self.arguments.items() if not _has_patch(value)}
        return self.line, self.tool, json.dumps(summary(words), sort_keys=True, default=str)

    @property
    def words(self) -> str:
        """The call as people read it, for example `find("dog")`."""
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
    """The sites whose results differ; empty for a mirrored picture."""
    table: Mapping[str, Value]
    """The result of each call, by `key`."""


def calls_of(task: Task, trace: Trace) -> list[Called]:
    """The answered calls of a trace, rebuilt from its events.

    Calls that cannot be rebuilt are left out.
    """
    questions = {event.payload.get("call"): event for event in trace.events if event.kind == "tool"}
    calls = []
    for event in trace.events:
        number = event.payload.get("call")
        if (
            event.kind != "tool_result"
            or not event.payload.get("ok")
            or number is None
            or number not in questions
        ):
            continue
        question = questions[number].payload
        arguments = {
            name: _value(value, task.images)
            for name, value in dict(question.get("arguments") or {}).items()
        }
        if question.get("receiver") is not None:
            arguments = {"patch": _value(question["receiver"], task.images), **arguments}
        result = _value(event.payload.get("result"), task.images)
        calls.append(
            Called(
                int(number), str(question.get("tool")), questions[number].line, arguments, result
            )
        )
    return calls


def _value(summary_of_value: Any, images: Sequence[str]) -> Value:
    """The value behind a summary of `workbench/events.py`; lists keep their first fifty items."""
    if not isinstance(summary_of_value, Mapping):
        return summary_of_value  # type: ignore[no-any-return]
    kind, items = summary_of_value.get("type"), summary_of_value.get("items") or []
    if kind == "patch":
        x0, y0, x1, y1 = summary_of_value["box"]
        number = summary_of_value.get("picture", 0)
        return Region(
            images[number if type(number) is int and number < len(images) else 0],
            0,
            0,
            Box(x0, y0, x1, y1),
            summary_of_value.get("label"),
            summary_of_value.get("score"),
        )
    if kind == "dict":
        return {str(key): _value(value, images) for key, value in items}
    if kind in ("list", "tuple", "set"):
        return [_value(item, images) for item in items]
    return str(summary_of_value.get("text", ""))


def _has_patch(value: Any) -> bool:
    return isinstance(value, Region) or (isinstance(value, list) and any(map(_has_patch, value)))


def key(tool: str, arguments: Mapping[str, Value]) -> str:
    """A text that equal calls share, whichever picture they name."""
    return json.dumps(
        [tool, {name: summary(value) for name, value in arguments.items()}], sort_keys=True
    )


# --- changes


def changes(task: Task, calls: Sequence[Called], size: Size) -> Iterator[Change]:
    """The unchanged world, the mirrored ones, and one for each way to change a result.

    Args:
        task: the question of the run; its options replace texts.
        calls: the answered calls of the run.
        size: width and height of the picture, pixels.
    """
    keys = [key(call.tool, call.arguments) for call in calls]
    table = {call_key: call.result for call_key, call in zip(keys, calls, strict=True)}
    yield Change("nothing", frozenset(), table)
    yield from _mirrored_worlds(calls, size)
    variants_of = partial(
        variants,
        task=task,
        others=[call.result for call in calls if isinstance(call.result, str)],
        counts={len(call.result) for call in calls if isinstance(call.result, list)},
        size=size,
    )
    sites_of: dict[str, set[Site]] = {}
    calls_at: dict[Site, list[Called]] = {}
    for call_key, call in zip(keys, calls, strict=True):
        sites_of.setdefault(call_key, set()).add(call.site)
        calls_at.setdefault(call.site, []).append(call)
    for call_key, call in list(zip(keys, calls, strict=True))[:MOST_CALLS]:
        for name, result in variants_of(call.result):
            yield Change(name, frozenset(sites_of[call_key]), {**table, call_key: result})
    for site, several in calls_at.items():
        if len(several) > 1:
            changed = _first_variants(several, variants_of)
            yield Change("all", frozenset({site}), {**table, **changed})


def _mirrored_worlds(calls: Sequence[Called], size: Size) -> Iterator[Change]:
    """The picture mirrored in both ways; nothing where no call gives a patch."""
    if not any(_has_patch(call.result) for call in calls):
        return
    axes: tuple[Axis, ...] = ("across", "down")
    for axis in axes:
        table = {
            key(call.tool, _mirror_image(call.arguments, axis, size)): _mirror_image(
                call.result, axis, size
            )
            for call in calls
        }
        yield Change(axis, frozenset(), table)


def _first_variants(
    calls: Sequence[Called], variants_of: Callable[[Value], Iterator[tuple[str, Value]]]
) -> dict[str, Value]:
    """The first other value of each result, by `key`."""
    changed = {}
    for call in calls:
        first = next(variants_of(call.result), None)
        if first is not None:
            changed[key(call.tool, call.arguments)] = first[1]
    return changed


def variants(
    result: Value, task: Task, others: Sequence[str], counts: Set[int], size: Size
) -> Iterator[tuple[str, Value]]:
    """Ways to change one result, each with its name; none for a result that has no other value.

    Args:
        result: what the tool gave.
        task: the question of the run; its options replace texts.
        others: texts that tools gave in the same run.
        counts: lengths of the lists of patches that tools gave in the same run.
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
        yield "across", _mirror_image(result, "across", size)
        yield "down", _mirror_image(result, "down", size)
    elif isinstance(result, list) and all(isinstance(item, Region) for item in result):
        yield from _patches(result, counts, size)


def _patches(
    patches: Sequence[Any], counts: Set[int], size: Size
) -> Iterator[tuple[str, list[Any]]]:
    yield "more", [*patches, *[_another(patches, size)] * MORE]
    if patches:
        yield "emptied", []
        for corner in ((0, 0), size):
            yield "corner", [_in_corner(patch, corner) for patch in patches]
    for number in sorted(counts - {len(patches), 0, len(patches) + MORE}):
        yield "as many", [*patches, *[_another(patches, size)] * number][:number]
    if len(patches) > 1:
        yield "reversed", list(patches[::-1])
        for at in range(min(len(patches), MOST_PATCHES)):
            yield "fewer", [*patches[:at], *patches[at + 1 :]]


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
        first: Region = _mirror_image(_mirror_image(patches[0], "across", size), "down", size)
        return first
    width, height = size
    return Region(
        "", width, height, Box(width // 3, height // 3, width // 2, height // 2), "object", 0.9
    )


def _in_corner(patch: Any, corner: Size) -> Region:
    """The patch, very small, in a corner of the picture; the corner is (0, 0) or the last pixel."""
    x, y = max(corner[0] - SMALL, 0), max(corner[1] - SMALL, 0)
    moved: Region = replace(patch, box=Box(x, y, x + SMALL, y + SMALL))
    return moved


def _mirror_image(value: Any, axis: Axis, size: Size) -> Any:
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
        return [_mirror_image(item, axis, size) for item in value]
    if isinstance(value, Mapping):
        return {name: _mirror_image(item, axis, size) for name, item in value.items()}
    return value
