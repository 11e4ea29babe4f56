"""Lessons behind a shared prefix have the losses and gradients of lessons apart."""

from collections.abc import Sequence

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from workbench.train.batch import Batch
from workbench.train.loss import lesson_losses, weighted_loss
from workbench.train.shared_prefix import TokenLesson, shared_rows

CAT, DOG = [5, 6, 7], [5, 6, 9]
LESSONS = [
    TokenLesson([*CAT, 8, 9], [10, 2], "cat"),
    TokenLesson([*CAT, 8, 11], [12, 13, 14, 2], "cat"),
    TokenLesson([*CAT, 15, 16, 17], [2], "cat"),
    TokenLesson([*DOG, 22], [23, 2], "dog"),
]


def small_model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    return LlamaForCausalLM(config).eval()


def weighted(lessons: Sequence[TokenLesson], power: float) -> list[TokenLesson]:
    """The same lessons, each as heavy as this power of its target's length."""
    return [
        TokenLesson(one.prompt, one.target, one.source, len(one.target) ** power) for one in lessons
    ]


def apart(model: LlamaForCausalLM, lessons: Sequence[TokenLesson]) -> torch.Tensor:
    """The weighted mean of the lessons' losses, computed one lesson at a time."""
    total, weights = torch.zeros(()), 0.0
    for lesson in lessons:
        ids = torch.tensor([[*lesson.prompt, *lesson.target]])
        logits = model(ids).logits[0, -len(lesson.target) - 1 : -1]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(lesson.target))
        total, weights = total + loss * lesson.weight, weights + lesson.weight
    return total / weights


def together(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    return weighted_loss(lesson_losses(model, batch), batch, float(batch.weights.sum()))


def gradients(model: LlamaForCausalLM, loss: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return [parameter.grad.clone() for parameter in model.parameters()]


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("cuts", [(4,), (3, 1), (1, 2, 1)])
def test_loss_and_gradient_are_those_of_the_lessons_apart(
    power: float, cuts: Sequence[int]
) -> None:
    model = small_model()
    lessons = weighted(LESSONS, power)
    rest = iter(lessons)
    batch = shared_rows([[next(rest) for _ in range(cut)] for cut in cuts], {})
    losses = together(model, batch), apart(model, lessons)
    torch.testing.assert_close(losses[0], losses[1])
    for ours, theirs in zip(*(gradients(model, loss) for loss in losses), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_lesson_does_not_see_its_neighbours() -> None:
    model = small_model()
    changed = [TokenLesson([*CAT, 30, 31], [32, 2], "cat"), *LESSONS[1:]]
    with torch.no_grad():
        losses = [
            lesson_losses(model, shared_rows([lessons], {})) for lessons in (LESSONS, changed)
        ]
    torch.testing.assert_close(losses[0][1:], losses[1][1:])
    assert losses[0][0] != losses[1][0]


def test_what_prompts_begin_with_alike_stands_once() -> None:
    alone = sum(len(one.prompt) + len(one.target) for one in LESSONS)
    assert shared_rows([LESSONS], {}).tokens == alone - 2 * len(CAT) - 1


def test_lessons_of_two_sources_share_nothing() -> None:
    first, second = (TokenLesson(CAT, [2], source) for source in ("cat", "dog"))
    assert shared_rows([[first, second]], {}).tokens == 8


def test_every_target_stands_once_and_belongs_to_its_lesson() -> None:
    batch = shared_rows([LESSONS[:3], LESSONS[3:]], {})
    counted = batch.targets >= 0
    assert batch.targets[counted].tolist() == [token for one in LESSONS for token in one.target]
    assert batch.owners[counted].tolist() == [
        at for at, one in enumerate(LESSONS) for _ in one.target
    ]
