"""Several prompt-target pairs behind one shared prefix, in one sequence.

A picture (or the tool list) is the same for all questions asked about it, so it is computed once: every
pair sees the prefix and itself, never its neighbours, and its positions restart where the prefix ends.
The loss is the same as that of the pairs one at a time (tested), at about half the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Prefix = Sequence[int]
Pair = tuple[Sequence[int], Sequence[int]]
"""Prompt tokens and target tokens; the target includes its end token."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Several groups of a prefix and its pairs, one behind the other in ONE sequence, so that nothing is padding."""

    input_ids: Tensor
    """`(1, tokens)`"""
    position_ids: Tensor
    """`(1, tokens)`: from 0 in each prefix; each pair goes on from the end of its prefix."""
    attention_mask: Tensor
    """`(1, 1, tokens, tokens)`: 0 where attention is allowed, the dtype's minimum elsewhere."""
    targets: Tensor
    """`(1, tokens)`: the token to predict AT each position, -100 where none."""
    weights: Tensor
    """`(1, tokens)`: weight of each target."""


def pack(groups: Sequence[tuple[Prefix, Sequence[Pair]]], dtype: torch.dtype, power: float = 1.0) -> Packed:
    """Pack groups of (prefix tokens, pairs).

    Args:
        groups: each with its own prefix.
        dtype: of the attention mask; the model's.
        power: a target of n tokens weighs n ** (1 - power) in all: 1 normalises each target by its own
            length (Hu et al. 2024, section 3.3), 0 counts tokens alike.
    """
    length = sum(len(prefix) + sum(len(p) + len(t) for p, t in pairs) for prefix, pairs in groups)
    ids = torch.empty(length, dtype=torch.long)
    positions = torch.empty(length, dtype=torch.long)
    targets = torch.full((length,), -100)
    weights = torch.zeros(length)
    allowed = torch.zeros((length, length), dtype=torch.bool)
    at = 0
    for prefix, pairs in groups:
        n, start = len(prefix), at
        at += n
        ids[start:at] = torch.tensor(prefix)
        positions[start:at] = torch.arange(n)
        allowed[start:at, start:at] = torch.ones(n, n, dtype=torch.bool).tril()
        for prompt, target in pairs:
            size = len(prompt) + len(target)
            ids[at : at + size] = torch.tensor([*prompt, *target])
            positions[at : at + size] = torch.arange(n, n + size)
            allowed[at : at + size, start : start + n] = True
            allowed[at : at + size, at : at + size] = torch.ones(size, size, dtype=torch.bool).tril()
            first = at + len(prompt) - 1
            targets[first : first + len(target)] = torch.tensor(target)
            weights[first : first + len(target)] = len(target) ** -power
            at += size
    mask = torch.zeros(length, length, dtype=dtype).masked_fill(~allowed, torch.finfo(dtype).min)
    return Packed(ids[None], positions[None], mask[None, None], targets[None], weights[None])


def packed_loss(hidden: Tensor, head: torch.nn.Module, batch: Packed) -> Tensor:
    """Weighted cross-entropy, averaged over the weights; the head runs at target positions only.

    Args:
        hidden: `(1, tokens, hidden)` from the language model's body.
    """
    chosen = batch.targets >= 0
    logits = head(hidden[chosen]).float()
    losses = torch.nn.functional.cross_entropy(logits, batch.targets[chosen], reduction="none")
    weights = batch.weights[chosen]
    return (losses * weights).sum() / weights.sum()
