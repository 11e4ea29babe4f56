"""Questions whose programs and student say what they are told to: parts for tests of what the
answers come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from workbench.ports import BadRow, Images
from workbench.records import AnswerType, PartRef, Prediction, Program, Task, ToolSpec, content_key

QUESTIONS: dict[
    str, tuple[AnswerType, tuple[str, ...], str, list[str | None], list[float], str]
] = {
    "most": (
        "integer",
        (),
        "3",
        ["3", "three", "3.0", "2", "2"],
        [-0.1, -0.2, -0.3, -0.4, -0.5],
        "2",
    ),
    "tie": ("integer", (), "3", ["2", "3", "two", "3.0", None], [-0.5, -0.3, -0.4, -0.2, 0.0], "3"),
    "even": ("integer", (), "2", ["3", "2", "3.0", "two", None], [0.0, 0.0, 0.0, 0.0, 0.0], "2"),
    "yes": (
        "yesno",
        (),
        "yes",
        ["no", "Yes, two dogs", "no", "True", "yes."],
        [-0.1, -0.3, -0.2, -0.5, -0.4],
        "no",
    ),
    "letter": (
        "choice",
        ("red", "blue"),
        "blue",
        ["(b)", "red", "red", "It is blue.", "B"],
        [-0.5] * 5,
        "red",
    ),
    "free": (
        "integer",
        (),
        "",
        ["2", "three", "3", "2", "3.0"],
        [-0.1, -0.5, -0.3, -0.2, -0.4],
        "3 dogs",
    ),
    "other": (
        "yesno",
        (),
        "",
        ["yes", "True", "no", "Yes.", None],
        [-0.3, -0.2, -0.1, -0.4, 0.0],
        "no",
    ),
}
"""By name: type, choices, label ('' for none), what the five programs say (None: they crash),
scores, the student.
"""


class Dictation:
    """One question for each of `QUESTIONS`, about one picture.

    Args:
        root: where the picture is drawn.
    """

    def __init__(self, root: str) -> None:
        self.folder = Path(root)
        self.bad: list[BadRow] = []
        self.ref = PartRef("source", "dictation")

    def tasks(self, split: str | None = None) -> Iterator[Task]:
        self.folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (90, 120, 60)).save(self.folder / "plain.png")
        for name, (kind, choices, label, *_) in QUESTIONS.items():
            yield Task(
                name,
                "dictation",
                "train",
                "plain.png",
                f"{name}?",
                (label,) if label else (),
                kind,
                choices,
                name,
            )

    def image_path(self, task: Task) -> Path:
        return self.folder / task.image


class Dictated:
    """Writes the programs that give the answers of `QUESTIONS`."""

    def __init__(self, specs: Sequence[ToolSpec]) -> None:
        self.ref = PartRef("sampler", "dictated")

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        for task in tasks:
            _, _, _, answers, scores, _ = QUESTIONS[task.id]
            for index, (answer, score) in enumerate(zip(answers, scores, strict=True)):
                source = f"def execute_command(image):\n    return {'1 / 0' if answer is None else repr(answer)}\n"
                yield Program(
                    content_key(task.id, index),
                    task.id,
                    index,
                    source,
                    score,
                    5,
                    index,
                    self.ref,
                    0.1,
                )


class Parrot:
    """A student that says what `QUESTIONS` has for it."""

    def __init__(self) -> None:
        self.ref = PartRef("student", "parrot")

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        return [
            Prediction(
                content_key("says", task.id),
                task.id,
                QUESTIONS[task.id][-1],
                "",
                0.0,
                0.1,
                self.ref,
            )
            for task in tasks
        ]
