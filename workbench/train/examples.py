"""Lessons to tokens: one way for every vision-language model of transformers.

`models.conversation` makes the prompt exactly as when the student is asked; the target's tokens are
put behind it and they alone count in the loss, the token that ends the turn included.
"""

from __future__ import annotations

import random
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import torch
from PIL import Image

from workbench.models.conversation import Conversation, RowOfSeen, count_of, first_of
from workbench.models.picture_cache import PictureCache
from workbench.models.pointer_processor import PointerVlmProcessor
from workbench.models.pointer_words import QUESTION
from workbench.models.region_vlm import IMAGE_TOKEN, RegionVlmProcessor
from workbench.records import Lesson
from workbench.snapshot.example import JOINED
from workbench.train.batch import Batch
from workbench.unanswered import REFUSED


class Adapter(Conversation):
    """A processor as the training room uses it.

    Args:
        processor: of any checkpoint of `AutoModelForImageTextToText`; one without a chat template
            gets a plain one, which is saved with the student.
        max_pixels: pictures with more pixels are scaled down to so many; 0 for no bound.
        template: options of the chat template, as `Conversation` takes them.
    """

    def __init__(
        self, processor: Any, max_pixels: int = 0, template: Mapping[str, Any] | None = None
    ) -> None:
        # the embedded students' detector scales every picture to one size
        self.detects = isinstance(processor, RegionVlmProcessor)
        """Pictures are looked at by the embedded detector."""
        super().__init__(processor, 0 if self.detects else max_pixels, template)
        self._processed = PictureCache()
        self.shares = self.detects
        """Some lessons about one picture may share a row (see `source`)."""
        self.shares_pictures = self.shares and not isinstance(processor, PointerVlmProcessor)
        """All lessons about one picture may."""
        mark = getattr(processor, "image_token_id", None)
        self.picture_token = int(
            self.tokenizer.convert_tokens_to_ids(IMAGE_TOKEN) if mark is None else mark
        )
        """The token that stands for a position of the picture."""
        self._positions: dict[tuple[int, int], int] = {}

    def longest(self, lessons: Sequence[Lesson]) -> int:
        """Number of tokens of the longest lesson, the picture not counted; for grouping."""
        return max(self.length(f"{lesson.prompt} {lesson.target}") for lesson in lessons)

    def source(self, image: str, lesson: Lesson) -> Hashable:
        """What lessons have in common that may share a row, as `shared_prefix` takes it.

        It is the picture, and for a student whose regions see the question, the question too.

        Args:
            image: digest of the picture.
            lesson: about the picture.
        """
        if JOINED in image:  # several pictures: what such a row shares was never measured
            return image, lesson
        if not isinstance(self.processor, PointerVlmProcessor):
            return image
        return image, self.processor.question(lesson.prompt)

    def readable(self, text: str, lesson: Lesson) -> str:
        """A run of a lesson's text for people: a question that is read apart stands in words.

        Args:
            text: the run, as `pieces` gives it.
            lesson: what it belongs to.
        """
        if not isinstance(self.processor, PointerVlmProcessor):
            return text
        question = self.processor.question(lesson.prompt)
        return re.sub(f"(?:{QUESTION})+", lambda _: question, text)

    def picture_length(self, width: int, height: int) -> int:
        """About as many tokens as stand for a picture of a size; 0 for one that is not taken.

        Sizes are rounded, so that a few pictures are tried for many.
        """
        if self.detects:
            return 0
        step = 64
        size = (max(round(width / step), 1) * step, max(round(height / step), 1) * step)
        if size not in self._positions:
            try:
                batch = self.batch([Image.new("RGB", size)], [self.prompt("")], [()])
                self._positions[size] = int(batch.inputs["attention_mask"].sum())
            except REFUSED:
                self._positions[size] = 0
        return self._positions[size]

    def encode(self, rows: Sequence[tuple[RowOfSeen, Lesson]], fillers: int = 0) -> Batch:
        """A batch of lessons about pictures, padded at the right.

        Args:
            rows: what a lesson is about, one picture or several, and the lesson.
            fillers: so many of the last rows weigh nothing.
        """
        prompts = [self.prompt(lesson.prompt, count_of(row)) for row, lesson in rows]
        targets = [
            self.answer(prompt, lesson.target, picture=first_of(picture))
            for prompt, (picture, lesson) in zip(prompts, rows, strict=True)
        ]
        batch = self.batch([picture for picture, _ in rows], prompts, targets)
        weights = torch.tensor([lesson.weight for _, lesson in rows])
        if fillers:
            weights[-fillers:] = 0.0
        owners = torch.arange(len(rows))[:, None].expand_as(batch.targets)
        names = tuple(lesson.name for _, lesson in rows)
        tokens = int(batch.inputs["attention_mask"].sum())
        return Batch(batch.inputs, batch.targets, owners, weights, names, tokens)


@dataclass(frozen=True)
class Order:
    """Which examples each step takes, as a function of seed and step, so that a run can go on.

    Examples of like length stand together: each epoch is shuffled, cut into stretches of 50
    batches, sorted by length within a stretch, and the batches are shuffled.  Where examples of one
    picture share a row (see `shared_prefix`), they stand together instead, up to `together` of
    them, drawn anew each epoch.
    """

    lengths: tuple[int, ...]
    batch: int
    seed: int
    pictures: tuple[str, ...] = ()
    """Picture of each example, where examples of one picture share a row; else empty."""
    together: int = 1
    """Most examples of one picture that stand together."""

    @property
    def steps(self) -> int:
        """Number of steps of an epoch; its last batch may be smaller."""
        return -(-len(self.lengths) // self.batch)

    def __getitem__(self, step: int) -> tuple[int, ...]:
        """Positions of the examples of one step, counted from 0 over all epochs."""
        return _epoch(self, step // self.steps)[step % self.steps]

    def share(
        self, step: int, rank: int, ranks: int, micro: int
    ) -> list[tuple[tuple[int, ...], int]]:
        """Micro-batches of one process: positions, and how many of the last are fillers.

        Every process has as many, since all of them compute together.

        Args:
            step: number of the step, counted from 0.
            rank: number of the process.
            ranks: number of processes.
            micro: most examples of a micro-batch.
        """
        whole = self[step]
        mine = whole[rank::ranks]
        longest = -(-len(whole) // ranks)
        filled = [*mine, *([whole[0]] * (longest - len(mine)))]
        return [
            (tuple(filled[at : at + micro]), max(0, min(at + micro, longest) - max(at, len(mine))))
            for at in range(0, longest, micro)
        ]


@lru_cache(maxsize=2)
def _epoch(order: Order, epoch: int) -> list[tuple[int, ...]]:
    dice = random.Random(f"{order.seed}/{epoch}")
    shuffled = list(range(len(order.lengths)))
    dice.shuffle(shuffled)
    sort = _by_picture if order.pictures else _by_length
    placed = sort(order, shuffled)
    batches = [tuple(placed[at : at + order.batch]) for at in range(0, len(placed), order.batch)]
    dice.shuffle(batches)
    return batches


def _by_length(order: Order, shuffled: Sequence[int]) -> list[int]:
    stretches = (
        shuffled[at : at + 50 * order.batch] for at in range(0, len(shuffled), 50 * order.batch)
    )
    return [
        example
        for stretch in stretches
        for example in sorted(stretch, key=lambda at: order.lengths[at])
    ]


def _by_picture(order: Order, shuffled: Sequence[int]) -> list[int]:
    open_groups: dict[str, list[int]] = {}
    full: list[int] = []
    for at in shuffled:
        group = open_groups.setdefault(order.pictures[at], [])
        group.append(at)
        if len(group) == order.together:
            full += open_groups.pop(order.pictures[at])
    rest = [at for group in open_groups.values() for at in group]
    return full + rest  # groups that fill no row come last


def pieces(
    batch: Batch, tokenizer: Any, row: int, image_token: int | None
) -> list[tuple[str, bool]]:
    """One row as text: runs of (text, whether it counts in the loss).

    Args:
        batch: lessons, one a row.
        tokenizer: turns tokens into text.
        row: number of the row.
        image_token: stands for a position of the picture; runs of it become their number.
    """
    length = int(batch.inputs["attention_mask"][row].sum())
    ids, counts = (
        batch.inputs["input_ids"][row, :length].tolist(),
        (batch.targets[row, :length] >= 0).tolist(),
    )
    out: list[tuple[str, bool]] = []
    for counted, run in groupby(zip(ids, counts, strict=True), key=lambda pair: pair[1]):
        text = ""
        for picture, part in groupby(
            (token for token, _ in run), key=lambda token: token == image_token
        ):
            tokens = list(part)
            text += f"[{len(tokens)} of the picture]" if picture else tokenizer.decode(tokens)
        out.append((text, counted))
    return out
