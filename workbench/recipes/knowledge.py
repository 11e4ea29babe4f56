"""A memory of facts between a student's eyes and its words (see the recipe `knowledge_prefix`).

It lies beside the weights, so that the checkpoint itself stays a plain one; whoever loads the
student puts it in again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

FILE = "knowledge_prefix.safetensors"


class FactMemory(nn.Module):
    """Adds to each place of a picture what it looks up; in the beginning that is nothing.

    Args:
        width: numbers of a place.
        slots: how many things can be remembered.
        keys: numbers by which they are looked up.
    """

    def __init__(self, width: int, slots: int, keys: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, keys, bias=False)
        self.keys = nn.Parameter(torch.randn(slots, keys) / keys**0.5)
        self.values = nn.Parameter(torch.zeros(slots, width))

    def forward(self, places: Tensor) -> Tensor:
        """The places, `(..., width)`, with what they look up."""
        query = self.query(nn.functional.layer_norm(places.float(), places.shape[-1:]))
        shares = (query @ self.keys.T).softmax(-1)
        richer: Tensor = places + (shares @ self.values).to(places.dtype)
        return richer

    def put_behind(self, eyes: nn.Module) -> Any:
        """Let a student see through it; returns the hook, which can be removed."""
        return eyes.register_forward_hook(lambda module, arguments, places: self(places))
