"""Lessons to tokens: one way for every vision-language model of transformers.

The processor and its chat template make the prompt exactly as `models.vlm` makes it when the
student is asked; the target's tokens are put behind it and they alone count in the loss, the token
that ends the turn included.  What stands between the prompt and the answer, and what ends it, is
read off the template.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from workbench.errors import InputError
from workbench.models.region_vlm import RegionVlmProcessor
from workbench.models.vlm import plain_text, special_tokens
from workbench.records import Lesson
from workbench.train.batch import Batch

PLAIN_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}"
)
"""Template for families that ship none (PaliGemma): the picture, then the text."""

_SPECIMEN = "Answer7"


def _chat(prompt: str, answer: str | None = None) -> list[dict[str, Any]]:
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}]
    if answer is not None:
        chat.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
    return chat


class Adapter:
    """A processor as the training room uses it.

    Args:
        processor: of any checkpoint of `AutoModelForImageTextToText`; one without a chat template
            gets a plain one, which is saved with the student.
    """

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        if not processor.chat_template:
            processor.chat_template = PLAIN_TEMPLATE.replace(
                "IMAGE", getattr(processor, "image_token", "<image>")
            )
        self.shares = isinstance(processor, RegionVlmProcessor)
        """Lessons about one picture may share a row (see `shared_prefix`)."""
        self._special = special_tokens(self.tokenizer)
        # PaliGemma sees what has type 0 at once, in both directions; elsewhere 0 is plain text.
        self._types = {"token_type_ids": int("PaliGemma" in type(processor).__name__)}
        self._lead, self.end = self._turn()

    def _turn(self) -> tuple[str, list[int]]:
        """What the template writes before an answer, and the tokens that end it."""
        prompt = self.prompt("Question?")
        whole = self.processor.apply_chat_template(_chat("Question?", _SPECIMEN), tokenize=False)
        before, specimen, after = whole.rpartition(_SPECIMEN)
        if not specimen:
            raise InputError(
                "the checkpoint's chat template leaves out the assistant's answer; take another "
                "checkpoint"
            )
        lead = before[len(prompt) :] if before.startswith(prompt) else ""
        behind = self.tokenizer(after, add_special_tokens=False)["input_ids"]
        special = set(self.tokenizer.all_special_ids)
        last = next((at for at, token in enumerate(behind) if token in special), None)
        if last is not None:
            return lead, behind[: last + 1]
        if self.tokenizer.eos_token_id is None:
            raise InputError(
                "the checkpoint has no token that ends an answer; take an instruction-tuned "
                "checkpoint"
            )
        return lead, [self.tokenizer.eos_token_id]

    def clean(self, text: str) -> str:
        """A text without special tokens, as `Vlm.clean` gives it: all texts are hostile."""
        return plain_text(text, self._special)

    def prompt(self, text: str) -> str:
        """The templated prompt, as a student is asked."""
        return str(
            self.processor.apply_chat_template(
                _chat(self.clean(text)), add_generation_prompt=True, tokenize=False
            )
        )

    def target(self, prompt: str, text: str) -> list[int]:
        """Tokens that answer a templated prompt with a text, the end of the turn included.

        They are those that the whole text has behind the prompt, so that a tokenizer's word marks
        are right.
        """
        anchor = prompt[-40:]
        for token in self._special:
            anchor = anchor.rpartition(token)[2]
        body = self._lead + self.clean(text)
        before, both = (
            self.tokenizer(t, add_special_tokens=False)["input_ids"]
            for t in (anchor, anchor + body)
        )
        if both[: len(before)] != before:
            before, both = [], self.tokenizer(body, add_special_tokens=False)["input_ids"]
        return [*both[len(before) :], *self.end]

    def length(self, lessons: Sequence[Lesson]) -> int:
        """Number of tokens of the longest lesson, the picture not counted; for grouping."""
        texts = [f"{lesson.prompt} {lesson.target}" for lesson in lessons]
        return max(
            len(tokens) for tokens in self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        )

    def encode(self, rows: Sequence[tuple[Image.Image, Lesson]], fillers: int = 0) -> Batch:
        """A batch of lessons about pictures, padded at the right.

        Args:
            fillers: so many of the last rows weigh nothing.
        """
        prompts = [self.prompt(lesson.prompt) for _, lesson in rows]
        targets = [
            self.target(p, lesson.target) for p, (_, lesson) in zip(prompts, rows, strict=True)
        ]
        questions = self.processor(
            images=[[p] for p, _ in rows], text=prompts, padding=True, return_tensors="pt"
        )
        questions.pop("labels", None)
        shape = questions["input_ids"].shape
        kept = questions["attention_mask"].bool()
        inputs: dict[str, Tensor] = {}
        for name, value in questions.items():
            per_token = value.shape == shape
            inputs[name] = self._with_targets(name, value, kept, targets) if per_token else value
        labels = torch.full_like(inputs["input_ids"], -100)
        for row, (start, tokens) in enumerate(zip(kept.sum(1).tolist(), targets, strict=True)):
            labels[row, start : start + len(tokens)] = torch.tensor(tokens)
        weights = torch.tensor([lesson.weight for _, lesson in rows])
        if fillers:
            weights[-fillers:] = 0.0
        owners = torch.arange(len(rows))[:, None].expand_as(labels)
        names = tuple(lesson.name for _, lesson in rows)
        return Batch(inputs, labels, owners, weights, names, int(inputs["attention_mask"].sum()))

    def _with_targets(
        self, name: str, value: Tensor, kept: Tensor, targets: Sequence[Sequence[int]]
    ) -> Tensor:
        """A tensor of the prompts, `(rows, tokens)`, with the targets behind each row's tokens.

        Args:
            name: of the tensor, which decides what stands for the targets and for padding.
            value: of the prompts, padded.
            kept: `(rows, tokens)`, true where a token is not padding.
            targets: tokens behind each prompt.
        """
        pad = self._types.get(name, 0)
        behind = [[pad] * len(tokens) for tokens in targets]
        if name == "input_ids":
            behind, pad = [list(tokens) for tokens in targets], self.tokenizer.pad_token_id
        elif name == "attention_mask":
            behind, pad = [[1] * len(tokens) for tokens in targets], 0
        rows = [
            torch.cat([row[keep], torch.tensor(tokens)])
            for row, keep, tokens in zip(value, kept, behind, strict=True)
        ]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad)


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
