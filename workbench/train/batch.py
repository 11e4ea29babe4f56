"""Lessons in tokens, as a model takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        """The same batch on another device; pinned memory is copied while the device computes."""
        return self._each(lambda value: value.to(device, non_blocking=value.is_pinned()))

    def pin_memory(self) -> Batch:
        """The same batch in memory that a GPU copies by itself."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        inputs = {name: change(value) for name, value in self.inputs.items()}
        others = (change(self.targets), change(self.owners), change(self.weights))
        return Batch(inputs, *others, self.names, self.tokens)
