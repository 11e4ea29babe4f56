"""Intervals and tests against known values, and by simulation: do 95 % intervals hold the truth
that often?
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from workbench.evaluate.statistics import comparisons
from workbench.evaluate.statistics.comparisons import (
    auc_interval,
    compare_systems,
    holm,
    mcnemar,
    mean_interval,
)


def named(values: object) -> dict[str, float]:
    return {f"q{i:04d}": float(value) for i, value in enumerate(np.asarray(values).ravel())}


def pictures(n: int, each: int) -> dict[str, str]:
    return {f"q{i:04d}": f"picture {i // each}" for i in range(n)}


def test_right_and_wrong_of_independent_questions_gives_wilsons_interval() -> None:
    found = mean_interval(named([1] * 8 + [0] * 2))
    assert found is not None
    assert (found.method, found.value, found.n, found.clusters) == ("wilson", 0.8, 10, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_soft_scores_are_drawn_again() -> None:
    scores = np.random.default_rng(1).choice([0, 0.3, 0.6, 0.9, 1], 400)
    found = mean_interval(named(scores))
    assert found is not None
    half = 1.96 * scores.std(ddof=1) / 20
    assert (found.low, found.high) == pytest.approx(
        (scores.mean() - half, scores.mean() + half), abs=0.006
    )
    assert found.method == "bootstrap"


def test_pictures_that_are_right_or_wrong_as_a_whole_are_few() -> None:
    whole = np.repeat(np.arange(40) % 2, 10)
    alone, shared = mean_interval(named(whole)), mean_interval(named(whole), pictures(400, 10))
    assert alone is not None
    assert shared is not None
    assert shared.clusters == 40
    # A picture's ten questions say no more than one: the interval is as wide as of 40, sqrt(10)
    # times that of 400.
    assert (shared.high - shared.low) / (alone.high - alone.low) == pytest.approx(10**0.5, rel=0.1)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_equal_scores_do_not_give_an_interval_of_no_width(value: float) -> None:
    found = mean_interval(named([value] * 30), pictures(30, 3))
    assert found is not None
    assert found.high - found.low > 0.2  # ten pictures


def test_one_picture_tells_little() -> None:
    found = mean_interval(named([1, 0, 1, 1]), pictures(4, 4))
    assert found is not None
    assert found.high - found.low > 0.7


def test_nothing_counted_has_no_interval() -> None:
    assert mean_interval({}) is None
    assert compare_systems({"a": 1.0}, {"b": 1.0}) is None


def test_intervals_do_not_depend_on_order_and_follow_the_seed() -> None:
    scores = named(np.random.default_rng(2).random(60))
    turned = dict(reversed(scores.items()))
    assert mean_interval(scores, pictures(60, 3)) == mean_interval(turned, pictures(60, 3))
    assert mean_interval(scores, pictures(60, 3)) != mean_interval(scores, pictures(60, 3), seed=1)


def shared_difficulty(rng: np.random.Generator, of: int, each: int) -> np.ndarray:
    """Right or wrong with mean one half, where half of the pictures are hard and half easy."""
    chance = rng.choice([0.2, 0.8], of).repeat(each)
    return (rng.random(of * each) < chance).astype(float)


def test_intervals_over_pictures_hold_the_truth_as_often_as_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comparisons, "RESAMPLES", 200)
    rng = np.random.default_rng(3)
    clustered = alone = 0
    for seed in range(150):
        scores = named(shared_difficulty(rng, 60, 5))
        over, without = mean_interval(scores, pictures(300, 5), seed), mean_interval(scores)
        assert over is not None
        assert without is not None
        clustered += over.low <= 0.5 <= over.high
        alone += without.low <= 0.5 <= without.high
    assert 0.9 < clustered / 150 < 0.99
    assert alone / 150 < 0.88  # what leaving the pictures out would cost


def test_intervals_of_a_difference_hold_the_truth_as_often_as_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comparisons, "RESAMPLES", 200)
    monkeypatch.setattr(comparisons, "PERMUTATIONS", 9)
    rng = np.random.default_rng(8)
    held = 0
    for seed in range(150):
        hard = rng.choice([0.2, 0.7], 60).repeat(3)
        a, b = named(rng.random(180) < hard + 0.1), named(rng.random(180) < hard)
        found = compare_systems(a, b, pictures(180, 3), seed)
        assert found is not None
        held += found.low <= 0.1 <= found.high
    assert 0.89 < held / 150 < 0.99


def test_intervals_of_the_area_hold_the_truth_as_often_as_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comparisons, "RESAMPLES", 200)
    rng = np.random.default_rng(4)
    truth = 0.76025  # two normal distributions one standard deviation apart: Phi(1 / sqrt(2))
    held = 0
    for seed in range(100):
        labels = {name: bool(value) for name, value in named(np.arange(120) % 2).items()}
        chances = {name: rng.normal() + label for name, label in labels.items()}
        found = auc_interval(labels, chances, seed=seed)
        assert found is not None
        held += found.low <= truth <= found.high
    assert 0.87 < held / 100 < 0.99


def test_the_area_of_a_draw_is_sklearns_with_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "RESAMPLES", 50)
    rng = np.random.default_rng(6)
    labels = {name: value > 0.6 for name, value in named(rng.random(40)).items()}
    chances = named(rng.integers(0, 6, 40) / 5)  # many ties
    found = auc_interval(labels, chances, pictures(40, 4), seed=7)
    draws = np.random.default_rng(7).integers(0, 10, (50, 10))  # as scipy draws them
    truth, chance = list(labels.values()), list(chances.values())
    areas = [
        roc_auc_score(truth, chance, sample_weight=np.bincount(drawn, minlength=10).repeat(4))
        for drawn in draws
    ]
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])))


def test_area_of_perfect_order_and_of_one_label() -> None:
    labels = {"a": True, "b": False, "c": True, "d": False}
    found = auc_interval(labels, {"a": 0.9, "b": 0.1, "c": 0.8, "d": 0.2})
    assert found is not None
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert auc_interval({"a": True}, {"a": 0.9}) is None


@pytest.mark.parametrize(
    ("first", "second", "p"), [(10, 2, 0.0385742), (5, 5, 1.0), (0, 6, 0.03125), (1, 0, 1.0)]
)
def test_mcnemar_is_the_exact_binomial(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p, abs=1e-6)


def test_mcnemar_needs_a_question_that_tells_the_two_apart() -> None:
    assert mcnemar(0, 0) is None


def test_two_systems_on_independent_questions() -> None:
    a, b = (
        named([1] * 60 + [1] * 10 + [0] * 2 + [0] * 28),
        named([1] * 60 + [0] * 10 + [1] * 2 + [0] * 28),
    )
    found = compare_systems(a, {**b, "extra": 1.0})
    assert found is not None
    assert (found.difference, found.n, found.only_a, found.only_b) == (
        pytest.approx(0.08),
        100,
        10,
        2,
    )
    assert (found.test, found.p, found.mcnemar) == (
        "mcnemar",
        pytest.approx(0.0385742, abs=1e-6),
        found.p,
    )
    assert 0 < found.low < 0.08 < found.high < 0.16


def test_two_systems_that_say_the_same_do_not_differ() -> None:
    found = compare_systems(named([1, 0, 1]), named([1, 0, 1]))
    assert found is not None
    assert (found.difference, found.p, found.mcnemar) == (0.0, 1.0, None)


def test_whole_pictures_change_sides() -> None:
    # Two pictures of six questions each: McNemar sees twelve, but a coin per picture gives p = 1/2.
    found = compare_systems(named([1] * 12), named([0] * 12), pictures(12, 6))
    assert found is not None
    assert (found.test, found.p) == ("permutation", 0.5)
    assert found.mcnemar == pytest.approx(2 * 0.5**12)


def test_soft_scores_change_signs() -> None:
    # All 2^5 signs: the observed sum is the largest, its mirror the smallest.
    found = compare_systems(named([0.9, 0.6, 1, 0.3, 0.6]), named([0.3, 0.3, 0.6, 0, 0]))
    assert found is not None
    assert (found.test, found.p, found.mcnemar) == ("permutation", pytest.approx(2 / 32), None)


def test_the_permutation_test_is_right_about_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "PERMUTATIONS", 199)
    monkeypatch.setattr(comparisons, "RESAMPLES", 20)
    rng = np.random.default_rng(5)
    false = sum(
        found.p <= 0.05
        for seed in range(300)
        if (
            found := compare_systems(
                named(rng.random(90)), named(rng.random(90)), pictures(90, 3), seed
            )
        )
    )
    assert 4 <= false <= 27  # 15 of 300 expected


def test_holm_on_an_example_by_hand() -> None:
    # Sorted: .01 x 4, .02 x 3, .03 x 2, .04 x 1, and never below the one before.
    adjusted = holm({"a": 0.04, "b": 0.01, "c": 0.03, "d": 0.02, "none": None})
    assert adjusted == {"a": 0.06, "b": 0.04, "c": 0.06, "d": 0.06, "none": None}
    assert list(adjusted) == ["a", "b", "c", "d", "none"]


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p(ps: dict[str, float]) -> None:
    adjusted = holm(ps)
    assert all(
        ps[name] <= (value or 0.0) <= 1 or value == ps[name] for name, value in adjusted.items()
    )
    ordered = [adjusted[name] or 0.0 for name in sorted(ps, key=lambda name: ps[name])]
    assert ordered == sorted(ordered)


def test_one_picture_that_differs_says_nothing() -> None:
    a = {str(at): float(at < 3) for at in range(6)}
    found = compare_systems(a, dict.fromkeys(a, 0.0), {at: str(int(at) // 3) for at in a})
    assert found is not None
    assert (found.difference, found.p, found.test) == (0.5, 1.0, "permutation")
