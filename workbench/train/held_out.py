"""How good a student is while it is trained: the held-out side of the snapshot, asked as later."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from workbench.cut_text import UnendedText
from workbench.models.vlm import Vlm
from workbench.records import JSON, Lesson
from workbench.snapshot import Example, Snapshot
from workbench.snapshot.example import task_of
from workbench.train.loss import StudentLoss
from workbench.train.pictures import wholes_of
from workbench.verify.answers import score

SHOWN = 12
"""Held-out questions whose answers are kept at each evaluation."""

AnswerLoss = tuple[str, float]
"""What the student answers, an `UnendedText` where it came to no end, and its loss on the lessons
of the question."""


@dataclass(frozen=True, slots=True)
class HeldOutAnswer:
    """One held-out question, the student's loss on it, and the student's answer."""

    example: Example
    answer: str
    right: float
    """0 to 1, as programs are judged."""
    loss: float

    def line(self, step: int) -> dict[str, JSON]:
        """The answer as a line of `validation.jsonl`."""
        return {
            "step": step,
            "task_id": self.example.task_id,
            "image": self.example.image,
            "question": self.example.question,
            "gold": self.example.answer,
            "answer": self.answer,
            "right": self.right,
            "cut": isinstance(self.answer, UnendedText),
        }


def held_out(snapshot: Snapshot, most: int) -> list[Example]:
    """The same questions each time: a share of the val side drawn by hash, in that order."""
    examples = snapshot.examples("val")
    return sorted(examples, key=lambda e: hashlib.sha256(e.id.encode()).digest())[:most]


class Examiner:
    """Asks held-out questions, divided among processes.

    Args:
        model: the one being trained, unwrapped; its mode is put back afterwards.
        loss: the student's loss on lessons, as the steps of the run compute it.
        lessons: gives the lessons of a question.
        examples: the held-out questions, at least one.
        max_tokens: longest answer.
        batch: questions answered at once.
        rank: number of this process.
        ranks: number of processes; all of them have to call `ask`.
    """

    def __init__(
        self,
        model: Any,
        loss: StudentLoss,
        lessons: Callable[[Example], Sequence[Lesson]],
        examples: Sequence[Example],
        max_tokens: int,
        batch: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.examples = tuple(examples)
        self._vlm = Vlm(model, loss.adapter.processor, "in training", batch)
        model.train()
        self._loss, self._lessons, self._most = loss, lessons, max_tokens
        # As many questions in each process, the first ones again where there are too few:
        # generation of a sharded model takes all processes together.
        share = -(-len(self.examples) // ranks)
        self._mine = [at % len(self.examples) for at in range(rank * share, (rank + 1) * share)]

    @torch.no_grad()
    def ask(self, forward: Any) -> dict[int, AnswerLoss]:
        """Answer and loss of this process's share of the questions, by position.

        Args:
            forward: the wrapped model, for the loss.
        """
        model = self._vlm.model
        model.eval()
        try:
            answers: dict[int, AnswerLoss] = {}
            for start in range(0, len(self._mine), self._vlm.batch_size):
                answers |= self._ask(self._mine[start : start + self._vlm.batch_size], forward)
            return answers
        finally:
            model.train()

    def _ask(self, positions: Sequence[int], forward: Any) -> dict[int, AnswerLoss]:
        examples = [self.examples[at] for at in positions]
        lessons = [self._lessons(example) for example in examples]
        images = self._loss.images
        regions = [wholes_of(example, images) for example in examples]
        prompts = [first.prompt for first, *_ in lessons]
        texts = self._vlm.generate(regions, prompts, images, self._most)
        answers = {}
        for at, example, own, text in zip(positions, examples, lessons, texts, strict=True):
            rows = [(example.pictures, lesson) for lesson in own]
            answers[at] = text, float(self._loss(forward, rows, examples=1).share)
        return answers

    def judge(self, answers: Mapping[int, AnswerLoss]) -> list[HeldOutAnswer]:
        """All processes' answers put together and judged."""
        return [
            HeldOutAnswer(example, text, score(task_of(example), text).score, loss)
            for example, (text, loss) in zip(
                self.examples, (answers[at] for at in range(len(self.examples))), strict=True
            )
        ]
