"""Visual questions, properties, text match and captions by a vision-language model.

The bundled base student and any hub checkpoint of `AutoModelForImageTextToText` answer through the
same code.  The paper's pipeline asks PaLI-X in the same places (Hu et al. 2024, section 3.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.api import STANDARD
from workbench.errors import ToolFailure
from workbench.models.checkpoint_state import checkpoint_state
from workbench.models.vlm import Vlm
from workbench.models.weights import EMBEDDED, with_detector
from workbench.ports import Images
from workbench.prompts import LABEL_SUFFIX
from workbench.records import PartRef, Region, ToolCall, Value
from workbench.tools.arguments import answer_batch, text
from workbench.tools.picture_questions import (
    YES_NO,
    PictureQuestion,
    open_question,
    property_check,
    readable,
    short_answer,
    text_match,
    whole_line,
)
from workbench.tools.yesno import property_question

CAPTION_PROMPT = "What is in the picture?"
"""The question that the base student learnt to answer with the names of what it sees.

`tasks/collage/perception.py` has the lessons.
"""


class _VlmTool:
    """Loads the model once per process and keeps the part's reference."""

    name: str
    version = "1"

    def __init__(
        self,
        checkpoint: str = "bundled",
        device: str | None = None,
        batch_size: int = 16,
        max_tokens: int = 24,
    ) -> None:
        self._vlm = Vlm.load(checkpoint, device, batch_size)
        self._max_tokens = max_tokens
        self.batch_size = batch_size
        # the folder of the bundled student carries the key of its weights; what is in another
        # folder, or behind a hub's name, may change while the name stays
        weights = (
            checkpoint_state(checkpoint)
            or (str(self._vlm.model.config.name_or_path or checkpoint).rsplit("/", 1)[-1])
        )
        if checkpoint in EMBEDDED:  # they see through the embedded detector
            weights = with_detector(weights)
        arguments = {"checkpoint": checkpoint, "weights": weights, "max_tokens": max_tokens}
        self.ref = PartRef("tool", self.name, self.version, arguments)

    def forget(self) -> None:
        """Forget all pictures, so that the next answer is timed in full."""
        self._vlm.forget()

    def _say(
        self, requests: Sequence[PictureQuestion], images: Images
    ) -> list[Value | ToolFailure]:
        regions, prompts = [one.region for one in requests], [one.prompt for one in requests]
        answers = self._vlm.generate(regions, prompts, images, self._max_tokens)
        return [whole_line(answer, self._max_tokens) for answer in answers]

    def _choose(self, requests: Sequence[PictureQuestion], images: Images) -> list[list[float]]:
        return self._vlm.choose(
            [one.region for one in requests],
            [one.prompt for one in requests],
            [one.options for one in requests],
            images,
        )


class StudentQuestions(_VlmTool):
    """`visual_question_answering`: the model's short answer about the patch.

    The answer is in lower case and without a final full stop.

    Args:
        checkpoint: `bundled`, a folder, or a hub id of `AutoModelForImageTextToText`.
        device: as torch names it; None takes CUDA where there is one.
        batch_size: questions per forward pass.
        max_tokens: longest answer, in tokens.
    """

    name = "student-vqa"
    version = "2"  # an answer that was cut is a failure
    spec = STANDARD["visual_question_answering"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def run(requests: list[PictureQuestion]) -> list[Value | ToolFailure]:
            return [
                short_answer(answer) if isinstance(answer, str) else answer
                for answer in self._say(requests, images)
            ]

        return answer_batch(calls, lambda call: open_question(call, images), run)


class StudentProperty(_VlmTool):
    """`verify_property`: whether the model finds `yes` more probable than `no`.

    Arguments as `StudentQuestions`.
    """

    name = "student-property"
    version = "2"  # the likelihood of an answer is measured where the template puts it
    spec = STANDARD["verify_property"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls,
            lambda call: property_check(call, images),
            lambda requests: [yes > no for yes, no in self._choose(requests, images)],
        )


class StudentTextMatch(_VlmTool):
    """`best_text_match`: the option that the model finds most probable for what the patch shows.

    The first of equal options wins.  Arguments as `StudentQuestions`.
    """

    name = "student-text-match"
    version = "2"  # as above, and an option's end counts
    spec = STANDARD["best_text_match"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def run(requests: list[PictureQuestion]) -> list[Value | ToolFailure]:
            shares = self._choose(requests, images)
            return [
                request.values[row.index(max(row))]
                for request, row in zip(requests, shares, strict=True)
            ]

        return answer_batch(calls, lambda call: text_match(call, images), run)


class StudentCaption(_VlmTool):
    """`image_caption`: what the model says that the patch shows.

    Arguments as `StudentQuestions`, and the `prompt` to which a caption is the answer.
    """

    name = "student-caption"
    version = "2"  # as above
    spec = STANDARD["image_caption"]

    def __init__(
        self,
        checkpoint: str = "bundled",
        device: str | None = None,
        batch_size: int = 16,
        max_tokens: int = 48,
        prompt: str = CAPTION_PROMPT,
    ) -> None:
        super().__init__(checkpoint, device, batch_size, max_tokens)
        self._prompt = prompt
        self.ref = PartRef(
            "tool", self.name, self.version, {**self.ref.arguments, "prompt": prompt}
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls,
            lambda call: PictureQuestion(readable(call, images), self._prompt),
            lambda requests: self._say(requests, images),
        )


class StudentEyes(_VlmTool):
    """Whether words fit a patch, asked as a question.

    Arguments as `StudentQuestions`.
    """

    name = "student-eyes"

    def __init__(self, checkpoint: str) -> None:
        super().__init__(checkpoint)
        self.version = str(self.ref.arguments["weights"])

    def read(self, call: ToolCall, images: Images, name: str) -> tuple[Region, str]:
        """The patch and the words of a call.

        Args:
            call: of a program.
            images: opens pictures.
            name: of the argument that holds the words.
        """
        return readable(call, images), text(call, name)

    def fit(self, regions: Sequence[Region], words: Sequence[str], images: Images) -> list[float]:
        """log P(yes) - log P(no) to whether the thing is so.

        Args:
            regions: parts of pictures.
            words: for each of them.
            images: opens pictures.
        """
        prompts = [property_question("the thing", word) + LABEL_SUFFIX for word in words]
        shares = self._vlm.choose(regions, prompts, [YES_NO] * len(prompts), images)
        return [math.log(max(yes, 1e-12)) - math.log(max(no, 1e-12)) for yes, no in shares]
