"""Rows that a causal model goes on with: equal to whole texts, however they fork and end."""

from random import Random

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from workbench.models.decoding import CachedOpening, opening
from workbench.models.language import LoadedLanguage
from workbench.models.llama_rows import Llama, serves

WORDS = 90
BEFORE = [5, 6, 7, 8, 9, 10, 11]
OWN = [[20], [21, 22, 23, 24], [25, 26]]


class Padding:
    pad_token_id = 0


def loaded(kind, config):
    torch.manual_seed(0)
    sizes = {
        "vocab_size": WORDS,
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 3,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "initializer_range": 0.3,
    }
    model = kind(config(**sizes)).eval().requires_grad_(False)
    return LoadedLanguage(model, Padding(), torch.device("cpu"), (), "tiny")


@pytest.fixture(scope="module")
def llama():
    return loaded(LlamaForCausalLM, LlamaConfig)


def grown(start, seed):
    """Texts and the logits behind each, after many rows have forked, gone on and ended."""
    random = Random(seed)
    texts = [BEFORE + own for own in OWN]
    rows, logits = start.begin(OWN, 9, 12)
    for _ in range(12):
        # the order is anybody's: a row may be nobody's parent, or everybody's
        parents = [random.randrange(len(texts)) for _ in range(random.randrange(1, 10))]
        tokens = [random.randrange(WORDS) for _ in parents]
        texts = [[*texts[row], token] for row, token in zip(parents, tokens, strict=True)]
        logits = rows.go_on(parents, tokens)
    return texts, logits


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("way", ["llama", "cached", "another family"])
def test_rows_that_fork_and_end_say_what_whole_texts_say(llama, way, seed):
    model = loaded(Qwen2ForCausalLM, Qwen2Config) if way == "another family" else llama
    start = CachedOpening(model, BEFORE) if way == "cached" else opening(model, BEFORE)
    texts, logits = grown(start, seed)
    whole = torch.stack([model.model(torch.tensor([text])).logits[0, -1] for text in texts])
    assert logits.shape == whole.shape
    assert torch.allclose(logits, whole, atol=1e-4)


def test_a_beginning_serves_many_times(llama):
    start = opening(llama, BEFORE)
    first, second = (start.begin(OWN, 3, 4)[1] for _ in range(2))
    assert torch.equal(first, second)


def test_whole_numbers_come_near(llama):
    quick, _ = opening(llama, BEFORE, int8=True).begin(OWN, 3, 2)
    exact, _ = opening(llama, BEFORE).begin(OWN, 3, 2)
    precise = exact.go_on([0, 1, 2], [30, 31, 32])
    error = (quick.go_on([0, 1, 2], [30, 31, 32]) - precise).std() / precise.std()
    assert 0 < float(error) < 0.2


def test_a_product_in_whole_numbers_does_not_depend_on_the_rows_beside(llama):
    torch.manual_seed(2)
    product = Llama(llama.model, "int8").layers[0].gates
    inputs = torch.randn(7, 48) * torch.logspace(-2, 2, 7)[:, None]
    alone = torch.cat([product(row[None]) for row in inputs])
    assert torch.equal(product(inputs), alone)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_a_product_in_whole_numbers_has_the_scale_of_its_row(llama, size):
    torch.manual_seed(1)
    product = Llama(llama.model, "int8").layers[0].down
    weight = llama.model.model.layers[0].mlp.down_proj.weight
    inputs = torch.randn(4, weight.shape[1]) * torch.tensor([[1.0], [10.0], [100.0], [0.0]]) * size
    exact = inputs @ weight.T
    error = (product(inputs) - exact).abs().amax(1) / exact.abs().amax(1).clamp_min(1e-9)
    assert float(error.max()) < 0.05


def test_the_quick_way_is_for_plain_llamas_in_float32(llama):
    assert serves(llama.model)
    assert not serves(loaded(Qwen2ForCausalLM, Qwen2Config).model)
    assert not serves(loaded(LlamaForCausalLM, LlamaConfig).model.to(torch.bfloat16))
    stretched = loaded(LlamaForCausalLM, LlamaConfig).model
    stretched.config.rope_parameters["rope_type"] = "llama3"
    assert not serves(stretched)
    elsewhere = opening(loaded(Qwen2ForCausalLM, Qwen2Config), BEFORE, int8=True)
    assert isinstance(elsewhere, CachedOpening)
