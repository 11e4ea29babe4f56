"""The student behind its port: one forward pass from picture and question to an answer.

Two prompts, as in the paper (Hu et al. 2024, section 3.3): the task's instruction for the short answer,
and a suffix that asks for the rationale.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from workbench.boxes import Box
from workbench.models.vlm import Vlm
from workbench.ports import Images
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import PartRef, Prediction, Region, Task, content_key


class TransformersStudent:
    """Any checkpoint of `AutoModelForImageTextToText`, the bundled base student by default.

    Args:
        checkpoint: `bundled`, a folder, or a hub id.
        batch_size: questions per forward pass.
        max_tokens: longest short answer, in tokens.
        max_rationale_tokens: longest rationale, in tokens.
    """

    def __init__(
        self,
        checkpoint: str = "bundled",
        batch_size: int = 16,
        max_tokens: int = 16,
        max_rationale_tokens: int = 160,
        device: str | None = None,
    ) -> None:
        self._vlm = Vlm.load(checkpoint, device, batch_size)
        self._max = {False: max_tokens, True: max_rationale_tokens}
        version = str(self._vlm.model.config.name_or_path or checkpoint).rsplit("-", 1)[-1]
        self.ref = PartRef("student", checkpoint, version, {"max_tokens": max_tokens})

    def answer(self, tasks: Sequence[Task], images: Images, explain: bool = False) -> list[Prediction]:
        """One prediction per task, same order; `task.image` is a digest."""
        started = time.perf_counter()
        asked = [self._asked(task, images, explain) for task in tasks]
        texts = self._vlm.generate(
            [region for region, _ in asked], [prompt for _, prompt in asked], images, self._max[explain]
        )
        seconds = (time.perf_counter() - started) / max(len(tasks), 1)
        return [self._prediction(task, explain, text, seconds) for task, text in zip(tasks, texts, strict=True)]

    def stream(self, task: Task, images: Images, explain: bool, watch: Callable[[str], None]) -> Prediction:
        """As `answer` for one task; `watch` hears each piece of text as it is written, and may raise to stop."""
        started = time.perf_counter()
        region, prompt = self._asked(task, images, explain)
        text = self._vlm.stream(region, prompt, images, self._max[explain], watch)
        return self._prediction(task, explain, text, time.perf_counter() - started)

    def forget(self) -> None:
        """Drop what is remembered of pictures, so that the next answer is timed in full."""
        self._vlm.forget()

    @staticmethod
    def _asked(task: Task, images: Images, explain: bool) -> tuple[Region, str]:
        picture = images.open(task.image)
        region = Region(task.image, picture.width, picture.height, Box(0, 0, picture.width, picture.height))
        return region, question_text(task) + (RATIONALE_SUFFIX if explain else LABEL_SUFFIX)

    def _prediction(self, task: Task, explain: bool, text: str, seconds: float) -> Prediction:
        return Prediction(
            id=content_key(task, self.ref, explain),
            task_id=task.id,
            answer="" if explain else text,
            rationale=text if explain else "",
            score=0.0,
            seconds=seconds,
            model=self.ref,
        )
