"""Box geometry: the one place where pixels, the 0-999 grid and lower-left coordinates meet.

A `Box` is in pixels of the picture as stored, origin at the TOP left, `x0 y0 x1 y1`, right and
bottom excluded.  Programs see ViperGPT's coordinates: origin at the LOWER left, so that
`vertical_center` grows upwards (arXiv 2303.08128, `image_patch.py`).  Rationales write boxes as
`ymin xmin ymax xmax` on a 0-999 grid per axis (Hu et al. 2024, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

GRID = 999
"""Largest value of the rationale's grid; both axes run from 0 to this."""


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A rectangle in pixels, top-left origin, right and bottom excluded.

    Raises:
        ValueError: a side is not finite, or x0 > x1 or y0 > y1.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        ordered = self.x0 <= self.x1 and self.y0 <= self.y1
        if not (ordered and all(math.isfinite(side) for side in self.as_tuple())):
            raise ValueError(f"a box needs finite x0 <= x1 and y0 <= y1, found {self.as_tuple()}")

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """The centre as `(x, y)` in pixels; y grows downwards."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def as_tuple(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1


def intersection(a: Box, b: Box) -> float:
    """Area shared by two boxes, in square pixels."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(width, 0.0) * max(height, 0.0)


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1; two empty boxes give 0."""
    shared = intersection(a, b)
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0


def clip(box: Box, width: float, height: float) -> Box:
    """The part of a box that lies inside a picture; it may be empty.

    Args:
        box: the box.
        width: width of the picture, pixels.
        height: height of the picture, pixels.
    """
    x0, x1 = (min(max(v, 0.0), width) for v in (box.x0, box.x1))
    y0, y1 = (min(max(v, 0.0), height) for v in (box.y0, box.y1))
    return Box(x0, y0, x1, y1)


def to_lower_left(box: Box, height: float) -> tuple[float, float, float, float]:
    """A box as `(left, lower, right, upper)`, with the origin at the LOWER left of a picture.

    Args:
        box: the box.
        height: height of the picture, pixels.
    """
    return box.x0, height - box.y1, box.x1, height - box.y0


def from_lower_left(left: float, lower: float, right: float, upper: float, height: float) -> Box:
    """The inverse of `to_lower_left`.

    Args:
        left: x of the left border, pixels.
        lower: y of the lower border, pixels from the bottom of the picture.
        right: x of the right border, pixels.
        upper: y of the upper border, pixels from the bottom of the picture.
        height: height of the picture, pixels.

    Raises:
        ValueError: left > right or lower > upper.
    """
    return Box(left, height - upper, right, height - lower)


def to_grid(box: Box, width: float, height: float) -> tuple[int, int, int, int]:
    """A box as `(ymin, xmin, ymax, xmax)` on the 0-999 grid.

    Args:
        box: the box.
        width: width of the picture, pixels.
        height: height of the picture, pixels.
    """

    def cell(value: float, size: float) -> int:
        return min(max(round(value / size * GRID), 0), GRID)

    return cell(box.y0, height), cell(box.x0, width), cell(box.y1, height), cell(box.x1, width)


def from_grid(cells: Sequence[int], width: float, height: float) -> Box:
    """The inverse of `to_grid`.

    Args:
        cells: `(ymin, xmin, ymax, xmax)` on the 0-999 grid.
        width: width of the picture, pixels.
        height: height of the picture, pixels.
    """
    ymin, xmin, ymax, xmax = cells
    return Box(xmin / GRID * width, ymin / GRID * height, xmax / GRID * width, ymax / GRID * height)


def grid_text(box: Box, width: float, height: float) -> str:
    """A box as the paper writes it in a text, for example `469 124 726 351`.

    Args:
        box: the box.
        width: width of the picture, pixels.
        height: height of the picture, pixels.
    """
    return " ".join(str(v) for v in to_grid(box, width, height))


def non_maximum_suppression(
    boxes: Sequence[Box], scores: Sequence[float], threshold: float
) -> list[int]:
    """Indices of the boxes that greedy suppression keeps, best score first.

    Args:
        boxes: the boxes.
        scores: one score for each box.
        threshold: highest intersection over union of a box with a better one that is kept.
    """
    order = sorted(range(len(boxes)), key=lambda i: (-scores[i], i))
    kept: list[int] = []
    for i in order:
        if all(iou(boxes[i], boxes[j]) <= threshold for j in kept):
            kept.append(i)
    return kept
