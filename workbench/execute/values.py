"""The border: the exact types that may cross between a program and the host, with caps.

Out of the sandbox come plain scalars and tagged tuples made by the prelude: `("p", box, label,
score)` for a patch with its box in lower-left coordinates, `("l" | "t" | "e", items)` for list,
tuple and set, `("d", pairs)` for dict.  All of it is treated as hostile: exact types, counts,
sizes, and boxes that lie in the picture.  A program cannot name a picture; the run's own is filled
in here, so that no patch of another run can cross.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from workbench.boxes import Box, clip, from_lower_left, to_lower_left
from workbench.limits import Limits
from workbench.records import Region, ToolSpec, Value

MAX_LABEL = 200
"""Longest label of a patch, characters."""
MAX_BITS = 63
"""Longest integer, bits."""


class Unfit(Exception):
    """The value may not cross; the text says what it is."""


@dataclass(slots=True)
class Border:
    """Converts the values of one run on one picture."""

    whole: Region
    """The whole picture."""
    limits: Limits

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
        if v[0] == "p" and len(v) == 4:
            return self._patch(v[1], v[2], v[3])
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

    def _patch(self, box: Any, label: Any, score: Any) -> Region:
        if type(box) is not tuple or len(box) != 4 or any(type(x) is not int for x in box):
            raise Unfit("a patch with a strange box")
        left, lower, right, upper = box
        if not (0 <= left < right <= self.whole.width and 0 <= lower < upper <= self.whole.height):
            raise Unfit(f"a patch outside the picture: {box}")
        if label is not None and (type(label) is not str or len(label) > MAX_LABEL):
            raise Unfit("a patch with a strange label")
        if score is not None and type(score) is not float:
            raise Unfit("a patch with a strange score")
        place = from_lower_left(left, lower, right, upper, self.whole.height)
        return replace(self.whole, box=place, label=label, score=score)

    def write(self, value: Value) -> Any:
        """A checked value for the sandbox, in the prelude's form."""
        if isinstance(value, Region):
            left, lower, right, upper = to_lower_left(value.box, self.whole.height)
            return ("p", (int(left), int(lower), int(right), int(upper)), value.label, value.score)
        if isinstance(value, list):
            return ("l", [self.write(v) for v in value])
        if isinstance(value, tuple):
            return ("t", [self.write(v) for v in value])
        if isinstance(value, dict):
            return ("d", [(k, self.write(v)) for k, v in value.items()])
        return value

    def result(self, value: Any, spec: ToolSpec) -> Value:
        """A copy of a tool's result, with boxes snapped to whole pixels of the picture.

        Raises:
            Unfit: the tool returned something else than its spec says, or a region of another
                picture.
        """
        copy: Value = self._result(value, 0, [0])
        takes_regions = spec.returns == "ImagePatch" or spec.returns.startswith("list")
        stray = isinstance(copy, Region | list) and not takes_regions
        if stray or not _returns(copy, spec.returns):
            raise Unfit(
                f"{spec.name} returned a {type(value).__name__}, its spec says {spec.returns}"
            )
        return copy

    def _result(self, v: Any, depth: int, count: list[int]) -> Any:
        self._count(depth, count)
        if isinstance(v, Region):
            return self._snap(v)
        if v is None or type(v) in (bool, int, str):
            return self._read(v, depth, [0])
        if type(v) is float:
            if not math.isfinite(v):
                raise Unfit(f"a number that is not finite ({v})")
            return v
        if type(v) in (list, tuple):
            return type(v)(self._result(x, depth + 1, count) for x in v)
        if type(v) is dict and all(type(k) is str for k in v):
            return {self._text(k): self._result(x, depth + 1, count) for k, x in v.items()}
        raise Unfit(f"a value of type {type(v).__name__}")

    def _snap(self, region: Region) -> Region:
        if region.image != self.whole.image:
            raise Unfit("a patch of another picture")
        width, height = self.whole.width, self.whole.height
        inside = clip(region.box, width, height)
        x0, y0 = min(round(inside.x0), width - 1), min(round(inside.y0), height - 1)
        box = Box(x0, y0, max(round(inside.x1), x0 + 1), max(round(inside.y1), y0 + 1))
        label = None if region.label is None else str(region.label)[:MAX_LABEL]
        score = None if region.score is None else float(region.score)
        return Region(region.image, width, height, box, label, score)


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
