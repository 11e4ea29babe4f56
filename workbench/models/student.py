"""The student behind its port: one forward pass from picture and question to an answer.

Two prompts, as in the paper (Hu et al. 2024, section 3.3): the task's instruction for the short answer,
and a suffix that asks for the rationale.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from workbench.boxes import Box
from workbench.models.vlm import Vlm
from workbench.ports import Images
from workbench.records import PartRef, Prediction, Region, Task, content_key

LABEL_SUFFIX = " Answer briefly."
RATIONALE_SUFFIX = " Explain the rationale to answer the question."


def question_text(task: Task) -> str:
    """The question, and the options of a multiple-choice question behind it."""
    if not task.choices:
        return task.question
    return f"{task.question} Options: {', '.join(task.choices)}."


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
        regions = []
        for task in tasks:
            picture = images.open(task.image)
            box = Box(0, 0, picture.width, picture.height)
            regions.append(Region(task.image, picture.width, picture.height, box))
        suffix = RATIONALE_SUFFIX if explain else LABEL_SUFFIX
        prompts = [question_text(task) + suffix for task in tasks]
        texts = self._vlm.generate(regions, prompts, images, self._max[explain])
        seconds = (time.perf_counter() - started) / max(len(tasks), 1)
        return [
            Prediction(
                id=content_key(task, self.ref, explain),
                task_id=task.id,
                answer="" if explain else text,
                rationale=text if explain else "",
                score=0.0,
                seconds=seconds,
                model=self.ref,
            )
            for task, text in zip(tasks, texts, strict=True)
        ]
