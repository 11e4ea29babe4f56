"""A question and its answer as a checkpoint's chat template writes them, in text and in tokens.

It has one home, because a student is trained, asked and measured on the same tokens or its figures
mean nothing.  What stands between the question and the answer, and what ends an answer, is read off
the template: whatever it writes there is part of the prompt, so that no student has to say it.  All
texts are hostile: the tokenizer's special tokens are taken out of them before they are templated.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Protocol, runtime_checkable

import torch
from jinja2 import TemplateError
from PIL import Image
from torch import Tensor

from workbench.boxes_in_text import boxes_in
from workbench.errors import InputError
from workbench.models.chat_turn import tokens_behind, up_to_special
from workbench.models.picture_cache import PictureCache
from workbench.models.pointer_words import pointed
from workbench.models.region_vlm import IMAGE_TOKEN, RegionView

PLAIN_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}"
)
"""Template for checkpoints that ship none (PaliGemma, base models): the picture, then the text."""

RECENT = 32
"""Pictures whose scaled form is kept, so that questions about one share it."""
_SPECIMEN = "Answer7"
_FRAME = ("<|vision_start|>", "<|vision_end|>")
"""Tokens that stand around a picture in the Qwen families, whose positions need them."""


def special_tokens(tokenizer: Any) -> list[str]:
    """The tokens that may not stand in a question or an answer, the longest first."""
    return sorted(set(tokenizer.all_special_tokens) | {IMAGE_TOKEN}, key=len, reverse=True)


def plain_text(text: str, special: Sequence[str]) -> str:
    """A whole text on one line, without special tokens."""
    text = " ".join(text.split())
    before = None
    while before != text:  # removing one token may join the halves of another
        before = text
        for token in special:
            text = text.replace(token, "")
    return text


@dataclass(frozen=True, slots=True)
class AnsweredBatch:
    """Templated questions in tokens, each with the beginning of an answer or a whole one."""

    inputs: dict[str, Tensor]
    """`input_ids`, `attention_mask`, both `(rows, tokens)`, and what the family needs of the
    pictures."""
    targets: Tensor
    """`(rows, tokens)`: the token itself where it belongs to the answer, -100 elsewhere."""


Seen = Image.Image | RegionView
"""A picture, or what the embedded detector sees of it."""

RowOfSeen = Seen | tuple[Seen, ...]
"""What one question is about: a picture, or several in order."""


def first_of(row: RowOfSeen) -> Seen:
    """The picture that an answer may point into: students that point take one."""
    return row[0] if isinstance(row, tuple) else row


def count_of(row: RowOfSeen) -> int:
    """How many pictures a question is about."""
    return len(row) if isinstance(row, tuple) else 1


@runtime_checkable
class PointingProcessor(Protocol):
    """A processor whose answers point into the picture, so that their tokens depend on it."""

    def look(self, pictures: Sequence[Seen]) -> Sequence[Seen]:
        """What is seen of each picture, which may be given in place of it."""
        ...

    def pointed(self, text: str, picture: Seen) -> str:
        """A text with pointers in place of boxes, for the tokenizer."""
        ...

    def text_of(self, tokens: Sequence[int], picture: Seen) -> str:
        """The text of an answer's tokens, its boxes as four numbers."""
        ...


class Conversation:
    """A processor's way of writing a question about a picture and its answer.

    Args:
        processor: Of any checkpoint of `AutoModelForImageTextToText`; one without a chat template
            gets a plain one.
        max_pixels: Pictures with more pixels are scaled down to so many before the processor sees
            them; 0 for no bound.
        template: Options of the chat template, such as `enable_thinking`, which is off unless it is
            given.

    Raises:
        InputError: the template leaves out the answer, or nothing can end one; or it knows no
            option of that name.
    """

    def __init__(
        self, processor: Any, max_pixels: int = 0, template: Mapping[str, Any] | None = None
    ) -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.max_pixels = max_pixels
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        if not processor.chat_template:
            processor.chat_template = PLAIN_TEMPLATE.replace("IMAGE", self._picture_mark())
        self.special = special_tokens(self.tokenizer)
        # PaliGemma sees what has type 0 at once, in both directions; elsewhere 0 is plain text.
        self._types = {"token_type_ids": int("PaliGemma" in type(processor).__name__)}
        # a template that can think aloud is told not to: an answer is a word, not an essay
        self._options = _template_options(str(processor.chat_template), template or {})
        # a processor keeps state while it works: padding, features of pictures
        self.lock = threading.Lock()
        self._processed = PictureCache(largest=0)  # crops seldom come twice
        self._last_scaled: dict[int, tuple[Image.Image, Seen]] = {}
        """Pictures of late, by identity, with what the processor got of them."""
        self.points = isinstance(processor, PointingProcessor)
        """Whether the tokens of an answer depend on the picture."""
        self._cut, self._opening, self._lead, self.end = self._turn()

    def _picture_mark(self) -> str:
        mark = str(getattr(self.processor, "image_token", "<image>"))
        vocabulary = self.tokenizer.get_vocab()
        return mark.join(_FRAME) if all(token in vocabulary for token in _FRAME) else mark

    def _render(self, prompt: str, answer: str | None = None, pictures: int = 1) -> str:
        content = [*([{"type": "image"}] * pictures), {"type": "text", "text": prompt}]
        chat: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if answer is not None:
            chat.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
        asks = {} if answer is not None else {"add_generation_prompt": True}
        try:
            return str(
                self.processor.apply_chat_template(chat, tokenize=False, **asks, **self._options)
            )
        except (TemplateError, TypeError) as error:
            raise InputError(
                f"the checkpoint's chat template cannot write a question about a picture "
                f"({error}); take an instruction-tuned vision-language model"
            ) from error

    def _turn(self) -> tuple[int, str, str, list[int]]:
        """What the template writes around an answer.

        Returns:
            How many characters of the templated question give way, what stands there instead, the
            spaces before an answer, which are tokenised with it, and the tokens that end it.
        """
        templated = self._render("Question?")
        before, specimen, after = self._render("Question?", _SPECIMEN).rpartition(_SPECIMEN)
        if not specimen:
            raise InputError(
                "the checkpoint's chat template leaves out the assistant's answer; take another "
                "checkpoint"
            )
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(templated, before)))
        opening, lead = before[common:], ""
        if opening.strip():
            opening, lead = opening.rstrip(" "), opening[len(opening.rstrip(" ")) :]
        else:  # what an answer begins with
            opening, lead = "", opening
        return len(templated) - common, opening, lead, self._end(after)

    def _end(self, after: str) -> list[int]:
        if end := up_to_special(self.tokenizer, after):
            return end
        if self.tokenizer.eos_token_id is None:
            raise InputError(
                "the checkpoint has no token that ends an answer; take an instruction-tuned "
                "checkpoint"
            )
        return [self.tokenizer.eos_token_id]

    def clean(self, text: str) -> str:
        """A text on one line, without the checkpoint's special tokens."""
        return plain_text(text, self.special)

    @property
    def takes_several(self) -> bool:
        """Whether a question may be about several pictures; the embedded students take one."""
        return not type(self.processor).__module__.startswith("workbench.")

    def prompt(self, text: str, pictures: int = 1) -> str:
        """The templated question, up to where its answer begins.

        Args:
            text: the question.
            pictures: how many pictures it is about.

        Raises:
            InputError: the template writes one picture where there are several.
        """
        question = self.clean(text)
        templated = self._render(question, pictures=pictures)
        if pictures > 1 and len(templated) <= len(self._render(question)):
            raise InputError(
                f"the checkpoint's chat template writes one picture; the question has {pictures}"
            )
        return templated[: len(templated) - self._cut] + self._opening

    def answer(
        self, prompt: str, text: str, ends: bool = True, picture: Seen | None = None
    ) -> list[int]:
        """The tokens of an answer behind a templated question; none for an answer without text.

        They are those that the whole text has behind the prompt, so that a tokenizer's word marks
        are right.

        Args:
            prompt: As `prompt` gives it.
            text: The answer, or its beginning.
            ends: Whether the answer is whole: what ends the turn then stands behind it.
            picture: What the question is about; students that point into it need it.
        """
        plain = self.clean(text)
        if self.points and picture is not None:
            with self.lock:
                plain = self.processor.pointed(plain, self.picture(picture))
        if not plain and not ends:
            return []
        body = tokens_behind(self.tokenizer, prompt, self._lead + plain, self.special)
        return [*body, *(self.end if ends else ())]

    def length(self, text: str) -> int:
        """Number of tokens of a text; a box counts as the pointer that it can be."""
        if self.points:
            text = pointed(text, [box.cells for box in boxes_in(text)])
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def text(self, tokens: Sequence[int], picture: Seen) -> str:
        """The text of an answer's tokens, without special tokens.

        Args:
            tokens: What the model wrote.
            picture: What the question is about.
        """
        if self.points:
            with self.lock:
                return str(self.processor.text_of(tokens, self.picture(picture)))
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True))

    def look(self, picture: Image.Image) -> Seen:
        """A picture as it is given to the other methods, looked at once for all of them."""
        if not self.points:
            return picture
        with self.lock:
            view: Seen = self.processor.look([self.picture(picture)])[0]
        return view

    def picture(self, picture: Seen) -> Seen:
        """A picture as the processor gets it: of at most `max_pixels`, its shape unchanged."""
        pixels = picture.width * picture.height
        if not self.max_pixels or pixels <= self.max_pixels or isinstance(picture, RegionView):
            return picture
        share = (self.max_pixels / pixels) ** 0.5
        size = (max(int(picture.width * share), 1), max(int(picture.height * share), 1))
        return picture.resize(size, Image.Resampling.BICUBIC)

    def _scaled(self, picture: Seen) -> Seen:
        """A picture as the processor gets it, the same object as long as it is the same picture."""
        if not isinstance(picture, Image.Image):
            return self.picture(picture)
        last = self._last_scaled.get(id(picture))
        if last is None or last[0] is not picture:
            last = (picture, self.picture(picture))
            if len(self._last_scaled) >= RECENT:
                self._last_scaled.pop(next(iter(self._last_scaled)))
            self._last_scaled[id(picture)] = last
        return last[1]

    def batch(
        self,
        pictures: Sequence[RowOfSeen],
        prompts: Sequence[str],
        answers: Sequence[Sequence[int]],
        left: bool = False,
    ) -> AnsweredBatch:
        """Templated questions and the tokens of their answers, as the model takes them.

        Args:
            pictures: One for each question, or several in order.
            prompts: As `prompt` gives them.
            answers: Tokens behind each prompt, as `answer` gives them.
            left: Whether rows are padded at the left, as for generation, and not at the right.
        """
        with self.lock, self._processed.on(self.processor):
            questions = self.processor(
                images=[
                    [self._scaled(one) for one in (row if isinstance(row, tuple) else (row,))]
                    for row in pictures
                ],
                text=list(prompts),
                padding=True,
                return_tensors="pt",
            )
        questions.pop("labels", None)  # PaliGemma's processor adds some to every prompt
        shape = questions["input_ids"].shape
        kept = questions["attention_mask"].bool()
        side = "left" if left else "right"
        inputs: dict[str, Tensor] = {}
        for name, value in questions.items():
            per_token = value.shape == shape
            inputs[name] = self._joined(name, value, kept, answers, side) if per_token else value
        spots = [
            torch.cat([torch.full((start,), -100), torch.tensor(tokens, dtype=torch.long)])
            for start, tokens in zip(kept.sum(1).tolist(), answers, strict=True)
        ]
        return AnsweredBatch(inputs, _padded(spots, -100, side))

    def _joined(
        self, name: str, value: Tensor, kept: Tensor, answers: Sequence[Sequence[int]], side: str
    ) -> Tensor:
        """A tensor of the prompts, `(rows, tokens)`, with the answers behind each row's tokens.

        Args:
            name: Of the tensor, which decides what stands for the answers and for padding.
            value: Of the prompts, padded.
            kept: `(rows, tokens)`, true where a token is not padding.
            answers: Tokens behind each prompt.
            side: Where the result is padded.
        """
        pad = self._types.get(name, 0)
        behind = [[pad] * len(tokens) for tokens in answers]
        if name == "input_ids":
            behind, pad = [list(tokens) for tokens in answers], self.tokenizer.pad_token_id
        elif name == "attention_mask":
            behind, pad = [[1] * len(tokens) for tokens in answers], 0
        rows = [
            torch.cat([row[keep], torch.tensor(tokens, dtype=row.dtype)])
            for row, keep, tokens in zip(value, kept, behind, strict=True)
        ]
        return _padded(rows, pad, side)


def _template_options(text: str, template: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a template knows, of those that are wished for."""
    wish = {"enable_thinking": False, **template}
    unknown = sorted(name for name in template if name not in text and name != "enable_thinking")
    if unknown:
        raise InputError(
            f"the checkpoint's chat template knows no {', '.join(unknown)}; take it out of "
            "`template`, or take another checkpoint"
        )
    return {name: value for name, value in wish.items() if name in text}


def _padded(rows: Sequence[Tensor], value: int, side: str) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(
        list(rows), batch_first=True, padding_value=value, padding_side=side
    )
