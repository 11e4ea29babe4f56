"""Transforms: what holds of every one, and few bits by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from workbench import registry
from workbench.catalogue import recipes
from workbench.errors import InputError, ProfileError
from workbench.recipes.knowledge import FactMemory
from workbench.recipes.teaching import Transform
from workbench.recipes.transform.domain_adapter import DomainAdapter, LowRank
from workbench.recipes.transform.knowledge_prefix import KnowledgePrefix
from workbench.recipes.transform.quant_bits import QuantBits, packed_bits, quantise, restore
from workbench.recipes.workshop import LearnsFromLessons, Row, TaughtExample, Workshop, in_turn
from workbench.records import Lesson


class Little(nn.Module):
    """Two layers and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(10, 6), nn.Linear(6, 4))
        self.head = nn.Linear(4, 9)

    device = torch.device("cpu")

    def get_output_embeddings(self) -> nn.Module:
        return self.head

    def get_input_embeddings(self) -> nn.Module:
        return nn.Embedding(9, 6)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(seen))  # type: ignore[no-any-return]


def seen_in(image: str) -> torch.Tensor:
    return torch.randn(10, generator=torch.Generator().manual_seed(int(image)))


def nats(model: Any, rows: Sequence[Row]) -> torch.Tensor:
    said = torch.stack([model(seen_in(image)) for image, _ in rows])
    wanted = torch.tensor([int(lesson.target) for _, lesson in rows])
    return nn.functional.cross_entropy(said, wanted, reduction="none")


def right(model: Any, rows: Sequence[Row]) -> list[float]:
    said = [int(model(seen_in(image)).argmax()) for image, _ in rows]
    return [float(str(one) == lesson.target) for one, (_, lesson) in zip(said, rows)]


def taught(at: int) -> TaughtExample:
    lesson = Lesson("label", "Which?", str(at % 3))
    source = "near" if at % 2 else "far"
    return TaughtExample(str(at), source, "which", at == 0, frozenset({"dog"}), (lesson,))


def shop(folder: Path) -> Workshop:
    (folder / "facts.tsv").write_text("dog\tHow much?\t4\ncat\tHow much?\t5\n")
    training, held_out = [taught(at) for at in range(8)], [taught(at) for at in range(8, 12)]
    eyes = lambda model: model.layers[0]  # noqa: E731
    return Workshop(training, held_out, nats, right, eyes, lambda _: folder / "facts.tsv", 0)


@pytest.mark.parametrize(
    "name", [one.card.name for one in recipes() if one.card.port == "transform"]
)
def test_a_transform_keeps_its_promise(name: str, tmp_path: Path) -> None:
    transform = registry.build("transform", name)
    assert isinstance(transform, Transform)
    model = Little()
    head = model.head.weight.clone()
    if isinstance(transform, LearnsFromLessons):
        with pytest.raises(InputError, match="nothing lent them; use it as the transform of vpd"):
            transform(model, tmp_path)
        transform.enter(shop(tmp_path))
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


# domain_adapter


def test_a_product_of_thin_matrices_begins_as_nothing() -> None:
    weight = torch.randn(3, 5)
    thin = LowRank(weight, 2, torch.Generator().manual_seed(0))
    assert torch.equal(thin(weight), weight)
    with torch.no_grad():
        thin.a.copy_(torch.tensor([[1.0, 0, 0, 0, 2.0], [0, 1.0, 0, 0, 0]]))
        thin.b.copy_(torch.tensor([[1.0, 0], [0, 3.0], [2.0, 1.0]]))
    added = [[1.0, 0, 0, 0, 2], [0, 3, 0, 0, 0], [2, 1, 0, 0, 4]]
    torch.testing.assert_close(thin(weight) - weight, torch.tensor(added))


def test_an_adapter_learns_its_domain_and_tells_the_price(tmp_path: Path) -> None:
    transform = DomainAdapter(domain="near", samples=3, steps=150, rate=0.05, most=2)
    transform.enter(shop(tmp_path))
    model = Little()
    bias = model.layers[0].bias.clone()
    transform(model, tmp_path)
    told = json.loads((tmp_path / "domain_adapter.json").read_text())
    assert told["samples"] == told["lessons"] == 3
    assert told["parameters"] == 2 * (10 + 6) + 2 * (6 + 4)
    assert {side: told["after"][side]["of"] for side in ("domain", "general")} == {
        "domain": 2,
        "general": 2,
    }
    rows = [row for at in (1, 3, 5) for row in taught(at).rows]
    assert sum(right(model, rows)) == 3, "what it was taught"
    assert torch.equal(model.layers[0].bias, bias), "nothing else moved"
    assert not any(hasattr(layer, "parametrizations") for layer in model.layers)


def test_no_step_changes_nothing_much_and_a_domain_that_is_absent_is_told(tmp_path: Path) -> None:
    absent = DomainAdapter(domain="sea")
    with pytest.raises(InputError, match="no training example is of the domain 'sea'; there are: "):
        absent.enter(shop(tmp_path))
    person = DomainAdapter()
    person.enter(shop(tmp_path))
    person(Little(), tmp_path)
    assert json.loads((tmp_path / "domain_adapter.json").read_text())["samples"] == 1
    with pytest.raises(ProfileError, match="samples as a whole number from 1 on"):
        DomainAdapter(samples=0)
    with pytest.raises(ProfileError, match="the name of a domain"):
        DomainAdapter(domain="")


def test_every_number_comes_once_before_any_comes_again() -> None:
    order = in_turn(4, 3)
    rounds = [[next(order) for _ in range(4)] for _ in range(3)]
    assert [sorted(one) for one in rounds] == [[0, 1, 2, 3]] * 3
    again = in_turn(4, 3)
    assert [next(again) for _ in range(4)] == rounds[0]


# knowledge_prefix


def test_a_place_takes_what_it_looks_up() -> None:
    memory = FactMemory(2, 3, 2)
    places = torch.tensor([[3.0, 1.0], [0.0, 4.0]])
    torch.testing.assert_close(memory(places), places)
    with torch.no_grad():
        memory.query.weight.copy_(torch.eye(2))
        memory.keys.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
        memory.values.copy_(torch.tensor([[10.0, 0.0], [0.0, 10.0], [0.0, 0.0]]))
    # normalised, the places are (1, -1) and (-1, 1): scores 1, -1, 0 and -1, 1, 0
    powers = [2.718281828459045, 1 / 2.718281828459045, 1.0]
    first, second = (10 * power / sum(powers) for power in powers[:2])
    expected = [[3 + first, 1 + second], [second, 4 + first]]
    torch.testing.assert_close(memory(places), torch.tensor(expected), atol=1e-4, rtol=1e-5)


def test_facts_move_the_memory_alone(tmp_path: Path) -> None:
    transform = KnowledgePrefix(steps=80, rate=0.1, slots=4, keys=3, pictures=2)
    transform.enter(shop(tmp_path))
    model = Little()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    transform(model, tmp_path)
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    told = json.loads((tmp_path / "knowledge.json").read_text())
    assert (told["facts"], told["pictures"]) == (1, 2)
    learnt = told["after"]["learnt"]
    assert (learnt["right"], learnt["of"], learnt["share"]) == (2, 2, 1.0)
    assert learnt["nats"] < told["before"]["learnt"]["nats"] / 2
    assert told["left_out"][0]["thing"] == "cat"
    model.layers[0](torch.zeros(10))  # no hook is left
    assert not model.layers[0]._forward_hooks
