"""A multimodal model behind a chat endpoint: pictures go along as data URLs of bounded size.

One such model can write the programs, answer their questions about pictures and their general ones,
and be the student.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from workbench.cut_text import UnendedText
from workbench.errors import InputError, RefusedRequest
from workbench.models.chat_endpoint import Endpoint
from workbench.models.connection import connection_of
from workbench.models.endpoint import weigh
from workbench.models.replies import is_cut, problem_of, text_of
from workbench.models.thinking import answer_of
from workbench.records import JSON

MAX_PIXELS = 1_048_576
"""Most pixels of a picture that is sent, unless a part is told otherwise."""
SHORTEST_SIDE = 32
"""Shorter sides are enlarged to so many pixels: many models refuse what is smaller than a patch."""
QUALITY = 90
"""Of the JPEG that is sent."""


def bounded(picture: Image.Image, max_pixels: int) -> Image.Image:
    """A picture of at most so many pixels, with sides that models take where it can have both."""
    wide, high = picture.size
    scale = max(1.0, SHORTEST_SIDE / min(wide, high))
    scale = min(scale, math.sqrt(max_pixels / (wide * high)))
    size = max(int(wide * scale), 1), max(int(high * scale), 1)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BICUBIC)


def picture_part(picture: Image.Image, max_pixels: int) -> dict[str, JSON]:
    """A picture as a part of a message's content.

    Args:
        picture: RGB.
        max_pixels: larger ones are scaled down.
    """
    out = io.BytesIO()
    bounded(picture, max_pixels).save(out, "JPEG", quality=QUALITY, subsampling=0)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}}


class PictureEndpoint:
    """A multimodal model behind a chat endpoint.  Safe to use from several threads.

    Args:
        part: What the part that asks is called, for messages.
        model: The model's name at the server.
        max_pixels: Larger pictures are scaled down.
        logprobs: Whether log-probabilities are asked for where options are weighed.
        settings: Those of `Connection`.

    Raises:
        InputError: a setting does not exist or has a wrong value.
    """

    def __init__(
        self, part: str, model: str, max_pixels: int, logprobs: bool, settings: Mapping[str, Any]
    ) -> None:
        if max_pixels < SHORTEST_SIDE**2:
            raise InputError(
                f"{part}: max_pixels must be {SHORTEST_SIDE**2} or more, found {max_pixels}"
            )
        self.endpoint = Endpoint(model, connection_of(part, settings))
        self._max_pixels = max_pixels
        self._logprobs = {"logprobs": True, "top_logprobs": 20} if logprobs else {}
        self.arguments: dict[str, JSON] = {
            "model": model,
            "base_url": self.endpoint.base_url,
            "max_pixels": max_pixels,
            **self.endpoint.request.arguments,
            **({} if logprobs else {"logprobs": False}),
        }
        """What the results depend on, for the reference of the part that asks."""

    def say(
        self, pictures: Image.Image | Sequence[Image.Image], prompt: str, max_tokens: int
    ) -> str:
        """What the model answers, greedily and without what it thought aloud.

        It is an `UnendedText` where it did not come to an end.

        Args:
            pictures: RGB, one or several in order.
            prompt: stands behind them.
            max_tokens: longest answer, in tokens.

        Raises:
            RefusedRequest: it refused, or said nothing.
            EngineError: as `Endpoint.chat` raises it.
        """
        every = [pictures] if isinstance(pictures, Image.Image) else pictures
        parts = [picture_part(one, self._max_pixels) for one in every]
        content = [*parts, {"type": "text", "text": prompt}]
        turns = [{"role": "user", "content": content}]
        [choice, *_] = self.endpoint.chat(turns, max_tokens, temperature=0.0)["choices"]
        if problem := problem_of(choice):
            raise RefusedRequest(f"no answer of the endpoint: {problem}", True)
        answer = answer_of(text_of(choice))
        return UnendedText(answer) if is_cut(choice) else answer

    def weigh(self, picture: Image.Image, prompt: str, options: Sequence[str]) -> list[float]:
        """The probability of each option as the answer; they add to 1.

        Args:
            picture: RGB.
            prompt: stands behind the picture.
            options: the answers to choose from.

        Raises:
            EngineError: as `models.endpoint.weigh` raises it.
        """
        parts = [picture_part(picture, self._max_pixels)]
        return weigh(self.endpoint, prompt, options, self._logprobs, parts)
