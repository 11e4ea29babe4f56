"""Transforms: what holds of every one, and few bits by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from workbench import registry
from workbench.catalogue import recipes
from workbench.errors import InputError, ProfileError
from workbench.recipes.teaching import Transform
from workbench.recipes.transform.quant_bits import QuantBits, packed_bits, quantise, restore


class Little(nn.Module):
    """Two layers and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(10, 6), nn.Linear(6, 4))
        self.head = nn.Linear(4, 9)

    def get_output_embeddings(self) -> nn.Module:
        return self.head


@pytest.mark.parametrize(
    "name", [one.card.name for one in recipes() if one.card.port == "transform"]
)
def test_a_transform_keeps_its_promise(name: str, tmp_path: Path) -> None:
    transform = registry.build("transform", name)
    assert isinstance(transform, Transform)
    model = Little()
    head = model.head.weight.clone()
    assert transform(model, tmp_path) is model
    assert torch.equal(model.head.weight, head)


def test_weights_become_whole_numbers_of_a_scale() -> None:
    weight = torch.tensor([[0.7, -0.1, 0.2], [0.0, 0.0, 0.0]], dtype=torch.float64)
    numbers, scales = quantise(weight, 4, 2)  # groups (.7, -.1), (.2, 0), and zeros
    assert scales[:2].tolist() == pytest.approx([0.1, 0.2 / 7], rel=1e-3)
    assert numbers.tolist() == [[7, -1], [7, 0], [0, 0], [0, 0]]
    back = restore(numbers, scales, weight.shape)
    assert back.flatten().tolist() == pytest.approx(weight.flatten().tolist(), abs=2e-4)
    assert float((back - weight).abs().max()) <= float(scales.max()) / 2


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_packed_numbers_can_be_read_again(bits: int) -> None:
    most = 2 ** (bits - 1) - 1
    numbers = torch.randint(-most, most + 1, (3, 7)).to(torch.int16)
    stream = packed_bits(numbers, bits)
    assert len(stream) == -(-21 * bits // 8)
    flags = np.unpackbits(stream.numpy(), bitorder="little")[: 21 * bits].reshape(21, bits)
    back = flags @ (1 << np.arange(bits)) - 2 ** (bits - 1)
    assert back.tolist() == numbers.flatten().tolist()


def test_the_error_grows_as_bits_fall_and_the_size_is_that_on_disk(tmp_path: Path) -> None:
    QuantBits(bits=5, group=4)(Little(), tmp_path)
    told = json.loads((tmp_path / "quantised.json").read_text())
    assert [one["bits"] for one in told["curve"]] == [2, 3, 4, 5, 6, 8]
    errors, sizes = ([one[key] for one in told["curve"]] for key in ("error", "bytes"))
    assert errors == sorted(errors, reverse=True)
    assert sizes == sorted(sizes)
    stored = load_file(tmp_path / "quantised.safetensors")
    held = sum(one.numel() * one.element_size() for one in stored.values())
    assert held == next(one["bytes"] for one in told["curve"] if one["bits"] == 5)
    assert told["bytes_on_disk"] >= held
    assert told["weights"] == 10 * 6 + 6 * 4


def test_32_bits_change_nothing(tmp_path: Path) -> None:
    model = Little()
    before = [layer.weight.clone() for layer in model.layers]
    QuantBits(bits=32)(model, tmp_path)
    assert all(torch.equal(one, layer.weight) for one, layer in zip(before, model.layers))
    assert json.loads((tmp_path / "quantised.json").read_text())["curve"][-1]["error"] == 0


def test_what_cannot_be_rounded_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="bits as a whole number from 2 on"):
        QuantBits(bits=1)
    with pytest.raises(ProfileError, match="2 to 32 bits, found 64"):
        QuantBits(bits=64)
    model = Little()
    model.layers = nn.Sequential()
    with pytest.raises(InputError, match="no linear layer beside its head"):
        QuantBits()(model, tmp_path)
