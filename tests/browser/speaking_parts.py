"""A sampler and a student that speak word by word, as models do, in no time; what they do stands in
the question.

"crash" writes a program that fails at its line 4, "endless" one that never ends, "slowly" takes a
while over each word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from page_project import HOSTILE
from small_parts import COUNT, CRASH

from workbench.ports import Images
from workbench.records import PartRef, Prediction, Program, Task, ToolSpec, content_key

ENDLESS = "def execute_command(image):\n    while True:\n        pass\n"


class Talker:
    """Writes the program that counts red squares."""

    def __init__(self, specs: Sequence[ToolSpec]) -> None:
        self.ref = PartRef("sampler", "talker", "3", {"tools": [spec.name for spec in specs]})

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        for task in tasks:
            for index in range(k):
                yield self._program(task, index, seed)

    def stream(self, task: Task, seed: int, watch: Callable[[str], None]) -> Program:
        program = self._program(task, 0, seed)
        for line in program.source.splitlines(keepends=True):
            for piece in line.split(" "):
                time.sleep(0.2 if "slowly" in task.question else 0.003)
                watch(piece if piece.endswith("\n") else f"{piece} ")
        return program

    def _program(self, task: Task, index: int, seed: int) -> Program:
        source = (
            CRASH if "crash" in task.question else ENDLESS if "endless" in task.question else COUNT
        )
        if index:
            source = source.replace("red square", "square")
        key = content_key("program", task.id, task.question, index, seed, source)
        return Program(key, task.id, index, source, -0.1 * (index + 1), 20, seed, self.ref, 0.01)


class Teller:
    """Says 7 whatever is asked, and explains it with one real box and with text that wants to be
    markup.
    """

    def __init__(self, name: str = "teller") -> None:
        self.ref = PartRef("student", name, "9")

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        return [self.stream(task, images, explain, lambda _: None) for task in tasks]

    def stream(
        self, task: Task, images: Images, explain: bool, watch: Callable[[str], None]
    ) -> Prediction:
        text = (
            f"There is a red square at 41 41 187 187. {HOSTILE} Thus, there are 7."
            if explain
            else "7"
        )
        for piece in text.split(" "):
            time.sleep(0.2 if "slowly" in task.question else 0.003)
            watch(f"{piece} " if explain else piece)
        return Prediction(
            content_key("says", task, self.ref, explain),
            task.id,
            "" if explain else text,
            text if explain else "",
            0.0,
            0.01,
            self.ref,
        )
