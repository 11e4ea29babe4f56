"""Packing several pairs behind a shared prefix changes nothing but the cost."""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from workbench.embedded.packing import pack, packed_loss

GROUPS = [
    ([5, 6, 7], [([8, 9], [10, 2]), ([11], [12, 13, 14, 2]), ([15, 16, 17], [2])]),
    ([20, 21], [([22], [23, 2])]),
]


def small_model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=40,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
    ).eval()


def one_at_a_time(model: LlamaForCausalLM, power: float) -> torch.Tensor:
    total, weights = torch.zeros(()), 0.0
    for prefix, pairs in GROUPS:
        for prompt, target in pairs:
            ids = torch.tensor([[*prefix, *prompt, *target]])
            logits = model(ids).logits[0, -len(target) - 1 : -1]
            losses = torch.nn.functional.cross_entropy(logits, torch.tensor(target), reduction="sum")
            weight = len(target) ** -power
            total, weights = total + losses * weight, weights + weight * len(target)
    return total / weights


def test_packed_loss_equals_the_pairs_one_at_a_time() -> None:
    model = small_model()
    for power in (0.0, 0.5, 1.0):
        batch = pack(GROUPS, torch.float32, power)
        hidden = model.model(
            inputs_embeds=model.model.embed_tokens(batch.input_ids),
            attention_mask=batch.attention_mask,
            position_ids=batch.position_ids,
            use_cache=False,
        ).last_hidden_state
        torch.testing.assert_close(packed_loss(hidden, model.lm_head, batch), one_at_a_time(model, power))


def test_a_pair_does_not_see_its_neighbours() -> None:
    model = small_model()
    changed = [(GROUPS[0][0], [([30, 31], [32, 2]), *GROUPS[0][1][1:]]), GROUPS[1]]
    losses = []
    for groups in (GROUPS, changed):
        batch = pack(groups, torch.float32)
        hidden = model.model(
            inputs_embeds=model.model.embed_tokens(batch.input_ids),
            attention_mask=batch.attention_mask,
            position_ids=batch.position_ids,
            use_cache=False,
        ).last_hidden_state
        losses.append(hidden[0, 7:])
    torch.testing.assert_close(losses[0], losses[1])


def test_every_target_is_predicted_once() -> None:
    batch = pack(GROUPS, torch.float32)
    wanted = [token for _, pairs in GROUPS for _, target in pairs for token in target]
    assert batch.targets[batch.targets >= 0].tolist() == wanted
    assert float(batch.weights.sum()) == 4.0
