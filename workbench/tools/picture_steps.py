"""Steps whose result is a picture: enlarge, enhance, turn, draw on, number, put side by side.

Each makes a new picture out of patches, keeps it beside the project's pictures under its digest,
and gives it back as a patch, with the name of what it shows and with its place in the task's
picture (`workbench/made_pictures.py`).  A made picture has at most `MOST_PIXELS`; what would be
larger is scaled down.
"""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from workbench.boxes import Box, intersection
from workbench.errors import ToolFailure
from workbench.made_pictures import (
    MAX_PIECES,
    Affine,
    MadeRegion,
    PicturePart,
    carried,
    inverse,
    moved,
    pieces_of,
    place_of,
)
from workbench.ports import Images
from workbench.records import Parameter, PartRef, Region, ToolCall, ToolSpec, Value
from workbench.tools.arguments import answer_batch, kind, patch, patches, text

MOST_PIXELS = 1_048_576
"""Pixels of the largest picture that a step makes: 1024 x 1024."""
LARGEST_FACTOR = 16.0
"""Largest factor of `zoom`."""
LARGEST_STRENGTH = 4.0
"""Largest strength of `enhance`."""
BESIDE = 4
"""Patches that `side_by_side` puts beside each other at most."""
_HEIGHT = 384
"""Height of the pictures that are put side by side, pixels."""
_GAP = 8
"""White pixels between them."""
_PAPER = (128, 128, 128)
"""Colour of the corners that a turned picture does not fill."""
COLOURS = ("red", "green", "blue", "yellow", "white", "black", "orange", "purple")
"""Colours to draw with."""
ENHANCED = ("contrast", "brightness", "sharpness", "grey")
"""What `enhance` changes."""


@runtime_checkable
class AddsPictures(Protocol):
    """Pictures to which new ones can be added, as a project's are."""

    def add_bytes(self, data: bytes, name: str) -> str:
        """Keep a picture's file and give its digest.

        Args:
            data: content of the file.
            name: what messages call it.
        """
        ...


class Canvas:
    """A picture in the making, and what of the task's pictures it shows."""

    def __init__(self, region: Region, images: Images, factor: float = 1.0) -> None:
        """A patch as a picture of its own.

        Args:
            region: the patch.
            images: opens its picture.
            factor: how much it is enlarged, less where it would have more than `MOST_PIXELS`.
        """
        self.picture = images.crop(region)
        self.pieces: tuple[PicturePart, ...] = pieces_of(region)
        self.region = region
        self.factor = 1.0
        """How much it was scaled so far."""
        most = math.sqrt(MOST_PIXELS / (self.picture.width * self.picture.height))
        self.scale(min(factor, most))

    def scale(self, factor: float) -> None:
        """Make the picture larger or smaller by a factor; each side has at least one pixel."""
        width, height = self.picture.size
        size = max(round(width * factor), 1), max(round(height * factor), 1)
        if size == (width, height):
            return
        self.picture = self.picture.resize(size, Image.Resampling.LANCZOS)
        self.factor *= factor
        self._carry((size[0] / width, 0.0, 0.0, 0.0, size[1] / height, 0.0))

    def turn(self, degrees: float) -> None:
        """Turn the picture counter-clockwise; it grows so that nothing is cut off."""
        width, height = self.picture.size
        self.picture = self.picture.rotate(
            degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_PAPER
        )
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        right, down = self.picture.width / 2, self.picture.height / 2
        x = right - (cos * width + sin * height) / 2
        y = down - (cos * height - sin * width) / 2
        self._carry((cos, sin, x, -sin, cos, y))

    def _carry(self, matrix: Affine) -> None:
        self.pieces = carried(self.pieces, matrix)

    def box_of(self, thing: Region) -> Box:
        """A thing in pixels of this picture, by its place in the task's picture where it was found
        in another one.

        Raises:
            ToolFailure: it is not seen here.
        """
        one, k = self.region, self.factor
        parts = [r.pieces if isinstance(r, MadeRegion) else () for r in (one, thing)]
        if thing.image == one.image and parts[0] == parts[1]:
            boxes = [moved(thing.box, (k, 0.0, -one.box.x0 * k, 0.0, k, -one.box.y0 * k))]
        else:
            place = place_of(thing)
            boxes = [
                moved(place.box, inverse(piece.back))
                for piece in self.pieces
                if piece.image == place.image and intersection(piece.area, place.box) > 0
            ]
        whole = Box(0, 0, *self.picture.size)
        inside = [box for box in boxes if intersection(box, whole) > 0]
        if not inside:
            raise ToolFailure("the thing lies outside the patch on which it is to be drawn")
        return inside[0]

    def keep(self, images: Images, tool: str, name: bool = True) -> MadeRegion:
        """Keep the picture, and give it as a patch.

        Args:
            images: where it is kept.
            tool: name of the tool, for messages.
            name: whether it has the name of the patch that it was made of.

        Raises:
            ToolFailure: pictures cannot be kept there.
        """
        if not isinstance(images, AddsPictures):
            raise ToolFailure("new pictures cannot be kept here; run it in a project")
        out = io.BytesIO()
        self.picture.convert("RGB").save(out, "PNG")
        digest = images.add_bytes(out.getvalue(), f"a picture that {tool} made")
        width, height = self.picture.size
        label, score = (self.region.label, self.region.score) if name else (None, None)
        box = Box(0, 0, width, height)
        return MadeRegion(digest, width, height, box, label, score, self.pieces)


class PictureStep:
    """A tool whose result is a new picture; each kind says what it does to the patch."""

    batch_size = 8
    spec: ToolSpec

    def __init__(self) -> None:
        self.ref = PartRef("tool", self.spec.name, "1")

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, lambda call: self.make(call, images), list)

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        """The new picture, as a patch.

        Raises:
            ToolFailure: it cannot be made of these arguments.
        """
        raise NotImplementedError


_THING = Parameter("thing", "ImagePatch")
_COLOUR = Parameter("colour", "str", "red", required=False)


def _spec(name: str, doc: str, *parameters: Parameter, method: bool = True) -> ToolSpec:
    return ToolSpec(name, parameters, "ImagePatch", inspect.cleandoc(doc), method)


class Zoom(PictureStep):
    """`zoom`: the patch enlarged by a factor of up to 16."""

    spec = _spec(
        "zoom",
        """
        This patch enlarged, as a new picture, so that small things are found in it.
        Coordinates of what is found there are those of the new picture.
        >>> sign = image_patch.find("sign")[0]
        >>> return formatting_answer(sign.zoom(4).read_text())
        """,
        Parameter("factor", "float", 2.0, required=False),
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        factor = _number(call, "factor", LARGEST_FACTOR)
        return Canvas(patch(call), images, factor).keep(images, call.tool)


class Enhance(PictureStep):
    """`enhance`: contrast, brightness or sharpness of the patch changed, or its colours taken."""

    spec = _spec(
        "enhance",
        """
        This patch with more (below 1: less) contrast, brightness or sharpness, or in grey.
        >>> plate = image_patch.find("license plate")[0]
        >>> return formatting_answer(plate.enhance("contrast", 2.0).read_text())
        """,
        Parameter("what", "str", "contrast", required=False),
        Parameter("strength", "float", 1.5, required=False),
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        what = _one_of(call, "what", ENHANCED)
        strength = _number(call, "strength", LARGEST_STRENGTH)
        canvas = Canvas(patch(call), images)
        if what == "grey":
            canvas.picture = ImageOps.grayscale(canvas.picture).convert("RGB")
        else:
            change = {
                "contrast": ImageEnhance.Contrast,
                "brightness": ImageEnhance.Brightness,
                "sharpness": ImageEnhance.Sharpness,
            }[what]
            canvas.picture = change(canvas.picture).enhance(strength)
        return canvas.keep(images, call.tool)


class Rotate(PictureStep):
    """`rotate`: the patch turned counter-clockwise by any angle."""

    spec = _spec(
        "rotate",
        """
        This patch turned counter-clockwise, as a new picture.
        >>> spine = image_patch.find("book")[0]
        >>> return formatting_answer(spine.rotate(-90).read_text())
        """,
        Parameter("degrees", "float", 90.0, required=False),
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        degrees = call.arguments.get("degrees")
        if isinstance(degrees, bool) or not isinstance(degrees, int | float):
            raise ToolFailure(f"degrees needs to be a number, found {kind(degrees)}")
        if not abs(degrees) <= 360:
            raise ToolFailure(f"degrees is {degrees}; -360 to 360 are taken")
        canvas = Canvas(patch(call), images)
        canvas.turn(degrees)
        most = math.sqrt(MOST_PIXELS / (canvas.picture.width * canvas.picture.height))
        canvas.scale(min(most, 1.0))
        return canvas.keep(images, call.tool)


class DrawBox(PictureStep):
    """`draw_box`: a box around a thing in the patch."""

    spec = _spec(
        "draw_box",
        """
        This patch with a box drawn around a thing in it.
        >>> drawn = image_patch.draw_box(image_patch.find("dog")[0])
        >>> return formatting_answer(drawn.visual_question_answering("What is in the red box?"))
        """,
        _THING,
        _COLOUR,
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        canvas, colour = Canvas(patch(call), images), _one_of(call, "colour", COLOURS)
        box = canvas.box_of(patch(call, "thing"))
        _outline(canvas, box, colour)
        return canvas.keep(images, call.tool)


class DrawPoint(PictureStep):
    """`draw_point`: a point at the centre of a thing in the patch."""

    spec = _spec(
        "draw_point",
        """
        This patch with a point drawn at the centre of a thing in it.
        >>> drawn = image_patch.draw_point(image_patch.find("knob")[0])
        """,
        _THING,
        _COLOUR,
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        canvas, colour = Canvas(patch(call), images), _one_of(call, "colour", COLOURS)
        x, y = canvas.box_of(patch(call, "thing")).center
        size = 2 * _pen(canvas)
        ImageDraw.Draw(canvas.picture).ellipse((x - size, y - size, x + size, y + size), colour)
        return canvas.keep(images, call.tool)


class DrawLine(PictureStep):
    """`draw_line`: a line between the centres of two things in the patch."""

    spec = _spec(
        "draw_line",
        """
        This patch with a line drawn between the centres of two things in it.
        >>> drawn = image_patch.draw_line(image_patch.find("dog")[0], image_patch.find("ball")[0])
        """,
        Parameter("first", "ImagePatch"),
        Parameter("second", "ImagePatch"),
        _COLOUR,
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        canvas, colour = Canvas(patch(call), images), _one_of(call, "colour", COLOURS)
        ends = [canvas.box_of(patch(call, name)).center for name in ("first", "second")]
        ImageDraw.Draw(canvas.picture).line([*ends[0], *ends[1]], colour, _pen(canvas))
        return canvas.keep(images, call.tool)


class Mark(PictureStep):
    """`mark`: a numbered box around each of up to 32 things in the patch."""

    spec = _spec(
        "mark",
        """
        This patch with a numbered box around each of the things in it, from 1 on.
        >>> marked = image_patch.mark(image_patch.find("cup"))
        >>> return formatting_answer(marked.visual_question_answering("Which number is empty?"))
        """,
        Parameter("things", "list[ImagePatch]"),
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        canvas = Canvas(patch(call), images)
        boxes = [canvas.box_of(thing) for thing in patches(call, "things")]
        size = max(14, min(canvas.picture.size) // 20)
        font = ImageFont.load_default(size)
        for number, box in enumerate(boxes, 1):
            colour = COLOURS[(number - 1) % len(COLOURS)]
            _outline(canvas, box, colour)
            draw = ImageDraw.Draw(canvas.picture)
            at = max(box.x0, 0), max(box.y0, 0)
            draw.rectangle(draw.textbbox(at, str(number), font), "black")
            draw.text(at, str(number), "white", font)
        return canvas.keep(images, call.tool)


class PatchesBeside(PictureStep):
    """`side_by_side`: two to four patches in one picture, all of one height."""

    spec = _spec(
        "side_by_side",
        """
        Two to four patches beside each other in one new picture, from left to right.
        >>> pair = side_by_side([image_patch.find("cat")[0], image_patch.find("dog")[0]])
        >>> return formatting_answer(pair.visual_question_answering("Which one is larger?"))
        """,
        Parameter("list_patches", "list[ImagePatch]"),
        method=False,
    )

    def make(self, call: ToolCall, images: Images) -> MadeRegion:
        parts = patches(call, "list_patches")
        if not 2 <= len(parts) <= BESIDE:
            raise ToolFailure(f"side_by_side takes 2 to {BESIDE} patches, found {len(parts)}")
        canvases = [Canvas(part, images) for part in parts]
        widest = MOST_PIXELS // _HEIGHT // len(parts) - _GAP
        for canvas in canvases:
            width, height = canvas.picture.size
            canvas.scale(min(_HEIGHT / height, widest / width))
        tallest = max(canvas.picture.height for canvas in canvases)
        full = sum(canvas.picture.width + _GAP for canvas in canvases) - _GAP
        sheet = Image.new("RGB", (full, tallest), "white")
        pieces: list[PicturePart] = []
        x = 0
        for canvas in canvases:
            sheet.paste(canvas.picture, (x, 0))
            pieces += carried(canvas.pieces, (1.0, 0.0, float(x), 0.0, 1.0, 0.0))
            x += canvas.picture.width + _GAP
        if len(pieces) > MAX_PIECES:
            raise ToolFailure(f"the picture would show more than {MAX_PIECES} parts")
        first = canvases[0]
        first.picture, first.pieces = sheet, tuple(pieces)
        return first.keep(images, call.tool, name=False)


def _outline(canvas: Canvas, box: Box, colour: str) -> None:
    width, height = canvas.picture.size
    x0, y0 = min(max(box.x0, 0), width - 1), min(max(box.y0, 0), height - 1)
    corners = (x0, y0, max(min(box.x1, width - 1), x0), max(min(box.y1, height - 1), y0))
    ImageDraw.Draw(canvas.picture).rectangle(corners, outline=colour, width=_pen(canvas))


def _pen(canvas: Canvas) -> int:
    """Width of lines: a hundredth of the shorter side, 2 to 6 pixels."""
    return min(max(min(canvas.picture.size) // 100, 2), 6)


def _number(call: ToolCall, name: str, largest: float) -> float:
    value = call.arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ToolFailure(f"{name} needs to be a number, found {kind(value)}")
    if not 0 < value <= largest:
        raise ToolFailure(f"{name} is {value}; above 0, at most {largest:g} is taken")
    return float(value)


def _one_of(call: ToolCall, name: str, words: Sequence[str]) -> str:
    word = text(call, name).lower()
    if word not in words:
        raise ToolFailure(f"{name} is '{word}'; one of {', '.join(words)} is taken")
    return word
