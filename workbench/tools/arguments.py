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
    """One result per call, in the same order.

    Args:
        calls: Calls of one tool.
        parse: Checks one call.  It raises ToolFailure, or ImageError for a picture that cannot be
            read, to fail that call alone.
        run: Answers the good calls together, in their order.
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
    """The region of a patch argument.

    Raises:
        ToolFailure: it is something else, or has no area inside its picture.
    """
    return region(call.arguments.get(name), call.tool, name)


def region(value: Any, tool: str, name: str) -> Region:
    """`value` as a region with area inside its picture.

    Args:
        value: What the program passed.
        tool: Name of the tool, for the message.
        name: Name of the argument, for the message.

    Raises:
        ToolFailure: it is something else, or has no such area.
    """
    if not isinstance(value, Region):
        raise ToolFailure(f"{tool} needs an ImagePatch as {name}, found {kind(value)}")
    box = value.box
    if min(box.x1, value.width) <= max(box.x0, 0) or min(box.y1, value.height) <= max(box.y0, 0):
        raise ToolFailure(f"{tool}: the patch has no area inside the picture")
    return value


def text(call: ToolCall, name: str, longest: int = LONGEST_NAME) -> str:
    """A text argument as one line.

    Args:
        call: The call.
        name: Name of the argument.
        longest: Most characters that are taken.

    Raises:
        ToolFailure: it is not a text, is empty or is longer.
    """
    return line(call.arguments.get(name), call.tool, name, longest)


def line(value: Any, tool: str, name: str, longest: int) -> str:
    """`value` as non-empty text on one line; what cannot be printed becomes a space.

    Args:
        value: What the program passed.
        tool: Name of the tool, for the message.
        name: Name of the argument, for the message.
        longest: Most characters that are taken.

    Raises:
        ToolFailure: it is not a text, is empty or is longer.
    """
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
    """A list argument of 1 to 32 texts, each as one line; ToolFailure for anything else."""
    value = call.arguments.get(name)
    if not isinstance(value, list | tuple):
        raise ToolFailure(f"{call.tool} needs a list of texts as {name}, found {kind(value)}")
    if not 1 <= len(value) <= MOST_OPTIONS:
        raise ToolFailure(
            f"{call.tool}: {name} has {len(value)} items, 1 to {MOST_OPTIONS} are taken"
        )
    return [line(item, call.tool, f"{name}[{i}]", LONGEST_NAME) for i, item in enumerate(value)]


def patches(call: ToolCall, name: str) -> list[Region]:
    """A list argument of 1 to 32 patches, each with area; ToolFailure for anything else."""
    value = call.arguments.get(name)
    if not isinstance(value, list | tuple):
        raise ToolFailure(f"{call.tool} needs a list of patches as {name}, found {kind(value)}")
    if not 1 <= len(value) <= MOST_OPTIONS:
        raise ToolFailure(
            f"{call.tool}: {name} has {len(value)} items, 1 to {MOST_OPTIONS} are taken"
        )
    return [region(item, call.tool, f"{name}[{i}]") for i, item in enumerate(value)]


def kind(value: Any) -> str:
    """The kind of a wrong argument, for messages, which never quote its contents."""
    if value is None:
        return "nothing"
    return "an ImagePatch" if isinstance(value, Region) else type(value).__name__
