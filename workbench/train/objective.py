"""What a student learns from an example, and the loss that follows.

Visual program distillation (Hu et al. 2024, section 3.3): L = L_label + L_rationale.  The same picture and question
with two prompts and two targets, each cross-entropy normalised by its own target's length, added.  `instruct` is the
control: the labels of the same rows, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.errors import ProfileError
from workbench.ports import Teachable
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import Lesson, PartRef


class Vpd:
    """The published objective: the label, and the rationale where there is one.

    Args:
        weight: of the rationale's term; 1 as published.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
            raise ProfileError(f"the objective's weight must be a number from 0 on, found {weight!r}")
        self._weight = float(weight)
        self.ref = PartRef("objective", "vpd", arguments={"weight": self._weight})

    def lessons(self, example: Teachable) -> Sequence[Lesson]:
        """The label's lesson, then the rationale's."""
        asked = question_text(example)
        lessons = [Lesson("label", asked + LABEL_SUFFIX, example.answer)]
        if example.rationale and self._weight:
            lessons.append(Lesson("rationale", asked + RATIONALE_SUFFIX, example.rationale, self._weight))
        return lessons


class Instruct:
    """The control: labels alone, on the same rows and for the same steps."""

    def __init__(self) -> None:
        self.ref = PartRef("objective", "instruct")

    def lessons(self, example: Teachable) -> Sequence[Lesson]:
        """The label's lesson."""
        return [Lesson("label", question_text(example) + LABEL_SUFFIX, example.answer)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Lessons as a model takes them; what is beyond a row's end is padding."""

    inputs: Mapping[str, Tensor]
    """`input_ids`, `attention_mask`, both `(rows, tokens)`, and what the family needs of the pictures."""
    targets: Tensor
    """`(rows, tokens)`: the token itself where it is a target, -100 elsewhere."""
    owners: Tensor
    """`(rows, tokens)`: which lesson a target belongs to; the row's number, unless lessons share rows."""
    weights: Tensor
    """`(lessons,)`"""
    names: tuple[str, ...]
    """Of the lessons."""
    tokens: int
    """That are no padding."""

    def to(self, device: torch.device | str) -> Batch:
        inputs = {name: value.to(device) for name, value in self.inputs.items()}
        moved = (self.targets.to(device), self.owners.to(device), self.weights.to(device))
        return Batch(inputs, *moved, self.names, self.tokens)


def lesson_losses(model: Any, batch: Batch) -> Tensor:
    """Mean cross-entropy of each lesson over its own target tokens, in nats, `(lessons,)` float32.

    The head runs only at positions that some row predicts a target from: with a vocabulary of 150,000 the logits
    of a picture's positions would be most of the memory.
    """
    wanted = batch.targets[:, 1:] >= 0
    at = wanted.any(0).nonzero().squeeze(1)
    logits = model(**batch.inputs, logits_to_keep=at, use_cache=False).logits
    chosen = wanted[:, at]
    losses = torch.nn.functional.cross_entropy(
        logits[chosen].float(), batch.targets[:, 1:][:, at][chosen], reduction="none"
    )
    owners = batch.owners[:, 1:][:, at][chosen]
    sums, counts = (torch.zeros(len(batch.names), device=losses.device) for _ in range(2))
    return sums.index_add(0, owners, losses) / counts.index_add(0, owners, torch.ones_like(losses))


def combined(losses: Tensor, batch: Batch, examples: int) -> Tensor:
    """The share of these lessons in the loss of a step with so many examples; shares of one step add up to its loss."""
    return (losses * batch.weights).sum() / examples
