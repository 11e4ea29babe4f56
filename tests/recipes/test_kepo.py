"""KEPO's advantages, gate and hints, against numbers by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from workbench.errors import ProfileError
from workbench.recipes.policy.kepo import ANSWER, GATED, Kepo, advantages
from workbench.recipes.teaching import LANGUAGE, Objective, Outputs, Policy, Targets
from workbench.records import Lesson

QUESTION = Lesson("label", "How many?", "2", example="a")


def test_an_advantage_is_in_units_of_the_unbiased_spread() -> None:
    # mean 1/4, unbiased variance (9 + 1 + 1 + 1) / 16 / 3 = 1/4
    assert advantages([1, 0, 0, 0]) == pytest.approx([0.75 / 0.5001] + [-0.25 / 0.5001] * 3)
    assert advantages([1, 1]) == [0, 0]


def test_a_group_teaches_by_advantage_and_by_the_teacher_where_it_is_right() -> None:
    policy = Kepo(answers=4)
    assert isinstance(policy, Policy)
    assert isinstance(policy, Objective)
    texts, rewards = ["2", "3", "two", "4"], [1.0, 0.0, 1.0, 0.5]
    lessons = policy.lessons(QUESTION, texts, rewards)
    assert [one.name for one in lessons] == [ANSWER] * 4 + [GATED] * 4
    assert [one.target for one in lessons] == texts * 2
    assert {(one.prompt, one.example) for one in lessons} == {("How many?", "a")}
    by_hand = [value / 4 for value in advantages(rewards)]
    assert [one.weight for one in lessons[:4]] == pytest.approx(by_hand)
    assert [one.weight for one in lessons[4:]] == [0.5, 0, 0.5, 0], (
        "below tau the teacher is silent"
    )
    assert [one.weight for one in policy.lessons(QUESTION, texts, [0.0] * 4)] == [0] * 8


def test_only_a_group_without_a_right_answer_wants_a_hint() -> None:
    policy = Kepo(answers=4)
    assert policy.wants_hint([0, 0, 0, 0])
    assert not policy.wants_hint([0, 0, 0.3, 0])
    assert not Kepo(answers=4, hinted=0).wants_hint([0, 0, 0, 0])
    assert policy.replaced([1, 1, 1, 1]) == 2
    assert policy.replaced([1, 1, 0, 1]) == 0, "a hint with which an answer is wrong is none"


def batch() -> tuple[Outputs, Outputs, Targets]:
    dice = torch.Generator().manual_seed(0)
    student, teacher = (
        torch.randn(4, 7, generator=dice, dtype=torch.float64).requires_grad_() for _ in range(2)
    )
    owners = torch.tensor([0, 0, 1, 1])
    places = torch.stack([owners, torch.tensor([0, 1, 0, 1])], 1)
    mask = torch.ones(2, 3, dtype=torch.bool)
    targets = Targets(
        torch.tensor([1, 2, 1, 2]),
        owners,
        [replace(QUESTION, name=ANSWER), replace(QUESTION, name=GATED)],
        ["x", "x"],
        torch.zeros(2, dtype=torch.bool),
    )
    outputs = Outputs(student, places, mask, ~mask)
    return outputs, replace(outputs, logits=teacher.detach()), targets


def test_the_terms_by_hand() -> None:
    student, teacher, targets = batch()
    terms = Kepo(beta=0.25)(student, teacher, targets)
    total = 0.0
    for at in (2, 3):
        t, s = teacher.logits[at].softmax(-1), student.logits[at].softmax(-1)
        m = 0.25 * t + 0.75 * s
        total += float((0.25 * t * (t / m).log() + 0.75 * s * (s / m).log()).sum())
    nats = [-math.log(student.logits[at].softmax(-1)[at + 1].item()) for at in (0, 1)]
    assert terms["distil"].tolist() == pytest.approx([0, total / 2], abs=1e-12)
    assert terms[LANGUAGE].tolist() == pytest.approx([sum(nats) / 2, 0], abs=1e-12)
    same = Kepo()(student, replace(student, logits=student.logits.detach()), targets)
    assert same["distil"].tolist() == pytest.approx([0, 0], abs=1e-12)


def test_an_empty_gate_is_0_and_not_nan() -> None:
    student, teacher, targets = batch()
    terms = Kepo()(student, teacher, targets)
    weights = torch.tensor([0.0, 0.0], dtype=torch.float64)
    (sum(terms.values()) * weights).sum().backward()  # type: ignore[union-attr]
    assert student.logits.grad is not None
    assert student.logits.grad.abs().sum() == 0


@pytest.mark.parametrize("wrong", [{"answers": 1}, {"temperature": 0}, {"beta": 1}, {"hinted": 9}])
def test_wrong_settings_are_told(wrong: dict[str, float]) -> None:
    with pytest.raises(ProfileError, match="kepo takes 2 answers or more"):
        Kepo(**wrong)  # type: ignore[arg-type]
