"""Visual questions, captions, properties and text match by a model behind a chat endpoint.

Each call is a request of its own, `concurrency` of them at a time, so that a slow one holds up
nothing but its own program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.api import STANDARD
from workbench.errors import EngineError, RefusedRequest, ToolFailure
from workbench.models.connection import takes_connection
from workbench.models.endpoint_pictures import MAX_PIXELS, PictureEndpoint
from workbench.ports import Images
from workbench.records import PartRef, ToolCall, Value
from workbench.tools.arguments import answer_batch
from workbench.tools.picture_questions import (
    PictureQuestion,
    open_question,
    property_check,
    readable,
    short_answer,
    text_match,
    whole_line,
)
from workbench.usage import Usage

CAPTION_PROMPT = "Describe the picture in one sentence."


class _EndpointEyes:
    """Asks the endpoint, and keeps the part's reference."""

    name: str
    batch_size = 1

    def __init__(
        self,
        model: str,
        max_tokens: int = 32,
        max_pixels: int = MAX_PIXELS,
        logprobs: bool = True,
        thinking: bool | None = False,
        **settings: Any,
    ) -> None:
        settings["thinking"] = thinking
        self._model = PictureEndpoint(f"tool '{self.name}'", model, max_pixels, logprobs, settings)
        self._max_tokens = max_tokens
        self.concurrency = self._model.endpoint.concurrency
        arguments = {**self._model.arguments, "max_tokens": max_tokens}
        self.ref = PartRef("tool", self.name, "1", arguments)

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        return self._model.endpoint.usage

    def _all(
        self, requests: Sequence[PictureQuestion], function: Callable[[PictureQuestion], Value]
    ) -> list[Value | ToolFailure]:
        """What a function makes of each request; a refused one fails its own call.

        Raises:
            EngineError: the endpoint gave no answer.
        """
        if len(requests) == 1:
            return [function(requests[0])]
        out: list[Value | ToolFailure] = []
        for _, result in self._model.endpoint.each(function, requests):
            if isinstance(result, RefusedRequest):
                out.append(ToolFailure(str(result)))
            elif isinstance(result, EngineError):
                raise result
            else:
                out.append(result)
        return out

    def _say(self, request: PictureQuestion, images: Images) -> str:
        picture = images.crop(request.region)
        answer = self._model.say(picture, request.prompt, self._max_tokens)
        line = whole_line(answer, self._max_tokens)
        if isinstance(line, ToolFailure):
            raise RefusedRequest(str(line), True)
        return line

    def _choose(self, request: PictureQuestion, images: Images) -> Value:
        picture = images.crop(request.region)
        shares = self._model.weigh(picture, request.prompt, request.options)
        return request.values[shares.index(max(shares))]


@takes_connection
class EndpointQuestions(_EndpointEyes):
    """`visual_question_answering` by a multimodal model behind a chat endpoint.

    Args:
        model: The model's name at the server.
        max_tokens: Longest answer, in tokens.
        max_pixels: Larger patches are scaled down.
        logprobs: Whether log-probabilities are asked for where options are weighed.
        thinking: Whether the model may think first; None leaves that to the server.
        settings: Those of `Connection`.

    Raises:
        InputError: a setting does not exist or has a wrong value.
    """

    name = "endpoint-vqa"
    spec = STANDARD["visual_question_answering"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls,
            lambda call: open_question(call, images),
            lambda requests: self._all(requests, lambda one: short_answer(self._say(one, images))),
        )


@takes_connection
class EndpointProperty(_EndpointEyes):
    """`verify_property`: whether the model finds `yes` more probable than `no`.

    Arguments as `EndpointQuestions`.
    """

    name = "endpoint-property"
    spec = STANDARD["verify_property"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls,
            lambda call: property_check(call, images),
            lambda requests: self._all(requests, lambda one: self._choose(one, images)),
        )


@takes_connection
class EndpointTextMatch(_EndpointEyes):
    """`best_text_match`: the option that the model finds most probable for what the patch shows.

    Arguments as `EndpointQuestions`.
    """

    name = "endpoint-text-match"
    spec = STANDARD["best_text_match"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls,
            lambda call: text_match(call, images),
            lambda requests: self._all(requests, lambda one: self._choose(one, images)),
        )


@takes_connection
class EndpointCaption(_EndpointEyes):
    """`image_caption`: what the model says that the patch shows.

    Arguments as `EndpointQuestions`, and the `prompt` to which a caption is the answer.
    """

    name = "endpoint-caption"
    spec = STANDARD["image_caption"]

    def __init__(
        self, model: str, max_tokens: int = 96, prompt: str = CAPTION_PROMPT, **settings: Any
    ) -> None:
        super().__init__(model, max_tokens, **settings)
        self._prompt = prompt
        self.ref = PartRef("tool", self.name, "1", {**self.ref.arguments, "prompt": prompt})

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls,
            lambda call: PictureQuestion(readable(call, images), self._prompt),
            lambda requests: self._all(requests, lambda one: self._say(one, images)),
        )
