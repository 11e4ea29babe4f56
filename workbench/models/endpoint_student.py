"""A student behind a chat endpoint: a multimodal model that answers from picture and question."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workbench.cut_text import UnendedText, cut_reason
from workbench.errors import EngineError, RefusedRequest
from workbench.models.connection import takes_connection
from workbench.models.endpoint_pictures import MAX_PIXELS, PictureEndpoint
from workbench.ports import Images
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import PartRef, Prediction, Task, content_key
from workbench.unanswered import REFUSED, no_answer, refusal
from workbench.usage import Usage


@takes_connection
class OpenAIStudent:
    """A student behind an OpenAI-compatible chat endpoint that takes pictures.

    A question that the endpoint refuses, an answer that is none and a picture that cannot be read
    are rows with the reason; so is an answer that was cut, which is kept as far as it goes.

    Args:
        model: The model's name at the server.
        max_tokens: Longest short answer, in tokens.
        max_rationale_tokens: Longest rationale, in tokens.
        max_pixels: Larger pictures are scaled down.
        thinking: Whether the model may think first; None leaves that to the server.
        settings: Those of `Connection`.

    Raises:
        InputError: a setting does not exist or has a wrong value.
    """

    def __init__(
        self,
        model: str,
        max_tokens: int = 32,
        max_rationale_tokens: int = 400,
        max_pixels: int = MAX_PIXELS,
        thinking: bool | None = False,
        **settings: Any,
    ) -> None:
        settings["thinking"] = thinking
        self._model = PictureEndpoint("student 'openai'", model, max_pixels, True, settings)
        self._max = {False: max_tokens, True: max_rationale_tokens}
        arguments = {
            **self._model.arguments,
            "max_tokens": max_tokens,
            "max_rationale_tokens": max_rationale_tokens,
        }
        self.ref = PartRef("student", "openai", "1", arguments)

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        return self._model.endpoint.usage

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        """One prediction per question, in the same order.

        Args:
            tasks: Questions.
            images: Where their pictures come from.
            explain: Whether the student writes a rationale in place of a short answer.

        Raises:
            EngineError: the endpoint gave no answer, or refused all that it was asked.
        """
        answers = {one.task_id: one for one in self._answers(tasks, images, explain)}
        return [answers[task.id] for task in tasks]

    def answer_all(self, tasks: Iterable[Task], images: Images) -> Iterator[Prediction]:
        """One prediction per question, in the order in which they come.

        Args:
            tasks: Questions, taken as requests become free.
            images: Where their pictures come from.

        Raises:
            EngineError: as in `answer`; what it was paid for is yielded before.
        """
        return self._answers(tasks, images, False)

    def _answers(
        self, tasks: Iterable[Task], images: Images, explain: bool
    ) -> Iterator[Prediction]:
        for task, result in self._model.endpoint.answers(
            lambda task: self._prediction(task, images, explain), tasks
        ):
            if isinstance(result, RefusedRequest):
                yield no_answer(task, self.ref, result, explain)
            else:
                yield result

    def _prediction(self, task: Task, images: Images, explain: bool) -> Prediction:
        started = time.perf_counter()
        prompt = question_text(task) + (RATIONALE_SUFFIX if explain else LABEL_SUFFIX)
        try:
            pictures = [images.open(digest) for digest in task.images]
            text = self._model.say(pictures, prompt, self._max[explain])
        except EngineError:
            raise
        except REFUSED as error:
            return no_answer(task, self.ref, refusal(error), explain)
        setting = "max_rationale_tokens" if explain else "max_tokens"
        cut = isinstance(text, UnendedText)
        return Prediction(
            id=content_key(task, self.ref, explain),
            task_id=task.id,
            answer="" if explain else str(text),
            rationale=str(text) if explain else "",
            score=0.0,
            seconds=time.perf_counter() - started,
            model=self.ref,
            problem=cut_reason(self._max[explain], setting) if cut else "",
        )
