"""The pictures of a step: what it looked at and what it made, beside each other.

A step has them where it made a picture, or looked at another one than the picture asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST = 5
"""Pictures of a step that are shown."""


@dataclass(frozen=True, slots=True)
class PictureBox:
    """A box in a picture of a step."""

    box: Sequence[float]
    """Pixels `x0 y0 x1 y1` of that picture, origin at the top left."""
    label: str


@dataclass(frozen=True, slots=True)
class StepPicture:
    """A picture, or a part of it, that a step looked at or made."""

    words: str
    """What it is to the step."""
    image: str
    """Digest; empty for the picture asked about."""
    url: str | None
    """Address; None for the picture asked about, and where it cannot be shown."""
    size: Sequence[int]
    """Width and height of the whole picture; empty where the picture asked about has its own."""
    part: Sequence[float]
    """The part that is shown, in pixels of the whole picture."""
    boxes: Sequence[PictureBox] = ()
    number: int = 0
    """Which of the pictures asked about it is, from 0, where it was not made."""


Patch = Mapping[str, Any]
"""A patch as an event holds it (`workbench/events.py`)."""


def step_pictures(
    looked: Sequence[Patch], result: Sequence[Patch], name: Callable[[Patch], str]
) -> list[StepPicture]:
    """The pictures of a tool call; none where the picture asked about shows all of it.

    Args:
        looked: patches that the tool was given.
        result: patches that it gave.
        name: names a patch.
    """
    sources = {_digest(patch) for patch in looked}
    new = [patch for patch in result if _digest(patch) and _digest(patch) not in sources]
    if new:
        old = [_view(patch, "what it looked at") for patch in looked]
        return [*old[: MOST - 1], _view(new[0], "what it made")]
    others = [patch for patch in looked if _digest(patch)]
    return [
        replace(_view(patch, "what it looked at"), boxes=_boxes(patch, result, name))
        for patch in others[:MOST]
    ]


def _digest(patch: Patch) -> str:
    own = patch.get("made")
    return str(own.get("image") or "") if isinstance(own, Mapping) else ""


def _view(patch: Patch, words: str) -> StepPicture:
    own = patch.get("made")
    if not isinstance(own, Mapping):
        number = patch.get("picture")
        where = number if type(number) is int else 0
        return StepPicture(words, "", None, (), list(patch.get("box") or ()), number=where)
    digest = _digest(patch)
    return StepPicture(words, digest, f"image/{digest}", numbers(own, "size"), _own_box(own))


def _own_box(picture: Mapping[str, Any]) -> list[float]:
    return numbers(picture, "box")


def numbers(picture: Mapping[str, Any], key: str) -> list[Any]:
    """A list of an event's made picture; empty where there is none.

    Args:
        picture: the made picture.
        key: `size` or `box`.
    """
    values = picture.get(key)
    return list(values) if isinstance(values, list | tuple) else []


def _boxes(
    patch: Patch, result: Iterable[Patch], name: Callable[[Patch], str]
) -> Sequence[PictureBox]:
    own = [one for one in result if _digest(one) == _digest(patch)]
    return [PictureBox(_own_box(one["made"]), name(one)) for one in own]


def addressed(
    pictures: Iterable[StepPicture], address: Callable[[str], str | None]
) -> Iterator[StepPicture]:
    """The pictures with other addresses, for pages without a server.

    Args:
        pictures: of a step.
        address: gives the address of a picture by its digest; None where it has none.
    """
    for one in pictures:
        yield one if not one.image else replace(one, url=address(one.image))
