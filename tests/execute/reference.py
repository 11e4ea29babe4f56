"""CPython as the reference: the same program, `exec`uted, with an ImagePatch of plain Python over
the same tools.

A second implementation of the API, written against its documentation and not against the prelude.
Only for programs that the tests themselves wrote.
"""

from __future__ import annotations
import __future__

import contextlib
import io
import re
import traceback
from dataclasses import dataclass, field, replace
from typing import Any

from tools_for_tests import HEIGHT, PICTURE, WIDTH, scripted_answer

from workbench.api import ALIASES, PARAMETER_ALIASES, STANDARD
from workbench.boxes import Box, iou
from workbench.execute.values import Border, answer_text
from workbench.limits import Limits
from workbench.records import Region, ToolCall, ToolSpec


@dataclass
class Outcome:
    """What came of a run: an answer or the name of an error, and the calls in order."""

    answer: str | None
    error: str | None
    calls: list[ToolCall] = field(default_factory=list)
    printed: str = ""
    line: int | None = None
    """Line of the program at which the error arose."""


_WORDS = {
    "(integer |float )?(division or modulo|modulo|floor division|division) by zero|float (modulo|divmod\\(\\))": "division by zero",
    "0.0 cannot be raised to a negative power": "zero to a negative power",
    "(min|max)\\(\\) arg is an empty sequence": r"\1() iterable argument is empty",
}
"""Messages of older Pythons, and what Python 3.14 says."""


def in_new_words(text: str) -> str:
    """What Python 3.14 prints where this Python printed `text`."""
    for old, new in _WORDS.items():
        text = re.sub(old, new, text)
    return text


def run_in_python(source: str, fail: Any = lambda call: None) -> Outcome:
    """Run a program as Python runs it."""
    world = _World(fail)
    printed = io.StringIO()
    flags = __future__.annotations.compiler_flag
    try:
        code = compile(source, "<program>", "exec", flags=flags, dont_inherit=True)
        names = world.names()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
            value = names["execute_command"](_Image())
        answer = answer_text(world.border.read(_packed(value)))
        return Outcome(answer, None, world.calls, printed.getvalue())
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == "<program>"]
        return Outcome(
            None,
            type(error).__name__,
            world.calls,
            printed.getvalue(),
            lines[-1] if lines else None,
        )


class _Image:
    size = (WIDTH, HEIGHT)
    width = WIDTH
    height = HEIGHT


def _packed(value: Any) -> Any:
    """A value as the prelude packs it."""
    if isinstance(value, ImagePatch):
        return (
            "p",
            (value.left, value.lower, value.right, value.upper),
            value.label,
            value._region.score,
        )
    for kind, tag in ((list, "l"), (tuple, "t"), (set, "e"), (frozenset, "e")):
        if type(value) is kind:
            return (tag, [_packed(v) for v in value])
    if type(value) is dict:
        return ("d", [(_packed(k), _packed(v)) for k, v in value.items()])
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, ImagePatch):
        return value._region
    if isinstance(value, list | tuple):
        return type(value)(_plain(v) for v in value)
    return value


class ImagePatch:
    """ImagePatch over a Region."""

    def __init__(
        self, image: Any, left: Any = None, lower: Any = None, right: Any = None, upper: Any = None
    ) -> None:
        if isinstance(image, ImagePatch):
            base = image._region.box
        elif isinstance(image, _Image):
            base = Box(0, 0, WIDTH, HEIGHT)
        else:
            raise TypeError("not an image")
        given = [left, lower, right, upper]
        if all(v is None for v in given):
            box = base
        elif any(v is None for v in given):
            raise TypeError("give all four")
        else:
            x = [base.x0 + min(max(int(v), 0), base.width) for v in (left, right)]
            y = [base.y1 - min(max(int(v), 0), base.height) for v in (upper, lower)]
            if x[1] <= x[0] or y[1] <= y[0]:
                raise ValueError("ImagePatch has no area")
            box = Box(int(x[0]), int(y[0]), int(x[1]), int(y[1]))
        self._set(Region(PICTURE, WIDTH, HEIGHT, box))

    def _set(self, region: Region) -> None:
        b = region.box
        self._region = region
        self.left, self.right = int(b.x0), int(b.x1)
        self.lower, self.upper = int(HEIGHT - b.y1), int(HEIGHT - b.y0)
        self.width, self.height = self.right - self.left, self.upper - self.lower
        self.horizontal_center = (self.left + self.right) / 2
        self.vertical_center = (self.lower + self.upper) / 2
        self.label = region.label

    def __repr__(self) -> str:
        b = self._region.box
        return f"ImagePatch({int(b.x0)}, {int(HEIGHT - b.y1)}, {int(b.x1)}, {int(HEIGHT - b.y0)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImagePatch) and self._region == other._region

    def __hash__(self) -> int:
        return hash(self._region.box)

    def crop(self, left: Any, lower: Any, right: Any, upper: Any) -> ImagePatch:
        return ImagePatch(self, left, lower, right, upper)

    def overlaps_with(
        self, left: Any, lower: Any = None, right: Any = None, upper: Any = None
    ) -> bool:
        if isinstance(left, ImagePatch):
            left, lower, right, upper = left.left, left.lower, left.right, left.upper
        return (
            self.left <= right
            and left <= self.right
            and self.lower <= upper
            and lower <= self.upper
        )

    overlaps = overlaps_with

    def expand_patch_with_surrounding(self) -> ImagePatch:
        w, h = self.width / 2, self.height / 2
        return ImagePatch(_Image(), self.left - w, self.lower - h, self.right + w, self.upper + h)


class _World:
    """The API's names over scripted tools, with a log."""

    def __init__(self, fail: Any) -> None:
        self.fail = fail
        self.calls: list[ToolCall] = []
        whole = Region(PICTURE, WIDTH, HEIGHT, Box(0, 0, WIDTH, HEIGHT))
        self.border = Border((whole,), Limits())

    def ask(
        self,
        spec: ToolSpec,
        patch: ImagePatch | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        names = [p.name for p in spec.parameters]
        if len(args) > len(names):
            raise TypeError("too many arguments")
        bound = dict(zip(names, args))
        for key, value in kwargs.items():
            name = next((n for n in names if key == n or key in PARAMETER_ALIASES.get(n, ())), None)
            if name is None or name in bound:
                raise TypeError(f"unexpected {key}")
            bound[name] = value
        for p in spec.parameters:
            if p.name not in bound and p.required:
                raise TypeError(f"missing {p.name}")
            bound.setdefault(p.name, p.default)
            if not _fits(bound[p.name], p.type):
                raise TypeError(f"{p.name} must be {p.type}")
        arguments = {"patch": patch._region} if spec.method and patch is not None else {}
        call = ToolCall(
            spec.name, {**arguments, **{p.name: _plain(bound[p.name]) for p in spec.parameters}}
        )
        self.calls.append(call)
        if reason := self.fail(call):
            raise RuntimeError(f"{spec.name}: {reason}")
        return self.patches(self.border.result(scripted_answer(spec, call), spec))

    def patches(self, value: Any) -> Any:
        if isinstance(value, Region):
            made = ImagePatch(_Image())
            made._set(replace(value))
            return made
        return [self.patches(v) for v in value] if isinstance(value, list) else value

    def best_image_match(self, *args: Any, **kwargs: Any) -> Any:
        index = kwargs.pop("return_index", args[2] if len(args) > 2 else False)
        patches = args[0] if args else kwargs["list_patches"]
        content = args[1] if len(args) > 1 else kwargs["content"]
        if not patches:
            return None
        best = self.ask(
            STANDARD["best_image_match"],
            None,
            (patches, [content] if isinstance(content, str) else content),
            {},
        )
        return best if index else patches[best]

    def names(self) -> dict[str, Any]:
        world = self

        def method(spec: ToolSpec) -> Any:
            return lambda patch, *args, **kwargs: world.ask(spec, patch, args, kwargs)

        def function(spec: ToolSpec) -> Any:
            return lambda *args, **kwargs: world.ask(spec, None, args, kwargs)

        names: dict[str, Any] = {"ImagePatch": ImagePatch, "__name__": "program"}
        for name, spec in STANDARD.items():
            for known in (name, *(alias for alias, target in ALIASES.items() if target == name)):
                setattr(ImagePatch, known, method(spec))
                if not spec.method:
                    names[known] = function(spec)
        names["best_image_match"] = self.best_image_match
        names |= {"distance": distance, "bool_to_yesno": lambda b: "yes" if b else "no"}
        names |= {"formatting_answer": formatting_answer, "coerce_to_numeric": coerce_to_numeric}
        return names


def _fits(value: Any, wanted: str) -> bool:
    if wanted.endswith(" | None"):
        return value is None or _fits(value, wanted.removesuffix(" | None"))
    if wanted.startswith("list["):
        return isinstance(value, list | tuple) and all(_fits(v, wanted[5:-1]) for v in value)
    kinds: dict[str, Any] = {
        "str": str,
        "int": int,
        "float": (int, float),
        "bool": (bool, int),
        "ImagePatch": ImagePatch,
    }
    return isinstance(value, kinds[wanted])


def distance(a: Any, b: Any) -> float:
    if not (isinstance(a, ImagePatch) and isinstance(b, ImagePatch)):
        return abs(a - b)
    x, y = a._region.box, b._region.box
    dx = max(0.0, x.x0 - y.x1, y.x0 - x.x1)
    dy = max(0.0, x.y0 - y.y1, y.y0 - x.y1)
    return float((dx**2 + dy**2) ** 0.5) or 0.0 - iou(x, y)


def formatting_answer(x: Any) -> str:
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, float) and x.is_integer():
        return str(int(x))
    if isinstance(x, list | tuple):
        return ", ".join(formatting_answer(v) for v in x)
    if isinstance(x, ImagePatch) and x.label is not None:
        return x.label
    return str(x).strip()


def coerce_to_numeric(text: str, no_string: bool = False) -> Any:
    words = {"zero": 0, "one": 1, "two": 2, "three": 3, "ten": 10}
    if text.lower() in words:
        return words[text.lower()]
    kept = "".join(c for c in text if c in "0123456789.-")
    try:
        return float(kept) if "." in kept else int(kept.split("-")[0] if "-" in kept[1:] else kept)
    except ValueError:
        if no_string:
            raise
        return text
