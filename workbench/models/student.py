"""The student behind its port: one forward pass from picture and question to an answer.

Two prompts, as in the paper (Hu et al. 2024, section 3.3): the task's instruction for the short
answer, and a suffix that asks for the rationale.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from transformers import AutoConfig

from workbench.boxes import Box
from workbench.errors import InputError
from workbench.models.bundled import student_folder
from workbench.models.language import quiet
from workbench.models.vlm import Vlm
from workbench.models.weights import is_folder, weights_digest
from workbench.ports import Images
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import PartRef, Prediction, Region, Task, content_key

RATIONALE_TOKENS = 160


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
        max_rationale_tokens: int = RATIONALE_TOKENS,
        device: str | None = None,
    ) -> None:
        self._vlm = Vlm.load(checkpoint, device, batch_size)
        self._max = {False: max_tokens, True: max_rationale_tokens}
        self.ref = self.reference(checkpoint, max_tokens, max_rationale_tokens)

    @staticmethod
    def reference(
        checkpoint: str = "bundled",
        max_tokens: int = 16,
        max_rationale_tokens: int = RATIONALE_TOKENS,
    ) -> PartRef:
        """What names this student in every record, without loading its weights.

        A folder goes by the last two parts of its path and by a digest of its weights: two training
        jobs' models are two students although both folders are called `model`, and a folder that
        was moved is still the same one.

        Raises InputError when there is no such checkpoint.
        """
        arguments = {"max_tokens": max_tokens}
        if max_rationale_tokens != RATIONALE_TOKENS:
            arguments["max_rationale_tokens"] = max_rationale_tokens
        if checkpoint == "bundled":
            return PartRef(
                "student", checkpoint, student_folder().name.rsplit("-", 1)[-1], arguments
            )
        if is_folder(checkpoint):
            folder = Path(checkpoint).expanduser().resolve()
            return PartRef(
                "student", "/".join(folder.parts[-2:]), weights_digest(folder), arguments
            )
        try:
            with quiet():
                found = AutoConfig.from_pretrained(checkpoint)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"the model '{checkpoint}' cannot be loaded: {reason}") from error
        return PartRef(
            "student", checkpoint, getattr(found, "_commit_hash", None) or "1", arguments
        )

    def tokens(self, text: str) -> int:
        """Length of a text in this student's tokens."""
        return len(self._vlm.tokenizer(text, add_special_tokens=False)["input_ids"])

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        """One prediction per task, same order; `task.image` is a digest."""
        started = time.perf_counter()
        asked = [self._asked(task, images, explain) for task in tasks]
        texts = self._vlm.generate(
            [region for region, _ in asked],
            [prompt for _, prompt in asked],
            images,
            self._max[explain],
        )
        seconds = (time.perf_counter() - started) / max(len(tasks), 1)
        return [
            self._prediction(task, explain, text, seconds)
            for task, text in zip(tasks, texts, strict=True)
        ]

    def yes_shares(self, tasks: Sequence[Task], images: Images) -> list[float]:
        """Of the probability that it gives to yes and to no as the short answer, the share of yes;
        one per task.
        """
        asked = [self._asked(task, images, False) for task in tasks]
        regions, prompts = [region for region, _ in asked], [prompt for _, prompt in asked]
        return [
            share[0]
            for share in self._vlm.choose(regions, prompts, [("yes", "no")] * len(asked), images)
        ]

    def conclude(self, tasks: Sequence[Task], begun: Sequence[str], images: Images) -> list[str]:
        """What it writes behind the beginning of an explanation that is put into its mouth; one
        text per task.
        """
        asked = [self._asked(task, images, True) for task in tasks]
        return self._vlm.generate(
            [region for region, _ in asked],
            [prompt for _, prompt in asked],
            images,
            self._max[True],
            begun,
        )

    def stream(
        self, task: Task, images: Images, explain: bool, watch: Callable[[str], None]
    ) -> Prediction:
        """As `answer` for one task; `watch` hears each piece of text as it is written, and may
        raise to stop.
        """
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
        region = Region(
            task.image, picture.width, picture.height, Box(0, 0, picture.width, picture.height)
        )
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
