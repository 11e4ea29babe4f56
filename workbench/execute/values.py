"""The border: the exact types that may cross between a program and the host, with caps.

Out of the sandbox come plain scalars and tagged tuples made by the prelude: `("p", box, label,
score)` for a patch with its box in lower-left coordinates, `("l" | "t" | "e", items)` for list,
tuple and set, `("d", pairs)` for dict.  All of it is treated as hostile: exact types, counts,
sizes, and boxes that lie in the picture.  A program cannot name a picture.  It has the run's own
ones by number, so that no patch of another run can cross: a patch of another picture than the
first has that number as a fifth item, and goes in with the picture's size behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.boxes import Box, from_lower_left, to_lower_left
from workbench.limits import Limits
from workbench.made_pictures import MAX_MADE, MadeRegion, whole_pixels
from workbench.records import Region, ToolCall, ToolSpec, Value

MAX_LABEL = 200
"""Longest label of a patch, characters."""
MAX_BITS = 63
"""Longest integer, bits."""


class Unfit(Exception):
    """The value may not cross; the text says what it is."""


@dataclass(slots=True)
class Border:
    """Converts the values of one run."""

    wholes: tuple[Region, ...]
    """The task's pictures, each as a whole."""
    limits: Limits
    made: list[Region] = field(default_factory=list)
    """Pictures that the run made so far, each as a whole; their numbers follow the task's."""

    def read(self, packed: Any) -> Value:
        """A value from the sandbox.

        Raises:
            Unfit: the value may not cross.
        """
        value: Value = self._read(packed, 0, [0])
        return value

    def _read(self, v: Any, depth: int, count: list[int]) -> Any:
        self._count(depth, count)
        kind = type(v)
        if v is None or kind is bool or kind is float:
            return v
        if kind is int:
            return self._integer(v)
        if kind is str:
            return self._text(v)
        if kind is not tuple or not v or type(v[0]) is not str:
            raise Unfit(f"a value of type {kind.__name__}")
        if v[0] == "p" and len(v) in (4, 5):
            return self._patch(self._picture(v[4] if len(v) == 5 else 0), v[1], v[2], v[3])
        if len(v) == 2 and type(v[1]) is list:
            return self._container(v[0], v[1], depth, count)
        raise Unfit("a value of an unknown kind")

    def _container(self, tag: str, items: list[Any], depth: int, count: list[int]) -> Any:
        if tag == "d":
            pairs = map(self._pair, items)
            return {self._key(k): self._read(x, depth + 1, count) for k, x in pairs}
        if tag not in ("l", "t", "e"):
            raise Unfit("a value of an unknown kind")
        values = [self._read(x, depth + 1, count) for x in items]
        if tag == "e":
            return sorted(values, key=repr)
        return tuple(values) if tag == "t" else values

    def _count(self, depth: int, count: list[int]) -> None:
        """Count one more value, in `count[0]`, and refuse too many or too deep ones."""
        count[0] += 1
        if count[0] > self.limits.items:
            raise Unfit(f"more than {self.limits.items} values")
        if depth > self.limits.depth:
            raise Unfit(f"nesting of more than {self.limits.depth}")

    def _integer(self, v: int) -> int:
        if v.bit_length() > MAX_BITS:
            raise Unfit("an integer of more than 63 bits")
        return v

    def _text(self, v: str) -> str:
        if len(v) > self.limits.text:
            raise Unfit(f"a text of {len(v)} characters; at most {self.limits.text} may cross")
        try:
            v.encode()
        except UnicodeEncodeError:
            raise Unfit("a text with lone surrogates") from None
        return v

    def _pair(self, pair: Any) -> tuple[Any, Any]:
        if type(pair) is not tuple or len(pair) != 2:
            raise Unfit("a dict of an unknown form")
        return pair

    def _key(self, k: Any) -> str:
        if type(k) is str:
            return self._text(k)
        if k is None or type(k) in (bool, int, float):
            return str(k)
        raise Unfit("a dict key that is no plain value")

    def _picture(self, number: Any) -> Region:
        if type(number) is int and 0 <= number < len(self.wholes):
            return self.wholes[number]
        place = number - len(self.wholes) if type(number) is int else -1
        if not 0 <= place < len(self.made):
            raise Unfit("a patch of an unknown picture")
        return self.made[place]

    def _patch(self, whole: Region, box: Any, label: Any, score: Any) -> Region:
        if type(box) is not tuple or len(box) != 4 or any(type(x) is not int for x in box):
            raise Unfit("a patch with a strange box")
        left, lower, right, upper = box
        if not (0 <= left < right <= whole.width and 0 <= lower < upper <= whole.height):
            raise Unfit(f"a patch outside the picture: {box}")
        if label is not None and (type(label) is not str or len(label) > MAX_LABEL):
            raise Unfit("a patch with a strange label")
        if score is not None and type(score) is not float:
            raise Unfit("a patch with a strange score")
        place = from_lower_left(left, lower, right, upper, whole.height)
        return replace(whole, box=place, label=label, score=score)

    def write(self, value: Value) -> Any:
        """A checked value for the sandbox, in the prelude's form."""
        if isinstance(value, Region):
            left, lower, right, upper = to_lower_left(value.box, value.height)
            box, number = (int(left), int(lower), int(right), int(upper)), self._number(value)
            more = (number, value.width, value.height) if number else ()
            return ("p", box, value.label, value.score, *more)
        if isinstance(value, list):
            return ("l", [self.write(v) for v in value])
        if isinstance(value, tuple):
            return ("t", [self.write(v) for v in value])
        if isinstance(value, dict):
            return ("d", [(k, self.write(v)) for k, v in value.items()])
        return value

    def _number(self, region: Region) -> int:
        """The number of a region's picture; one that the run has just made gets the next."""
        whole = _whole(region)
        for number, one in enumerate((*self.wholes, *self.made)):
            if one == whole:
                return number
        self.made.append(whole)
        return len(self.wholes) + len(self.made) - 1

    def admits(self, value: Value) -> bool:
        """Whether a result brings no picture beyond the number that a run may make."""
        fresh = {_whole(r) for r in _regions(value) if isinstance(r, MadeRegion)} - {*self.made}
        return len(self.made) + len(fresh) <= MAX_MADE

    def result(self, value: Any, spec: ToolSpec, call: ToolCall | None = None) -> Value:
        """A copy of a tool's result, with boxes snapped to whole pixels of their pictures.

        Args:
            value: the result.
            spec: what the tool says that it returns.
            call: what was asked; its patches may be of pictures that the run made.

        Raises:
            Unfit: the tool returned something else than its spec says, or a region of a picture
                that is neither the run's own nor newly made.
        """
        regions = [] if call is None else [*_regions(dict(call.arguments))]
        sources = {region.image: region for region in reversed(regions)}
        copy: Value = self._result(value, 0, [0], sources)
        takes_regions = spec.returns == "ImagePatch" or spec.returns.startswith("list")
        stray = isinstance(copy, Region | list) and not takes_regions
        if stray or not _returns(copy, spec.returns):
            raise Unfit(
                f"{spec.name} returned a {type(value).__name__}, its spec says {spec.returns}"
            )
        return copy

    def _result(self, v: Any, depth: int, count: list[int], sources: dict[str, Region]) -> Any:
        self._count(depth, count)
        if isinstance(v, Region):
            return self._snap(v, sources)
        if v is None or type(v) in (bool, int, str):
            return self._read(v, depth, [0])
        if type(v) is float:
            if not math.isfinite(v):
                raise Unfit(f"a number that is not finite ({v})")
            return v
        if type(v) in (list, tuple):
            return type(v)(self._result(x, depth + 1, count, sources) for x in v)
        if type(v) is dict and all(type(k) is str for k in v):
            return {self._text(k): self._result(x, depth + 1, count, sources) for k, x in v.items()}
        raise Unfit(f"a value of type {type(v).__name__}")

    def _snap(self, region: Region, sources: dict[str, Region]) -> Region:
        own = {whole.image: whole for whole in self.wholes}
        # what was asked about first: a made picture may be the run's own one, turned full circle
        picture = sources.get(region.image) or own.get(region.image)
        if isinstance(region, MadeRegion) and region.pieces:
            picture = region  # its pieces say what of the run's own pictures it shows
            if not {piece.image for piece in region.pieces} <= own.keys():
                raise Unfit("a patch of another picture")
        if picture is None:
            raise Unfit("a patch of another picture")
        box = whole_pixels(region.box, picture.width, picture.height)
        label = None if region.label is None else str(region.label)[:MAX_LABEL]
        score = None if region.score is None else float(region.score)
        return replace(picture, box=box, label=label, score=score)


def _whole(region: Region) -> Region:
    """All of the picture that a region lies in."""
    box = Box(0, 0, region.width, region.height)
    return replace(region, box=box, label=None, score=None)


def _regions(value: Any) -> Iterator[Region]:
    """The regions inside a value."""
    if isinstance(value, Region):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _regions(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _regions(item)


def _returns(value: Any, declared: str) -> bool:
    """Whether a value is of the type that a tool's spec declares."""
    if value is None:
        return declared.endswith("| None")
    base = declared.removesuffix(" | None")
    if base.startswith("list["):
        return isinstance(value, list) and all(_returns(v, base[5:-1]) for v in value)
    kinds: dict[str, type | tuple[type, ...]] = {
        "str": str,
        "bool": bool,
        "int": int,
        "float": (int, float),
        "ImagePatch": Region,
        "list": list,
        "dict": dict,
    }
    return isinstance(value, kinds.get(base, object)) and (
        base == "bool" or type(value) is not bool
    )


def answer_text(value: Value) -> str:
    """The program's answer as text, as the paper's `formatting_answer` puts it.

    A bool becomes yes or no.  A whole float is written without a point.  The items of a list are
    joined by ", ".  A patch becomes its label.

    Raises:
        Unfit: there is no answer in the value: None, an empty text or list, a dict, or a patch
            without a label.
    """
    if value is None:
        raise Unfit("None; it must return an answer")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, Region):
        if value.label is None:
            raise Unfit("a patch; it must return a text, a number or yes/no")
        return value.label
    if isinstance(value, dict):
        raise Unfit("a dict; it must return a text, a number or yes/no")
    if isinstance(value, list | tuple):
        text = ", ".join("" if v == "" else answer_text(v) for v in value)
    else:
        text = value.strip()
    if not text.strip(" ,"):
        raise Unfit("an empty list" if isinstance(value, list | tuple) else "an empty text")
    return text


def _number_text(value: int | float) -> str:
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise Unfit(f"{value}, which is no answer")
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else str(value)
