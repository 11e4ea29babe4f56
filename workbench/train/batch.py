"""Lessons in tokens, as a model takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Lessons in one or more rows of tokens; what stands beyond a row's end is padding."""

    inputs: Mapping[str, Tensor]
    """`input_ids`, `attention_mask`, both `(rows, tokens)`, and what the family needs of the
    pictures.  Rows that lessons share have an `attention_mask` of `(rows, 1, tokens, tokens)` and
    `position_ids` as well.
    """
    targets: Tensor
    """`(rows, tokens)`: the token itself where it is a target, -100 elsewhere."""
    owners: Tensor
    """`(rows, tokens)`: number of the lesson that a target belongs to."""
    weights: Tensor
    """`(lessons,)`"""
    names: tuple[str, ...]
    """The name of each lesson."""
    tokens: int
    """Number of tokens, padding not counted."""

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        inputs = {name: value.to(device) for name, value in self.inputs.items()}
        moved = (self.targets.to(device), self.owners.to(device), self.weights.to(device))
        return Batch(inputs, *moved, self.names, self.tokens)
