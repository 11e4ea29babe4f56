"""Means over seeds: what the intervals hold."""

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.evaluate.statistics.over_seeds import apart, mean

PICTURES = {f"q{at:03d}": f"p{at // 3}" for at in range(150)}


def answered(dice: np.random.Generator, share: float, spread: float = 0.0) -> dict[str, float]:
    """One seed's scores: some seeds are luckier than others."""
    lucky = float(np.clip(share + spread * dice.standard_normal(), 0, 1))
    return {task: float(dice.random() < lucky) for task in PICTURES}


def test_the_mean_is_over_seeds_and_questions() -> None:
    found = mean(
        [{"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 1.0, "c": 0.0}], {"a": "p", "b": "q", "c": "q"}
    )
    assert (found.value, found.of, found.seeds) == (0.75, 2, 2)
    assert found.low <= found.value <= found.high


def test_seeds_that_differ_make_the_interval_wider() -> None:
    dice = np.random.default_rng(0)
    steady = mean([answered(dice, 0.5) for _ in range(5)], PICTURES)
    moody = mean([answered(dice, 0.5, 0.2) for _ in range(5)], PICTURES)
    assert moody.high - moody.low > 1.5 * (steady.high - steady.low)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for trial in range(60):
        dice = np.random.default_rng(trial)
        found = mean([answered(dice, 0.6, 0.05) for _ in range(5)], PICTURES, seed=trial)
        held += found.low <= 0.6 <= found.high
    assert 49 <= held <= 60, "of 60 intervals of 95 %, with five seeds a little short"


def test_what_is_the_same_is_not_apart() -> None:
    dice = np.random.default_rng(1)
    system = [answered(dice, 0.4) for _ in range(3)]
    found = apart(system, system, PICTURES)
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_large_difference_is_found_and_signed() -> None:
    dice = np.random.default_rng(2)
    better, worse = [answered(dice, 0.8) for _ in range(4)], [answered(dice, 0.4)]
    found = apart(better, worse, PICTURES)
    assert found.low > 0.2
    assert found.p < 0.01
    assert apart(worse, better, PICTURES).difference == pytest.approx(-found.difference)


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(InputError, match="no question was answered by every one of these systems"):
        apart([{"q000": 1.0}], [{"q001": 1.0}], PICTURES)
