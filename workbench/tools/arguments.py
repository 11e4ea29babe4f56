"""Checks of what programs pass to tools, and the loop every batch tool shares.

Arguments come from programs that a model wrote: any type, any size.  A bad one fails its own call
with a sentence that the program's author can act on; the rest of the batch is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from workbench.errors import ImageError, ToolFailure
from workbench.records import Region, ToolCall, Value

T = TypeVar("T")

LONGEST_NAME = 100
"""Longest name of an object or option, characters."""
LONGEST_QUESTION = 500
"""Longest question, characters."""
MOST_OPTIONS = 32
"""Most options or patches in one call."""


def answer_batch(
    calls: Sequence[ToolCall],
    parse: Callable[[ToolCall], T],
    run: Callable[[list[T]], Sequence[Value | ToolFailure]],
) -> list[Value | ToolFailure]:
    """One result per call, same order: `parse` checks each call, `run` answers the good ones
    together.

    `parse` raises ToolFailure (or ImageError, for a picture that cannot be read) to fail its call
    alone.
    """
    out: list[Value | ToolFailure] = [None] * len(calls)
    good: list[tuple[int, T]] = []
    for i, call in enumerate(calls):
        try:
            good.append((i, parse(call)))
        except ToolFailure as failure:
            out[i] = failure
        except ImageError as error:
            out[i] = ToolFailure(str(error))
    if good:
        for (i, _), result in zip(good, run([item for _, item in good]), strict=True):
            out[i] = result
    return out


def patch(call: ToolCall, name: str = "patch") -> Region:
    """The region of a patch argument.  Fails for anything else, and for one without area inside its
    picture.
    """
    return region(call.arguments.get(name), call.tool, name)


def region(value: Any, tool: str, name: str) -> Region:
    """`value` as a region with area inside its picture."""
    if not isinstance(value, Region):
        raise ToolFailure(f"{tool} needs an ImagePatch as {name}, found {kind(value)}")
    box = value.box
    if min(box.x1, value.width) <= max(box.x0, 0) or min(box.y1, value.height) <= max(box.y0, 0):
        raise ToolFailure(f"{tool}: the patch has no area inside the picture")
    return value


def text(call: ToolCall, name: str, longest: int = LONGEST_NAME) -> str:
    """A text argument on one line: a non-empty str of at most `longest` characters."""
    return line(call.arguments.get(name), call.tool, name, longest)


def line(value: Any, tool: str, name: str, longest: int) -> str:
    """`value` as non-empty text on one line."""
    if not isinstance(value, str):
        raise ToolFailure(f"{tool} needs text as {name}, found {kind(value)}")
    if len(value) > longest:
        raise ToolFailure(
            f"{tool}: {name} has {len(value)} characters, at most {longest} are taken"
        )
    plain = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    if not plain:
        raise ToolFailure(f"{tool}: {name} is empty")
    return plain


def texts(call: ToolCall, name: str) -> list[str]:
    """A list of 1 to 32 texts."""
    value = call.arguments.get(name)
    if not isinstance(value, list | tuple):
        raise ToolFailure(f"{call.tool} needs a list of texts as {name}, found {kind(value)}")
    if not 1 <= len(value) <= MOST_OPTIONS:
        raise ToolFailure(
            f"{call.tool}: {name} has {len(value)} items, 1 to {MOST_OPTIONS} are taken"
        )
    return [line(item, call.tool, f"{name}[{i}]", LONGEST_NAME) for i, item in enumerate(value)]


def patches(call: ToolCall, name: str) -> list[Region]:
    """A list of 1 to 32 patches."""
    value = call.arguments.get(name)
    if not isinstance(value, list | tuple):
        raise ToolFailure(f"{call.tool} needs a list of patches as {name}, found {kind(value)}")
    if not 1 <= len(value) <= MOST_OPTIONS:
        raise ToolFailure(
            f"{call.tool}: {name} has {len(value)} items, 1 to {MOST_OPTIONS} are taken"
        )
    return [region(item, call.tool, f"{name}[{i}]") for i, item in enumerate(value)]


def kind(value: Any) -> str:
    """What a wrong argument is, for messages: never its contents."""
    return (
        "nothing"
        if value is None
        else "an ImagePatch"
        if isinstance(value, Region)
        else type(value).__name__
    )
