"""A painted picture and small tools that look at its pixels, so that steps which make pictures are
run on real ones: a red sign, a blue sign, and a text that is read once it is large enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.execute import Executor
from workbench.images import ImageFolder
from workbench.ports import Images
from workbench.records import PartRef, Program, Region, Task, ToolCall, Trace, Value
from workbench.tools import picture_steps

SIZE = (640, 480)
RED, BLUE = Box(200, 100, 300, 180), Box(420, 300, 460, 380)
COLOURS = {"sign": (255, 0, 0), "letter": (255, 0, 0), "flag": (0, 0, 255)}
"""The colour of each thing; a letter covers all of its sign."""
READABLE = 200
"""Width from which on a text is read, pixels."""


def painted(folder: Path, mirrored: bool = False) -> tuple[ImageFolder, str]:
    """A folder of pictures with the painted one, and its digest."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    for box, colour in ((RED, COLOURS["sign"]), (BLUE, COLOURS["flag"])):
        draw.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), colour)
    if mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / f"{mirrored}.png")
    images = ImageFolder(folder / "images")
    return images, images.add(folder / f"{mirrored}.png")


class FindPainted:
    """`find` by colour: the smallest box around the pixels of a thing's colour."""

    spec = STANDARD["find"]
    batch_size = 8

    def __init__(self) -> None:
        self.ref = PartRef("tool", "painted-find", "1")

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value]:
        return [self._find(call, images) for call in calls]

    def _find(self, call: ToolCall, images: Images) -> Value:
        patch, name = call.arguments["patch"], str(call.arguments["object_name"])
        assert isinstance(patch, Region)
        pixels = np.asarray(images.crop(patch)).astype(int)
        near = np.abs(pixels - np.array(COLOURS.get(name, (1, 2, 3)))).max(axis=2) < 60
        ys, xs = near.nonzero()
        if not len(xs):
            return []
        x, y = patch.box.x0, patch.box.y0
        box = Box(xs.min() + x, ys.min() + y, xs.max() + 1 + x, ys.max() + 1 + y)
        return [Region(patch.image, patch.width, patch.height, box, name, 0.9)]


class ReadPainted:
    """`read_text`: STOP, where what is read is large enough."""

    spec = STANDARD["read_text"]
    batch_size = 8

    def __init__(self) -> None:
        self.ref = PartRef("tool", "painted-read", "1")

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value]:
        widths = [images.crop(call.arguments["patch"]).width for call in calls]  # type: ignore[arg-type]
        return ["STOP" if width >= READABLE else "" for width in widths]


STEPS = (
    *(picture_steps.Zoom, picture_steps.Enhance, picture_steps.Rotate, picture_steps.Mark),
    *(picture_steps.DrawBox, picture_steps.DrawPoint, picture_steps.DrawLine),
    picture_steps.PatchesBeside,
)


HEAD = "def execute_command(image):\n    image_patch = ImagePatch(image)\n"
SEVERAL_HEAD = (
    "def execute_command(images):\n    image_patches = [ImagePatch(image) for image in images]\n"
)


def run_painted(images: ImageFolder, task: Task, *bodies: str) -> list[tuple[Task, Program, Trace]]:
    """Programs, given by their bodies, run on the painted picture by the real executor."""
    head = SEVERAL_HEAD if task.more_images else HEAD
    programs = [
        Program(
            str(index),
            task.id,
            index,
            head + "\n".join(f"    {line}" for line in body.strip().splitlines()),
            0.0,
            1,
            0,
            PartRef("sampler", "test"),
        )
        for index, body in enumerate(bodies)
    ]
    tools = [FindPainted(), ReadPainted(), *(step() for step in STEPS)]
    with Executor(tools, images, jail=False) as executor:
        traces = list(executor.run([(task, program) for program in programs]))
    return [(task, program, trace) for program, trace in zip(programs, traces, strict=True)]


def painted_task(digest: str, question: str = "What does the sign say?") -> Task:
    """A question about the painted picture."""
    return Task("painted/1", "painted", "test", digest, question, ("STOP",), "phrase")


def painted_pair(
    folder: Path, question: str = "Does the sign stand on the left in both?"
) -> tuple[ImageFolder, Task]:
    """A question about the painted picture and its mirror image."""
    images, first = painted(folder)
    _, second = painted(folder, mirrored=True)
    return images, Task(
        "painted/2", "painted", "test", first, question, ("no",), "yesno", more_images=(second,)
    )
