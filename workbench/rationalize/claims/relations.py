"""How measures of patches are said: `left of`, `larger than`, `the leftmost`.

Programs see ViperGPT's coordinates: the origin is at the LOWER left and y grows upwards.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from workbench.boxes import iou
from workbench.rationalize.claims.claims import Meaning, Measure, NamedPatch, Patch
from workbench.rationalize.claims.clauses import Predicate

KINDS = {
    "horizontal_center": "x", "left": "x", "right": "x",
    "vertical_center": "y", "lower": "y", "upper": "y", "top": "y", "bottom": "y",
    "width": "width", "height": "height", "area": "area",
}  # fmt: skip
"""What each field of a patch measures."""

_LESS = {
    "x": "left of", "y": "below", "width": "narrower than", "height": "shorter than",
    "area": "smaller than", "depth": "closer to the camera than",
}  # fmt: skip
_MORE = {
    "x": "right of", "y": "above", "width": "wider than", "height": "taller than",
    "area": "larger than", "depth": "farther from the camera than",
}  # fmt: skip
_LEAST = {
    "x": "leftmost", "y": "lowest", "width": "narrowest", "height": "shortest",
    "area": "smallest", "depth": "closest to the camera", "distance": "nearest",
}  # fmt: skip
_MOST = {
    "x": "rightmost", "y": "highest", "width": "widest", "height": "tallest",
    "area": "largest", "depth": "farthest from the camera", "distance": "farthest",
}  # fmt: skip
COMPARATIVE = {
    "lowest": "lower", "highest": "higher", "narrowest": "narrower", "widest": "wider",
    "shortest": "shorter", "tallest": "taller", "smallest": "smaller", "largest": "larger",
    "nearest": "nearer", "farthest": "farther",
    "closest to the camera": "closer to the camera",
    "farthest from the camera": "farther from the camera",
}  # fmt: skip
"""Each superlative as it is said of two things."""


def field(patch: Patch, name: str) -> float | None:
    """A field of a patch as programs see it; None for a field that is not a number."""
    box, height = patch.box, patch.height
    values = {
        "left": box.x0,
        "right": box.x1,
        "lower": height - box.y1,
        "upper": height - box.y0,
        "bottom": height - box.y1,
        "top": height - box.y0,
        "width": box.width,
        "height": box.height,
        "horizontal_center": (box.x0 + box.x1) / 2,
        "vertical_center": height - (box.y0 + box.y1) / 2,
        "area": box.area,
    }
    return values.get(name)


def relation(first: Measure, less: bool, second: Measure | float) -> Predicate | None:
    """What a comparison of two measures says of the first one's thing; None where it has no words.

    Args:
        first: the measure on the left.
        less: whether the comparison is `<`; otherwise it is `>`.
        second: the measure on the right; a plain number says nothing.
    """
    if not isinstance(second, Measure) or first.kind != second.kind:
        return None
    if first.one.patch.picture != second.one.patch.picture:
        return None  # places and sizes in pixels of two pictures do not compare
    if first.kind == "distance" and first.towards is not None and second.towards is not None:
        return _nearness(first, first.towards, less, second, second.towards)
    words = (_LESS if less else _MORE).get(first.kind)
    if words is None or second.one == first.one:
        return None
    if second.one.patch.whole:
        middle = first.kind in ("x", "y")
        where = second.one.patch.picture_name
        return Predicate("be", f"{words} the middle of {where}") if middle else None
    return Predicate("be", f"{words} {{0}}", (second.one,))


def _nearness(
    first: Measure, goal: NamedPatch, less: bool, second: Measure, other: NamedPatch
) -> Predicate | None:
    """One thing nearer to one goal than to another, or nearer to a goal than another thing."""
    if first.one.patch == second.one.patch and goal.patch != other.patch:
        near, far = (goal, other) if less else (other, goal)
        return Predicate("be", "nearer to {0} than to {1}", (near, far))
    if goal.patch == other.patch:
        word = "nearer to" if less else "farther from"
        return Predicate("be", f"{word} {{0}} than {{1}}", (goal, second.one))
    return None


def combine(
    a: Meaning | None, op: ast.operator, b: Meaning | None, second: float
) -> Measure | None:
    """What arithmetic on measures measures: an area, half the picture's width, a distance.

    Args:
        a: what the left operand means.
        op: the arithmetic operator.
        b: what the right operand means.
        second: the value of the right operand.
    """
    if not isinstance(a, Measure):
        return None
    if isinstance(b, Measure):
        return _combine_two(a, op, b)
    if isinstance(op, ast.Pow):
        return _power(a, second)
    if a.one.patch.whole and isinstance(op, ast.Div) and second == 2:
        return Measure({"width": "x", "height": "y"}.get(a.kind, a.kind), a.one)
    return None


def _combine_two(a: Measure, op: ast.operator, b: Measure) -> Measure | None:
    same = a.one.patch == b.one.patch
    kinds = {a.kind, b.kind}
    match op:
        case ast.Mult() if same and kinds == {"width", "height"}:
            return Measure("area", a.one)
        case ast.Mult() if same and a == b and a.kind in ("dx", "dy"):
            return replace(a, kind=f"{a.kind}2")
        case ast.Sub() if not same and a.kind == b.kind and a.kind in ("x", "y"):
            return Measure(f"d{a.kind}", a.one, b.one)
        case ast.Add() if same and kinds == {"dx2", "dy2"} and a.towards == b.towards:
            return Measure("distance", a.one, a.towards)
    return None


def _power(a: Measure, exponent: float) -> Measure | None:
    if a.kind in ("dx", "dy") and exponent == 2:
        return replace(a, kind=f"{a.kind}2")
    return a if a.kind == "distance" and exponent == 0.5 else None


def other_than(thing: NamedPatch) -> Predicate:
    """What `x != thing` says of x: that it is other than the thing."""
    return Predicate("be", "other than {0}", (thing,))


def superlative(kind: str, most: bool) -> str | None:
    """The superlative of a measure (`leftmost`, `largest`); None for a measure without a word."""
    return (_MOST if most else _LEAST).get(kind)


def distance(a: Patch, b: Patch) -> float:
    """Pixels between the nearest edges of two patches, as ViperGPT's `distance` gives them.

    Where the patches overlap, it is minus their intersection over union.
    """
    x = max(a.box.x0 - b.box.x1, b.box.x0 - a.box.x1, 0.0)
    y = max(a.box.y0 - b.box.y1, b.box.y0 - a.box.y1, 0.0)
    shared = iou(a.box, b.box)
    return -shared if shared > 0 else float((x * x + y * y) ** 0.5)
