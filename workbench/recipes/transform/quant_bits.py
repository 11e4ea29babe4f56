"""Fewer bits: the finished student with each weight of its linear layers rounded to a few bits.

In each group of neighbouring weights of a row the largest sets the scale; every weight becomes a
whole number of at most `bits` bits times that scale.  The student that is left behind computes with
the rounded weights, so that it is measured like any other.  Beside it stand the whole numbers
themselves, packed, whose size on disk is what a runtime for few bits would read, and the error and
the size for other numbers of bits.

    q = round(w / scale),  scale = max |w| of the group / (2^(bits - 1) - 1)
    w' = q * scale;  from 16 bits on w' = w
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from workbench.errors import InputError, ProfileError
from workbench.recipes.arguments import whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import linear_layers
from workbench.records import PartRef

CARD = Card(
    name="quant_bits",
    port="transform",
    paper="Bit-level scaling of quantised models with TopKLD",
    year=2025,
    grade="B",
    level="V2",
    provenance="R",
    link="https://arxiv.org/abs/2501.06218",
    idea="Round the finished student's weights to a few bits, and see what size and error that "
    "gives.",
    formula="q = round(w / scale), scale = max|w| of a group / (2^(bits - 1) - 1), w' = q scale",
    command="vpd train --set transform.part=quant_bits --set transform.bits=4",
    expect="quantised.json in the student: bytes and relative error for 2, 3, 4, 6 and 8 bits and "
    "for the chosen one; the error about doubles with each bit less.  What it does to accuracy is "
    "what vpd evaluate says of the student.",
    defaults={"bits": 4, "group": 64},
    sources={"bits": "ours", "group": "ours"},
    traps=(
        "Size that is computed from bits alone leaves the scales out: here the packed file is "
        "measured on disk.",
    ),
    not_reproduced=(
        "The training that recovers quality with TopKLD: which half of it is the forward "
        "divergence "
        "was not found, and rounded weights are not trained further here.",
        "Activations keep their precision, and the head and the embeddings their bits.",
    ),
)
CURVE = (2, 3, 4, 6, 8)
"""Numbers of bits of which size and error are told."""
WHOLE = 16
"""From so many bits on the weights stay as they are: the checkpoint has no more."""


class QuantBits:
    """Rounds the weights of linear layers.

    Args:
        bits: of each weight, from 2; from 16 on nothing is rounded.
        group: neighbouring weights of a row that share a scale.
    """

    def __init__(self, bits: int = 4, group: int = 64) -> None:
        whole_numbers("quant_bits", 2, bits=bits)
        whole_numbers("quant_bits", 1, group=group)
        if bits > 32:
            raise ProfileError(f"quant_bits takes 2 to 32 bits, found {bits}")
        self._bits, self._group = bits, group
        arguments = {"bits": bits, "group": group}
        self.ref = PartRef("transform", "quant_bits", arguments=arguments)

    @torch.no_grad()
    def __call__(self, model: Any, folder: Path) -> Any:
        """The student with rounded weights.

        Args:
            model: a finished student, adapters merged.
            folder: of its checkpoint; `quantised.safetensors` and `quantised.json` go there.

        Raises:
            InputError: it has no linear layer beside its head.
        """
        layers = dict(linear_layers(model))
        if not layers:
            raise InputError(
                "the student has no linear layer beside its head, so there is nothing to round; "
                "take the transform out of the job"
            )
        curve = [
            {"bits": bits, **self._figures(layers, bits)} for bits in sorted({*CURVE, self._bits})
        ]
        tensors = {}
        for name, layer in layers.items():
            if self._bits < WHOLE:
                numbers, scales = quantise(layer.weight, self._bits, self._group)
                tensors[f"{name}.packed"] = packed_bits(numbers, self._bits)
                tensors[f"{name}.scales"] = scales.half()
                layer.weight.copy_(restore(numbers, scales, layer.weight.shape))
            else:
                tensors[f"{name}.weight"] = layer.weight.half().contiguous()
        file = folder / "quantised.safetensors"
        save_file(tensors, file)
        figures = {
            "bits": self._bits,
            "group": self._group,
            "layers": len(layers),
            "weights": sum(layer.weight.numel() for layer in layers.values()),
            "bytes_on_disk": file.stat().st_size,
            "curve": curve,
        }
        (folder / "quantised.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        return model

    def _figures(self, layers: dict[str, nn.Linear], bits: int) -> dict[str, float]:
        """Bytes of packed weights and scales, and the relative error, for a number of bits."""
        size, wrong, total = 0, 0.0, 0.0
        for layer in layers.values():
            weight = layer.weight.double()
            if bits >= WHOLE:
                size += 2 * weight.numel()
                continue
            numbers, scales = quantise(layer.weight, bits, self._group)
            size += -(-numbers.numel() * bits // 8) + 2 * scales.numel()
            wrong += float((restore(numbers, scales, weight.shape) - weight).square().sum())
            total += float(weight.square().sum())
        return {"bytes": size, "error": round((wrong / max(total, 1e-30)) ** 0.5, 6)}


def quantise(weight: Tensor, bits: int, group: int) -> tuple[Tensor, Tensor]:
    """The whole numbers of a matrix, `(groups, group)` int16, and the scale of each group.

    The last group of a row is filled with zeros.

    Args:
        weight: `(rows, columns)`.
        bits: of each number.
        group: weights that share a scale.
    """
    columns = weight.shape[1]
    size = min(group, columns)
    padding = -columns % size
    wide = nn.functional.pad(weight.double(), (0, padding)).reshape(-1, size)
    most = 2 ** (bits - 1) - 1
    scales = wide.abs().max(1).values / most
    # the scale as it is stored, so that what is packed is what the student computes with
    scales = scales.half().double()
    numbers = (wide / scales.clamp(min=1e-30)[:, None]).round().clamp(-most, most)
    return numbers.to(torch.int16), scales


def restore(numbers: Tensor, scales: Tensor, shape: torch.Size) -> Tensor:
    """The matrix of some whole numbers, float64.

    Args:
        numbers: `(groups, group)`.
        scales: `(groups,)`.
        shape: of the matrix.
    """
    rows, columns = shape
    return (numbers.double() * scales[:, None]).reshape(rows, -1)[:, :columns]


def packed_bits(numbers: Tensor, bits: int) -> Tensor:
    """Whole numbers side by side in bytes, the lowest bit first, uint8.

    Args:
        numbers: of at most `bits` bits with their sign.
        bits: of each.
    """
    flat = (numbers.flatten().long() + 2 ** (bits - 1)).unsqueeze(1)
    each = (flat >> torch.arange(bits)) & 1
    stream = nn.functional.pad(each.flatten(), (0, -each.numel() % 8)).reshape(-1, 8)
    return (stream << torch.arange(8)).sum(1).to(torch.uint8)
