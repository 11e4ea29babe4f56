"""Pictures that programs make of pictures, and where their parts lie in what they were made of.

A patch of a made picture is a `MadeRegion`: its box counts in the made picture's own pixels, and
its `pieces` say which parts of the task's pictures are seen there.  So whatever is found on an
enlarged or turned part has a place in the task's picture too, which is the one that people and
rationales name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.boxes import Box, clip, intersection
from workbench.records import JSON, Region

PICTURE_STEPS = (
    *("zoom", "enhance", "rotate", "draw_box", "draw_point", "draw_line", "mark", "side_by_side"),
    "segment",
)
"""Tools whose result is a picture."""

MAX_PIECES = 16
"""Parts that one made picture shows beside each other at most."""

MAX_MADE = 32
"""Pictures that one run makes at most."""

Affine = tuple[float, float, float, float, float, float]
"""`(a, b, c, d, e, f)`: the point (x, y) goes to (a x + b y + c, d x + e y + f)."""

SAME: Affine = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Every point stays."""


@dataclass(frozen=True, slots=True)
class PicturePart:
    """A part of a made picture, and where it lies in a picture of the task."""

    box: Box
    """The part, in pixels of the made picture."""
    image: str
    """Digest of the task's picture that is seen there."""
    width: int
    """Of the task's picture, pixels, as `height`."""
    height: int
    area: Box
    """What of that picture is seen, in its pixels."""
    back: Affine
    """From a point of the made picture to the point of the task's picture."""


@dataclass(frozen=True, slots=True)
class MadeRegion(Region):
    """A part of a picture that a program made."""

    pieces: tuple[PicturePart, ...] = ()


def point(matrix: Affine, x: float, y: float) -> tuple[float, float]:
    """Where a point goes.

    Args:
        matrix: the map.
        x: pixels from the left.
        y: pixels from the top.
    """
    a, b, c, d, e, f = matrix
    return a * x + b * y + c, d * x + e * y + f


def after(second: Affine, first: Affine) -> Affine:
    """The map that applies `first` and then `second`."""
    a, b, c, d, e, f = first
    x, y = point(second, c, f)
    g, h, _, j, k, _ = second
    return g * a + h * d, g * b + h * e, x, j * a + k * d, j * b + k * e, y


def inverse(matrix: Affine) -> Affine:
    """The map that goes back; that of no area is refused with ZeroDivisionError."""
    a, b, c, d, e, f = matrix
    area = a * e - b * d
    g, h, j, k = e / area, -b / area, -d / area, a / area
    return g, h, -(g * c + h * f), j, k, -(j * c + k * f)


def moved(box: Box, matrix: Affine) -> Box:
    """The smallest upright box around a box that was moved, in unrounded pixels."""
    corners = [point(matrix, x, y) for x in (box.x0, box.x1) for y in (box.y0, box.y1)]
    xs, ys = zip(*corners, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def pieces_of(region: Region) -> tuple[PicturePart, ...]:
    """What is seen in a picture that is cut out along a region: one piece, or those of the region
    where it lies in a made picture itself.
    """
    x, y = region.box.x0, region.box.y0
    shift: Affine = (1.0, 0.0, x, 0.0, 1.0, y)
    if not isinstance(region, MadeRegion):
        box = Box(0, 0, region.box.width, region.box.height)
        return (PicturePart(box, region.image, region.width, region.height, region.box, shift),)
    parts = []
    for piece in region.pieces:
        if intersection(piece.box, region.box) > 0:
            inside = clip(moved(piece.box, inverse(shift)), region.box.width, region.box.height)
            area = _part_in(piece, region.box)
            parts.append(replace(piece, box=inside, area=area, back=after(piece.back, shift)))
    return tuple(parts)


def carried(pieces: Sequence[PicturePart], matrix: Affine) -> tuple[PicturePart, ...]:
    """Pieces in a picture into which everything was moved by a map."""
    back = inverse(matrix)
    return tuple(
        replace(piece, box=moved(piece.box, matrix), back=after(piece.back, back))
        for piece in pieces
    )


def place_of(region: Region) -> Region:
    """Where a region lies in a picture of the task: itself, unless it is one of a made picture.

    A box that reaches over several pieces has the smallest box around its parts in the picture of
    the largest one.
    """
    if not isinstance(region, MadeRegion):
        return region
    shares = [(intersection(piece.box, region.box), piece) for piece in region.pieces]
    largest = max(shares, key=lambda share: share[0])[1]
    boxes = [
        _part_in(piece, region.box)
        for share, piece in shares
        if piece is largest or (share > 0 and piece.image == largest.image)
    ]
    around = Box(
        min(b.x0 for b in boxes),
        min(b.y0 for b in boxes),
        max(b.x1 for b in boxes),
        max(b.y1 for b in boxes),
    )
    width, height = largest.width, largest.height
    box = whole_pixels(around, width, height)
    return Region(largest.image, width, height, box, region.label, region.score)


def _part_in(piece: PicturePart, box: Box) -> Box:
    """What of the task's picture is seen in a box of the made one: all of the piece where the two
    share nothing.
    """
    shared = _shared(piece.box, box)
    return (shared and _shared(piece.area, moved(shared, piece.back))) or piece.area


def _shared(a: Box, b: Box) -> Box | None:
    """The part that two boxes share."""
    if intersection(a, b) <= 0:
        return None
    return Box(max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1))


def whole_pixels(box: Box, width: int, height: int) -> Box:
    """A box in whole pixels inside a picture, at least one pixel wide and high.

    Args:
        box: the box.
        width: width of the picture, pixels.
        height: height of the picture, pixels.
    """
    inside = clip(box, width, height)
    x0, y0 = min(round(inside.x0), width - 1), min(round(inside.y0), height - 1)
    return Box(x0, y0, max(round(inside.x1), x0 + 1), max(round(inside.y1), y0 + 1))


def made_part(region: Region) -> JSON:
    """What an event holds of a made picture beside the place: digest, size and the box in it."""
    box = [int(x) if x == int(x) else x for x in region.box.as_tuple()]
    return {"image": region.image, "size": [region.width, region.height], "box": box}
