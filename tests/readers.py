"""Students that are known to rest on their reasons, or not to: they count red squares and explain
themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from workbench.ports import Images
from workbench.records import PartRef, Prediction, Task, content_key

SIDE, STEP = 10, 16
NOUNS = ("square", "tile", "stamp")


def drawn(number: int) -> Image.Image:
    """`number` red squares in a row, on white."""
    picture = Image.new("RGB", (200, 40), "white")
    for at in range(number):
        picture.paste((200, 0, 0), (4 + at * STEP, 10, 4 + at * STEP + SIDE, 10 + SIDE))
    return picture


def seen(picture: Image.Image) -> int:
    pixels = np.asarray(picture).astype(int)
    return int(((pixels[..., 0] > 150) & (pixels[..., 1] < 60)).sum() // SIDE**2)


def task(at: int, image: str) -> Task:
    noun = NOUNS[at % len(NOUNS)]
    return Task(
        f"red/{at:03d}",
        "red",
        "test",
        image,
        f"How many {noun}s are there?",
        ("2",),
        "integer",
        family=noun,
    )


class Looker:
    """Looks at the picture whatever its reasons say: they are decoration."""

    def __init__(self) -> None:
        self.ref = PartRef("student", type(self).__name__.lower())
        self.asked = 0

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        self.asked += len(tasks)
        return [
            self._says(one, self._explanation(one, seen(images.open(one.image)))) for one in tasks
        ]

    def conclude(self, tasks: Sequence[Task], begun: Sequence[str], images: Images) -> list[str]:
        self.asked += len(tasks)
        return [
            f"there are {self._concluded(text, one.family, seen(images.open(one.image)))} {one.family}s."
            for one, text in zip(tasks, begun, strict=True)
        ]

    def _concluded(self, text: str, noun: str, shown: int) -> int:
        return shown

    def _explanation(self, one: Task, number: int) -> str:
        boxes = " and ".join(f"250 {20 + 80 * at} 500 {70 + 80 * at}" for at in range(number))
        named = f"There are {number} {one.family}s in the image, at {boxes}. Each is red."
        return f"{named} Thus, there are {number} {one.family}s."

    def _says(self, one: Task, text: str) -> Prediction:
        return Prediction(content_key(one, self.ref), one.id, "", text, 0.0, 0.001, self.ref)


class Reader(Looker):
    """Reads its answer off its reasons; looks only where they do not say."""

    def _concluded(self, text: str, noun: str, shown: int) -> int:
        said = re.search(rf"There are (\d+) {noun}s", text)
        return int(said[1]) if said else shown


class Terse(Looker):
    """Was never taught to explain: repeats its answer."""

    def _explanation(self, one: Task, number: int) -> str:
        return str(number)
