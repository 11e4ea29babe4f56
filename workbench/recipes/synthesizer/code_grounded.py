"""Code-grounded pictures: what a drawing program draws is known exactly, and so is every answer.

After CodePercept, whose pictures come from code with captions that the code makes exact.  A drawing
program is written from dice, run in front of a plain canvas, and asked about: how many, what
colour, which is farther left.  The answer follows from the program's own values.  Before a question
is taken, the picture is read back, pixel by pixel: a shape that is hidden, cut off or of another
colour than the program says makes the candidate one that is refused.

    taken iff for each shape i: share of pixels inside shape_i with colour_i >= visible
              and the question names one shape alone

Each place that the project's runs have seen begins one picture: its first shape stands where that
place stood, so that positions are those of real pictures.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.ports import LabelledRegion, SynthesisRoom, SynthesizedQuestion
from workbench.records import PartRef

CARD = Card(
    name="code_grounded",
    port="synthesizer",
    paper="CodePercept: code-grounded visual perception for multimodal language models",
    year=2026,
    grade="A",
    level="V2",
    provenance="C",
    link="https://github.com/TongkunGuan/Qwen-CodePercept",
    idea="Draw pictures by programs, so that captions and answers are exact and there are as many "
    "as wanted.",
    formula="answer = f(values of the program); taken iff every shape shows at least `visible` of "
    "its pixels in its colour, and the question names one shape alone",
    command="vpd synthesize code_grounded --limit 20",
    expect="The command prints how many candidates were taken and refused, by reason.  What "
    "training on them is worth was not measured yet.",
    defaults={"shapes": 4, "side": 320, "visible": 0.9, "seed": 0},
    sources={
        "visible": "ours: a shape that is covered by more than a tenth is no fair question",
    },
    traps=(
        "The release's score leaves failures out of the means of picture and code, and divides the "
        "share of executable programs by 1,000; `code_score` counts a failure as 0.",
        "A question about the circle has no answer where there are two of them.",
    ),
    not_reproduced=(
        "The other direction, from picture to code, as a lesson; its score is here.",
        "Pictures of science and engineering drawn by a language model's programs.",
        "The reinforcement learning on format, execution, code and picture.",
    ),
)
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (214, 39, 40),
    "green": (44, 160, 44),
    "blue": (31, 119, 180),
    "yellow": (240, 200, 30),
    "purple": (148, 103, 189),
    "orange": (255, 127, 14),
}
SHAPES = ("circle", "square", "triangle")
PAPER = (250, 250, 247)
"""Colour of the canvas."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of a drawing; lengths in pixels."""

    kind: str
    colour: str
    x: int
    y: int
    """Centre."""
    radius: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom."""
        x, y, r = self.x, self.y, self.radius
        return x - r, y - r, x + r, y + r

    @property
    def corners(self) -> list[tuple[int, int]]:
        """Of the triangle in the box."""
        left, top, right, bottom = self.box
        return [(self.x, top), (left, bottom), (right, bottom)]

    def draw(self, pen: ImageDraw.ImageDraw, ink: int | tuple[int, int, int]) -> None:
        """Draw the shape with a pen, in a colour."""
        if self.kind == "circle":
            pen.ellipse(self.box, fill=ink)
        elif self.kind == "square":
            pen.rectangle(self.box, fill=ink)
        else:
            pen.polygon(self.corners, fill=ink)

    @property
    def name(self) -> str:
        """As captions and questions call it."""
        return f"{self.colour} {self.kind}"


def code_of(shapes: Sequence[Shape], side: int) -> str:
    """The drawing program, as plain Python with Pillow."""
    lines = [
        "from PIL import Image, ImageDraw",
        f"picture = Image.new('RGB', ({side}, {side}), {PAPER})",
        "pen = ImageDraw.Draw(picture)",
    ]
    for one in shapes:
        call = {
            "circle": f"ellipse({one.box}",
            "square": f"rectangle({one.box}",
            "triangle": f"polygon({one.corners}",
        }[one.kind]
        lines.append(f"pen.{call}, fill={COLOURS[one.colour]})  # {one.name}")
    return "\n".join(lines) + "\n"


def picture_of(shapes: Sequence[Shape], side: int) -> Image.Image:
    """What the program draws."""
    picture = Image.new("RGB", (side, side), PAPER)
    pen = ImageDraw.Draw(picture)
    for one in shapes:
        one.draw(pen, COLOURS[one.colour])
    return picture


def caption_of(shapes: Sequence[Shape]) -> str:
    """What the picture shows, from left to right."""
    names = [f"a {one.name}" for one in sorted(shapes, key=lambda one: one.x)]
    return "From left to right: " + ", ".join(names) + "."


def visible(picture: Image.Image, shape: Shape) -> float:
    """The share of a shape's own pixels that have its colour in a picture, read from the pixels."""
    alone = Image.new("L", picture.size, 0)
    shape.draw(ImageDraw.Draw(alone), 255)
    inside = np.asarray(alone) > 0
    same = (np.asarray(picture) == np.array(COLOURS[shape.colour])).all(-1)
    # what is cut off by the edge is missing as well
    r = shape.radius
    whole = {"circle": np.pi * r * r, "square": (2 * r + 1) ** 2, "triangle": 2 * r * (r + 1)}
    return float((inside & same).sum() / max(inside.sum(), 0.97 * whole[shape.kind], 1))


class CodeGrounded:
    """Draws pictures and asks about them.

    Args:
        shapes: most shapes of a picture.
        side: of the picture, pixels.
        visible: smallest share of a shape that shows.
        seed: of the dice.
    """

    language = ""

    def __init__(
        self, shapes: int = 4, side: int = 320, visible: float = 0.9, seed: int = 0
    ) -> None:
        if not 2 <= shapes <= 12 or not 64 <= side <= 4096 or not 0 < visible <= 1:
            raise ProfileError(
                "code_grounded takes 2 to 12 shapes, a side of 64 to 4096 pixels and visible "
                f"above 0, at most 1; found {shapes!r}, {side!r} and {visible!r}"
            )
        self._shapes, self._side, self._visible, self._seed = shapes, side, visible, seed
        arguments = {"shapes": shapes, "side": side, "visible": visible, "seed": seed}
        self.ref = PartRef("synthesizer", "code_grounded", arguments=arguments)

    def propose(
        self, regions: Sequence[LabelledRegion], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """One candidate for each place, taken or refused."""
        for number, origin in enumerate(regions):
            dice = random.Random(f"{self._seed}/{number}/{origin.task_id}")
            shapes = self._scene(origin, dice)
            picture = picture_of(shapes, self._side)
            question, answer = ask(shapes, dice)
            facts = {"code": code_of(shapes, self._side), "caption": caption_of(shapes)}
            if reason := self.fault(picture, shapes, question):
                yield SynthesizedQuestion(origin, question, reason=reason, facts=facts)
            else:
                place = room.keep(picture)
                yield SynthesizedQuestion(origin, question, place.image, answer, facts=facts)

    def _scene(self, origin: LabelledRegion, dice: random.Random) -> list[Shape]:
        """Shapes, the first of which stands where the place stood."""
        box, side = origin.region.box, self._side
        centre = (
            round((box.x0 + box.x1) / 2 / origin.region.width * side),
            round((box.y0 + box.y1) / 2 / origin.region.height * side),
        )
        most = side // 8
        places = [centre] + [
            (dice.randrange(most, side - most), dice.randrange(most, side - most))
            for _ in range(dice.randint(1, self._shapes - 1))
        ]
        return [
            Shape(
                dice.choice(SHAPES), dice.choice(list(COLOURS)), x, y, dice.randint(most // 2, most)
            )
            for x, y in places
        ]

    def fault(self, picture: Image.Image, shapes: Sequence[Shape], question: str) -> str:
        """Why a candidate is refused; empty where the picture is what the program says.

        Args:
            picture: what was drawn.
            shapes: what the program says.
            question: about the picture; empty where none could be asked.
        """
        if not question:
            return "no question has one answer: its shapes are alike"
        for one in shapes:
            if visible(picture, one) < self._visible:
                return "a shape is hidden, cut off, or not as the program says"
        return ""


def ask(shapes: Sequence[Shape], dice: random.Random) -> tuple[str, str]:
    """A question and its answer from the program's values; both empty where none is clear.

    Args:
        shapes: of the picture.
        dice: choose the question.
    """
    kinds, names = Counter(one.kind for one in shapes), Counter(one.name for one in shapes)
    options = [
        (f"How many {kind}s are there?", str(count)) for kind, count in sorted(kinds.items())
    ]
    options += [
        (f"What color is the {one.kind}?", one.colour) for one in shapes if kinds[one.kind] == 1
    ]
    options += [
        (f"Is the {one.name} to the left of the {other.name}?", "yes" if one.x < other.x else "no")
        for one in shapes
        for other in shapes
        if names[one.name] == names[other.name] == 1 and abs(one.x - other.x) > one.radius
    ]
    clear = [option for option in options if len(shapes) > 1 or option[1] != "1"]
    return dice.choice(clear) if clear else ("", "")


def code_score(rows: Sequence[tuple[float, float] | None]) -> float:
    """How good programs written from pictures are, 0 to 100: the mean of three shares.

    Args:
        rows: likeness of picture and of code, each 0 to 100, for each program; None for one that
            does not run, which counts as 0 in all three.
    """
    if not rows:
        return 0.0
    ran = [row for row in rows if row is not None]
    picture, code = (sum(row[at] for row in ran) / len(rows) for at in (0, 1))
    return (picture + code + 100 * len(ran) / len(rows)) / 3
