"""Training by reward: the student answers, the verifier judges, and its answers are the lessons.

Here the loop meets the extension point `policy`.  The answers of a step are drawn from the step's
own random numbers and the weights, so that a run that goes on draws the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from workbench.models.vlm import Vlm
from workbench.recipes.teaching import Policy
from workbench.records import Lesson
from workbench.snapshot import Example
from workbench.snapshot.example import task_of
from workbench.train.loss import StudentLoss
from workbench.train.pictures import wholes_of
from workbench.verify.answers import score

HINT = "Hint: "
"""What stands before the rationale of the question's program, in front of the question."""


class Rollouts:
    """Asks the student, and makes lessons of its answers.

    Args:
        model: the student, unwrapped.
        loss: how it sees pictures and words.
        policy: says what the answers teach.
        lessons: gives the lessons of an example; the first one's prompt is asked.
        most: longest answer, in tokens.
    """

    def __init__(
        self,
        model: Any,
        loss: StudentLoss,
        policy: Policy,
        lessons: Callable[[Example], Sequence[Lesson]],
        most: int,
    ) -> None:
        self._vlm = Vlm(model, loss.adapter.processor, "in training", policy.answers)
        model.train()
        self._loss, self._policy, self._lessons, self._most = loss, policy, lessons, most
        self.rewards: list[float] = []
        """Of all answers of the last call, 0 to 1, hints not counted."""
        self.hints: list[float] = []
        """For each question of the last call, 1 where answers with a hint took part."""

    def __call__(self, examples: Sequence[Example]) -> list[Sequence[Lesson]]:
        """The lessons of each example's group."""
        self.rewards, self.hints = [], []
        with self._answering():
            return [self._group(example) for example in examples]

    def _group(self, example: Example) -> Sequence[Lesson]:
        policy, question = self._policy, self._lessons(example)[0]
        texts, rewards = self._ask(example, question.prompt, policy.answers)
        self.rewards += rewards
        self.hints.append(0.0)
        if policy.wants_hint(rewards) and example.rationale:
            for _ in range(policy.tries):
                prompt = f"{HINT}{example.rationale} {question.prompt}"
                new, theirs = self._ask(example, prompt, policy.answers)
                if count := policy.replaced(theirs):
                    # without replacement: two answers never give way to one
                    for place, at in enumerate(torch.randperm(policy.answers)[:count].tolist()):
                        texts[at], rewards[at] = new[place], theirs[place]
                    self.hints[-1] = 1.0
                    break
        return policy.lessons(question, texts, rewards)

    def _ask(self, example: Example, prompt: str, count: int) -> tuple[list[str], list[float]]:
        """Answers to one prompt and their rewards."""
        images = self._loss.images
        if not self._loss.takes(example.pictures, self._lessons(example)[0]):
            return [""] * count, [0.0] * count
        texts = self._vlm.sample(
            [wholes_of(example, images)] * count,
            [prompt] * count,
            images,
            self._most,
            self._policy.heat,
        )
        task = task_of(example)
        return texts, [float(score(task, text).score) for text in texts]

    @contextmanager
    def _answering(self) -> Iterator[None]:
        model = self._vlm.model
        model.eval()
        try:
            yield
        finally:
            model.train()
