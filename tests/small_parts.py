"""Small honest parts: each does its whole job, on pictures of red squares that are drawn here.

They stand where the learned models stand, so that the loop, the store and the command line are
tested in seconds: the detector really finds squares in pixels, the sampler really writes programs,
some right, some wrong, some that crash, and the student really looks (at the share of red) and is
really weak.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from workbench.boxes import Box
from workbench.errors import EngineError, ToolFailure
from workbench.ports import BadRow, Images
from workbench.records import (
    Parameter,
    PartRef,
    Prediction,
    Program,
    Rationale,
    Region,
    Task,
    ToolCall,
    ToolSpec,
    Trace,
    Value,
    content_key,
)

SIDE, CELL = 96, 24


class Squares:
    """Pictures with 1 to 5 red squares and two questions about each; every seventh task has no
    label.

    Args:
        root: where the pictures are drawn.
        pictures: how many.
    """

    def __init__(self, root: str, pictures: int = 6) -> None:
        self.folder = Path(root)
        self.pictures = pictures
        self.bad: list[BadRow] = []
        self.ref = PartRef("source", "squares", "1", {"pictures": pictures})

    def tasks(self, split: str | None = None) -> Iterator[Task]:
        self.folder.mkdir(parents=True, exist_ok=True)
        for at in range(self.pictures):
            own = "test" if at % 3 == 2 else "train"
            if split not in (None, own):
                continue
            count = self._draw(at)
            asked = (
                ("How many red squares are there?", str(count), "integer", "count"),
                (
                    "Are there more than two red squares?",
                    "yes" if count > 2 else "no",
                    "yesno",
                    "exists",
                ),
            )
            for number, (question, answer, kind, family) in enumerate(asked):
                labelled = (2 * at + number) % 7 != 6
                yield Task(
                    f"squares/{at:04d}/{number}",
                    "squares",
                    own,
                    f"{at:04d}.png",
                    question,
                    (answer,) if labelled else (),
                    kind,
                    (),
                    family,
                )

    def image_path(self, task: Task) -> Path:
        return self.folder / task.image

    def _draw(self, at: int) -> int:
        rng = random.Random(at)
        picture = Image.new("RGB", (SIDE, SIDE), (235, 235, 225))
        cells = rng.sample(
            [(x, y) for x in range(0, SIDE, CELL) for y in range(0, SIDE, CELL)], 1 + at % 5
        )
        for x, y in cells:
            picture.paste((200, 20, 20), (x + 4, y + 4, x + 18, y + 18))
        picture.save(self.folder / f"{at:04d}.png")
        return len(cells)


class FindSquares:
    """Finds red squares by looking at pixels, cell by cell."""

    batch_size = 8

    def __init__(self, version: str = "1") -> None:
        self.ref = PartRef("tool", "find-squares", version)
        self.spec = ToolSpec(
            "find",
            (Parameter("object_name", "str"),),
            "list[ImagePatch]",
            "Patches that show the object.\n\n>>> image_patch.find('red square')",
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return [self._find(call, images) for call in calls]

    def _find(self, call: ToolCall, images: Images) -> Value | ToolFailure:
        if call.arguments["object_name"] not in ("red square", "square"):
            return ToolFailure(
                f"this detector knows red squares only, not {call.arguments['object_name']!r}"
            )
        patch = call.arguments["patch"]
        assert isinstance(patch, Region)
        red = _red(images.open(patch.image))
        found = []
        for y in range(0, red.shape[0], CELL):
            for x in range(0, red.shape[1], CELL):
                if red[y : y + CELL, x : x + CELL].mean() > 0.1:
                    box = Box(x + 4.0, y + 4.0, x + 18.0, y + 18.0)
                    found.append(
                        Region(patch.image, patch.width, patch.height, box, "red square", 0.9)
                    )
        return found


def _red(picture: Image.Image) -> np.ndarray:
    pixels = np.asarray(picture, dtype=int)
    return (pixels[..., 0] > 150) & (pixels[..., 1] < 80)


COUNT = """def execute_command(image):
    image_patch = ImagePatch(image)
    squares = image_patch.find('red square')
    return str(len(squares))
"""
MORE = COUNT.replace("str(len(squares))", "'yes' if len(squares) > 2 else 'no'")
OFF_BY_ONE = COUNT.replace("len(squares)", "len(squares) + 1")
CRASH = COUNT.replace("str(len(squares))", "str(squares[99])")
UNKNOWN = COUNT.replace("red square", "blue dog")
BROKEN = "def execute_command(image):\n    return (\n"


class Scribe:
    """Writes programs by throwing dice over a sheet of right and wrong ones.

    Args: specs: the tools; `find` must be among them. version: another version throws other dice;
        "sure" throws none and writes right programs only.
        breaks_at: number of the task at which the model "breaks" (EngineError), once per object; -1
        never. pause: seconds that each task takes, as a model would.
    """

    def __init__(
        self, specs: Sequence[ToolSpec], version: str = "1", breaks_at: int = -1, pause: float = 0.0
    ) -> None:
        assert "find" in [spec.name for spec in specs]
        self.ref = PartRef("sampler", "scribe", version, {"tools": [spec.name for spec in specs]})
        self.asked = 0
        self._dice = version  # the reference's own names this file's state as well
        self._breaks_at = breaks_at
        self._pause = pause

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        for task in tasks:
            if self.asked == self._breaks_at:
                self._breaks_at = -1
                raise EngineError("the endpoint did not answer; ask again")
            self.asked += 1
            time.sleep(self._pause)
            wrong = [] if self._dice == "sure" else [OFF_BY_ONE, CRASH, UNKNOWN, BROKEN]
            right = MORE if "more than" in task.question else COUNT
            for index in range(k):
                dice = random.Random(content_key(task.id, index, seed, self._dice))
                source = dice.choice([right, right, right, *wrong])
                score = -dice.random()
                key = content_key("program", task.id, index, seed, source, self.ref)
                yield Program(
                    key,
                    task.id,
                    index,
                    source,
                    score,
                    len(source.split()),
                    seed + index,
                    self.ref,
                    0.001,
                )


class ShareOfRed:
    """Guesses the number of squares from the share of red, which it sees in coarse steps."""

    def __init__(self, version: str = "1") -> None:
        self.ref = PartRef("student", "share-of-red", version)

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        answers = []
        for task in tasks:
            guess = 2 * round(float(_red(images.open(task.image)).mean()) * SIDE * SIDE / 14**2 / 2)
            answers.append(
                str(guess) if task.answer_type == "integer" else "yes" if guess > 2 else "no"
            )
        return [
            Prediction(
                content_key("says", task, self.ref, explain),
                task.id,
                answer,
                "",
                0.0,
                0.001,
                self.ref,
            )
            for task, answer in zip(tasks, answers, strict=True)
        ]


class Choosy(ShareOfRed):
    """A student that takes no picture at all, as processors refuse a shape."""

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        raise ValueError("absolute aspect ratio must be smaller than 200, got 225.0")


class FatalFind(FindSquares):
    """Ends its whole process at its first call: once, by a file that `SMALL_PARTS_DEATH` names."""

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        note = Path(os.environ["SMALL_PARTS_DEATH"])
        if not note.exists():
            note.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(calls, images)


class Deadly(ShareOfRed):
    """Ends its whole process whenever it sees one question."""

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        if any(task.id == "squares/0002/0" for task in tasks):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(tasks, images, explain)


class PlainWriter:
    """States the answer, nothing else."""

    def __init__(self, version: str = "1") -> None:
        self.ref = PartRef("writer", "plain", version)

    def write(self, rows: Sequence[tuple[Task, Program, Trace]]) -> list[Rationale]:
        return [
            Rationale(
                content_key("told", trace.id, self.ref),
                trace.id,
                task.id,
                f"Thus, the answer is {trace.answer}.",
                trace.answer or "",
                (),
                (),
                self.ref,
            )
            for task, _, trace in rows
        ]


def profile_text(**changes: str) -> str:
    """A profile of these parts; `changes` replace a line's value by its key."""
    here = Path(__file__).resolve()
    lines = {
        "k": "4",
        "seed": "0",
        "sampler": f'{{ part = "{here}:Scribe" }}',
        "verifier": '{ part = "answers" }',
        "writer": f'{{ part = "{here}:PlainWriter" }}',
        "student": f'{{ part = "{here}:ShareOfRed" }}',
        **changes,
    }
    find = lines.pop("find", f'{{ part = "{here}:FindSquares" }}')
    return (
        "\n".join(f"{key} = {value}" for key, value in lines.items())
        + f"\n[tools]\nfind = {find}\n"
    )
