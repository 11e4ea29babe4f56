"""A student with two heads: its answers are a mixture of both (see the recipe `dual_head`).

The second head lies beside the weights, so that the checkpoint itself stays a plain one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

WEIGHTS, SETTINGS = "second_head.safetensors", "second_head.json"


class MixedHead(nn.Module):
    """Gives the logarithm of share softmax(first) + (1 - share) softmax(second / temperature).

    Args:
        first: the model's own head.
        second: `(V, W)`: weights of the other one.
        share: of the first head.
        temperature: divides the second head's logits.
    """

    def __init__(self, first: nn.Module, second: Tensor, share: float, temperature: float) -> None:
        super().__init__()
        self.first, self.share, self.temperature = first, share, temperature
        self.register_buffer("second", second)
        self.second: Tensor

    @property
    def weight(self) -> Tensor:
        """The weights of the first head, as whoever asks for the model's head expects them."""
        weight: Tensor = self.first.weight  # type: ignore[assignment]
        return weight

    def forward(self, states: Tensor) -> Tensor:
        """Log-probabilities of the mixture, in place of logits."""
        first = self.first(states).float().softmax(-1)
        second = nn.functional.linear(states, self.second.to(states.dtype)).float()
        mix = self.share * first + (1 - self.share) * (second / self.temperature).softmax(-1)
        logs: Tensor = mix.clamp(min=torch.finfo(mix.dtype).tiny).log()
        return logs


def with_second_head(model: Any, checkpoint: str) -> Any:
    """The model, with the mixture as its head where its folder has a second one.

    Args:
        model: as it was loaded.
        checkpoint: its folder, or its hub id.
    """
    folder = Path(checkpoint)
    if not (folder / WEIGHTS).is_file():
        return model
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    second = load_file(folder / WEIGHTS)["weight"].to(model.device)
    own = model.get_output_embeddings()
    share, temperature = float(settings["share"]), float(settings["temperature"])
    model.set_output_embeddings(MixedHead(own, second, share, temperature))
    return model
