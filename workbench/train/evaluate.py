"""How good a student is while it is trained: the held-out side of the snapshot, asked as it will be asked later."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch

from workbench.models.vlm import Vlm
from workbench.ports import Objective
from workbench.records import AnswerType, Task
from workbench.snapshot import Example, Snapshot
from workbench.train.examples import Adapter
from workbench.train.objective import combined, lesson_losses
from workbench.verify.answers import score

SHOWN = 12
"""Held-out questions whose answers are kept at each evaluation."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One held-out question, its loss and what the student said."""

    example: Example
    answer: str
    right: float
    """0 to 1, as programs are judged."""
    loss: float


def held_out(snapshot: Snapshot, most: int) -> list[Example]:
    """The same questions each time: a share of the val side drawn by hash, in that order."""
    found = snapshot.examples("val")
    return sorted(found, key=lambda e: hashlib.sha256(e.id.encode()).digest())[:most]


def task_of(example: Example) -> Task:
    """The question as verifiers take it."""
    return Task(
        id=example.task_id, source=example.source, split=example.task_split, image=example.image,
        question=example.question, answers=example.answers or (example.answer,),
        answer_type=cast(AnswerType, example.answer_type), choices=example.choices, family=example.family,
    )  # fmt: skip


class Examiner:
    """Asks held-out questions, divided among processes.

    Args:
        model: the one being trained, unwrapped; its mode is put back afterwards.
        rank, ranks: this process and how many there are; all have to call `ask`.
    """

    def __init__(
        self, model: Any, adapter: Adapter, objective: Objective, snapshot: Snapshot, examples: Sequence[Example],
        max_tokens: int, batch: int, rank: int = 0, ranks: int = 1,
    ) -> None:  # fmt: skip
        self.examples = tuple(examples)
        self._images = snapshot.images
        self._vlm = Vlm(model, adapter.processor, "in training", batch)
        model.train()
        self._adapter, self._objective, self._most = adapter, objective, max_tokens
        # As many questions in each process, the first ones again where there are too few: generation of a sharded
        # model takes all processes together.
        share = -(-len(self.examples) // ranks)
        self._mine = [at % len(self.examples) for at in range(rank * share, (rank + 1) * share)]

    @torch.no_grad()
    def ask(self, forward: Any) -> dict[int, tuple[str, float]]:
        """Answer and loss of this process's share, by position.

        Args:
            forward: the wrapped model, for the loss.
        """
        model = self._vlm.model
        model.eval()
        try:
            out: dict[int, tuple[str, float]] = {}
            for start in range(0, len(self._mine), self._vlm.batch_size):
                part = self._mine[start : start + self._vlm.batch_size]
                examples = [self.examples[at] for at in part]
                lessons = [self._objective.lessons(example) for example in examples]
                regions = [self._images.whole(example.image) for example in examples]
                answers = self._vlm.generate(regions, [l[0].prompt for l in lessons], self._images, self._most)  # noqa: E741
                for at, example, taught, answer in zip(part, examples, lessons, answers, strict=True):
                    picture = self._images.open(example.image)
                    batch = self._adapter.encode([(picture, lesson) for lesson in taught]).to(model.device)
                    out[at] = answer, float(combined(lesson_losses(forward, batch), batch, 1))
            return out
        finally:
            model.train()

    def scored(self, said: dict[int, tuple[str, float]]) -> list[Answered]:
        """All processes' answers put together and judged."""
        return [
            Answered(example, said[at][0], score(task_of(example), said[at][0]).score, said[at][1])
            for at, example in enumerate(self.examples)
        ]
