"""The shared formulas against a few independent lines, in float64."""

from __future__ import annotations

import math

import pytest
import torch

from workbench.recipes.maths import equal_rows, info_nce, jensen_shannon, kl, masked_mean

P, Q = [1.0, -0.5, 0.25], [0.0, 2.0, -1.0]


def softmax(logits: list[float], temperature: float = 1.0) -> list[float]:
    powers = [math.exp(value / temperature) for value in logits]
    return [value / sum(powers) for value in powers]


def divergence(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q))


def row(values: list[float]) -> torch.Tensor:
    return torch.tensor([values], dtype=torch.float64)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_kl_is_the_sum_of_p_log_p_over_q(temperature: float) -> None:
    expected = divergence(softmax(P, temperature), softmax(Q, temperature))
    assert kl(row(P), row(Q), temperature).item() == pytest.approx(expected, abs=1e-12)
    assert kl(row(P), row(P)).item() == 0


def test_equal_rows_are_equal_among_many() -> None:
    torch.manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(60, 256), dim=-1)
    assert torch.equal(equal_rows(rows, rows.clone()), torch.eye(60, dtype=torch.bool))


def test_a_class_of_probability_0_adds_nothing() -> None:
    impossible = row([0.0, -math.inf, 0.0])
    assert kl(impossible, row([0.0, 1.0, 0.0])).item() == pytest.approx(
        math.log(0.5 * (2 + math.e)), abs=1e-12
    )


@pytest.mark.parametrize("beta", [0.25, 0.5])
def test_jensen_shannon_mixes_teacher_and_student(beta: float) -> None:
    t, s = softmax(P), softmax(Q)
    mixture = [beta * a + (1 - beta) * b for a, b in zip(t, s)]
    expected = beta * divergence(t, mixture) + (1 - beta) * divergence(s, mixture)
    assert jensen_shannon(row(P), row(Q), beta).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_jensen_shannon_is_0_at_both_ends(beta: float) -> None:
    assert jensen_shannon(row(P), row(Q), beta).item() == pytest.approx(0, abs=1e-12)


def test_info_nce_is_the_cross_entropy_of_the_own_key() -> None:
    queries = torch.tensor([[2.0, 0.0], [0.0, 0.5]], dtype=torch.float64)
    keys = torch.tensor([[3.0, 4.0], [0.0, 1.0]], dtype=torch.float64)
    # cosines by hand: (0.6, 0) and (0.8, 1)
    expected = [-math.log(softmax([0.6, 0.0], 0.5)[0]), -math.log(softmax([0.8, 1.0], 0.5)[1])]
    assert info_nce(queries, keys, 0.5).tolist() == pytest.approx(expected, abs=1e-12)


def test_a_masked_mean_leaves_out_even_infinite_values_and_is_0_over_nothing() -> None:
    values = torch.tensor([1.0, math.inf, 4.0], dtype=torch.float64, requires_grad=True)
    mean = masked_mean(values, torch.tensor([True, False, True]))
    mean.backward()
    assert mean.item() == 2.5
    assert values.grad is not None
    assert values.grad.tolist() == [0.5, 0.0, 0.5]
    assert masked_mean(values, torch.zeros(3, dtype=torch.bool)).item() == 0
