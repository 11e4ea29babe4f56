"""The pointer student's processor: regions of a picture, states of a question, words of an answer.

An answer is made of tokens and of text with the picture at hand (`pointed`, `text_of`), since a
pointer means a box of that picture.  Everybody else reads and writes boxes as four numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoProcessor, BatchFeature

from workbench.boxes_in_text import boxes_in, split_at_boxes
from workbench.models import pointer_words as words
from workbench.models.pointer_vlm import PointerVlmConfig, as_regions
from workbench.models.region_vlm import IMAGE_TOKEN, RegionView, RegionVlmProcessor, pictures_in
from workbench.models.text_tower import text_tower
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['content'] is string -%}{{ message['content'] }}{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}" + IMAGE_TOKEN + "{%- else -%}"
    "{%- if message['role'] == 'assistant' -%}{{ ' ' }}{%- endif -%}{{ part['text'] }}"
    "{%- endif -%}{%- endfor -%}{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}"
    + words.END
    + "{%- else -%}"
    + words.ANSWER
    + "{%- endif -%}"
    "{%- endfor -%}"
)
_HERE = "here"
"""What the frozen language model reads in place of a box: its numbers mean nothing to it."""
_MARKS = {LABEL_SUFFIX: words.BRIEF, RATIONALE_SUFFIX: words.EXPLAIN}
"""Which mark stands for the end of a prompt."""


class PointerVlmProcessor(RegionVlmProcessor):
    """Turns pictures into regions, questions into states, and answers into pointers and words.

    Args:
        tokenizer: As `word_tokenizer` makes it.
        chat_template: Of the checkpoint.
        region_count: Most regions of a picture.
        reader: The frozen language model that reads questions: `bundled`, a folder, or a hub id.
        reader_layers: Number of its layers.
    """

    def __init__(
        self,
        tokenizer: Any,
        chat_template: str | None = None,
        region_count: int = 12,
        reader: str = "bundled",
        reader_layers: int = 8,
    ) -> None:
        self.reader, self.reader_layers = reader, reader_layers
        super().__init__(tokenizer, chat_template or CHAT_TEMPLATE, region_count)

    def pointed(self, text: str, picture: Image.Image | RegionView) -> str:
        """A text with a pointer in place of each box, for the tokenizer."""
        return words.pointed(text, self.look([picture])[0].cells)

    def text_of(self, tokens: Sequence[int], picture: Image.Image | RegionView) -> str:
        """The text of an answer's tokens, its boxes as four numbers."""
        return words.read_tokens(self.tokenizer, tokens, self.look([picture])[0].cells)

    def question(self, text: str) -> str:
        """What a prompt asks, without the suffix that says how to answer."""
        return _question_and_mark(text)[0]

    def __call__(
        self, images: Any = None, text: Any = None, return_tensors: str | None = None, **kwargs: Any
    ) -> BatchFeature:
        """Tokens, regions and states of the questions; rows are padded at the right.

        Args:
            images: A picture, a list of them, or a list of lists of them.
            text: A text, or a list of them, as the chat template writes them.
            return_tensors: Unused; the result is always made of PyTorch's tensors.
            kwargs: Unused.

        Raises:
            ValueError: a text has not exactly one image mark, or there are other numbers of
                pictures and texts.
        """
        texts = [text] if isinstance(text, str) else list(text or [])
        pictures = pictures_in(images)
        marks = sum(t.count(IMAGE_TOKEN) for t in texts)
        if marks != len(pictures) or any(t.count(IMAGE_TOKEN) != 1 for t in texts):
            raise ValueError(
                f"{marks} image marks in {len(texts)} texts, {len(pictures)} pictures; this "
                "student takes one picture with each question; use the chat template"
            )
        views = self.look(pictures)
        rows, states = [], []
        for one, view in zip(texts, views, strict=True):
            row, state = self._row(one, view.cells)
            rows.append(torch.tensor(row))
            states.append(torch.from_numpy(state))
        pad = torch.nn.utils.rnn.pad_sequence
        return BatchFeature(
            {
                "input_ids": pad(rows, True, self.tokenizer.pad_token_id),
                "attention_mask": pad([torch.ones_like(row) for row in rows], True, 0),
                "region_features": as_regions([view.vectors for view in views]),
                "question_features": pad(states, True, 0.0),
            }
        )

    def keep_in(self, root: Path) -> None:
        """Keep what is seen of pictures and read of questions; other processes find it there."""
        super().keep_in(root)
        text_tower(self.reader, self.reader_layers).keep_in(root)

    def _row(self, text: str, regions: Sequence[words.Cells]) -> tuple[list[int], Any]:
        """The tokens of a templated question, and its states.

        A box in the question is a pointer behind the question's words.
        """
        text = text.replace(IMAGE_TOKEN, "").partition(words.ANSWER)[0]
        question, mark = _question_and_mark(text)
        read = text_tower(self.reader, self.reader_layers)
        state = read(_HERE.join(split_at_boxes(question)[::2]))
        pointers = "".join(words.pointer_to(box, regions) for box in boxes_in(question))
        number = self.tokenizer.convert_tokens_to_ids
        return [
            *[number(IMAGE_TOKEN)] * len(regions),
            *[number(words.QUESTION)] * len(state),
            *self.tokenizer(pointers, add_special_tokens=False)["input_ids"],
            number(mark),
        ], state

    @property
    def model_input_names(self) -> list[str]:
        return ["input_ids", "attention_mask", "region_features", "question_features"]


def _question_and_mark(prompt: str) -> tuple[str, str]:
    for suffix, mark in _MARKS.items():
        if prompt.endswith(suffix):
            return prompt.removesuffix(suffix), mark
    return prompt, words.ANSWER


def register() -> None:
    """Make transformers' Auto classes know this processor; safe to call again."""
    AutoProcessor.register(PointerVlmConfig, PointerVlmProcessor, exist_ok=True)


register()
