"""What is worth doing first, and what its order saves, against sums by hand."""

from __future__ import annotations

import math
import random

import pytest

from workbench.curate.budget import (
    DRAWS,
    NextStep,
    Saving,
    agreement_table,
    bin_of,
    chance_of_a_right_one,
    prior,
    simulate,
    within,
)
from workbench.curate.predict import FEATURES


def test_the_chance_of_a_right_program_is_the_beta_binomials() -> None:
    a, b, n, c, more = 1.5, 3.0, 5, 0, 4

    def beta(x: float, y: float) -> float:
        return math.gamma(x) * math.gamma(y) / math.gamma(x + y)

    none = beta(a + c, b + n - c + more) / beta(a + c, b + n - c)
    assert chance_of_a_right_one((a, b), n, c, more) == pytest.approx(1 - none)
    assert chance_of_a_right_one((a, b), n, c, 0) == 0
    chances = [chance_of_a_right_one((a, b), n, 0, 5) for n in (0, 5, 50)]
    assert chances == sorted(chances, reverse=True)


def test_the_prior_has_the_mean_of_the_programs_and_less_weight_where_questions_differ() -> None:
    alike = prior([(10, 5)] * 40)
    apart = prior([(10, 10)] * 20 + [(10, 0)] * 20)
    for one in (alike, apart):
        assert one[0] / sum(one) == pytest.approx(0.5, abs=0.01)
    assert sum(alike) == 20
    assert sum(apart) < 1
    # after five failures a question among such that differ is nearly hopeless
    assert chance_of_a_right_one(apart, 5, 0, 5) < chance_of_a_right_one(alike, 5, 0, 5)
    assert prior([]) == (1.0, 1.0)
    assert prior([(5, 0)])[0] > 0


def test_a_budget_is_spent_on_the_best_gain_for_its_cost() -> None:
    steps = [
        NextStep("label", "dear", 0.9, 60, ""),
        NextStep("curate", "good", 0.6, 20, ""),
        NextStep("curate", "fair", 0.3, 20, ""),
        NextStep("curate", "none", 0.0, 1, ""),
    ]
    assert [one.task_id for one in within(steps, 100)] == ["good", "dear", "fair"]
    assert [one.task_id for one in within(steps, 50)] == ["good", "fair"]
    assert within(steps, 0) == []


def test_agreement_says_how_often_the_common_answer_is_right() -> None:
    assert [bin_of(x) for x in (0.2, 0.5, 0.79, 0.8, 1.0)] == [0, 1, 1, 2, 2]
    table = agreement_table([(1.0, True)] * 8 + [(0.3, False)] * 8)
    assert table == pytest.approx((1 / 10, 1 / 2, 9 / 10))


def rows(number: int, told: float, seed: int = 0) -> tuple[list[dict[str, float]], list[bool]]:
    """Decisions that one feature tells with a share of certainty; the others are noise."""
    dice = random.Random(seed)
    made, accepted = [], []
    for _ in range(number):
        yes = dice.random() < 0.3
        sign = yes if dice.random() < told else dice.random() < 0.3
        row = {name: dice.random() for name in FEATURES} | {"siblings": float(not sign)}
        made.append(row)
        accepted.append(yes)
    return made, accepted


def test_an_order_that_knows_saves_decisions_and_one_that_knows_nothing_does_not() -> None:
    known = simulate(*rows(150, 0.95))
    blind = simulate(*rows(60, 0.0))
    assert isinstance(known, Saving)
    assert isinstance(blind, Saving)
    assert known.low > 0.1
    assert known.needed < known.random
    assert known.saved == pytest.approx(1 - known.needed / known.random, abs=0.05)
    assert blind.low < 0 < blind.high
    assert (known.decisions, known.draws) == (150, DRAWS)
    assert simulate(*rows(40, 0.95)) == simulate(*rows(40, 0.95))


def test_too_few_decisions_or_one_kind_of_them_is_told() -> None:
    assert simulate(*rows(12, 0.9)) == "too few decisions yet: 12 of 30"
    made, _ = rows(40, 0.9)
    assert "nothing to tell apart" in str(simulate(made, [True] * 40))
