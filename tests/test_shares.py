"""Shares, their intervals, and the best of k."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.shares import Share, best_of, pass_at_k, wilson


@given(
    st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))
)
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_one(case: tuple[int, int, int]) -> None:
    n, c, k = case
    draws = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_k_refuses_more_draws_than_samples() -> None:
    with pytest.raises(ValueError, match="1 <= k <= n"):
        pass_at_k(3, 1, 5)


def test_of_many_samples_pass_at_k_stays_a_chance() -> None:
    assert pass_at_k(3000, 3000, 1500) == 1.0
    assert pass_at_k(3000, 1, 1500) == pytest.approx(0.5)


@given(st.lists(st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0]), min_size=1, max_size=7), st.data())
def test_the_best_of_k_is_the_mean_over_all_draws(scores: list[float], data: st.DataObject) -> None:
    draws = list(combinations(scores, data.draw(st.integers(1, len(scores)))))
    assert best_of(scores, len(draws[0])) == pytest.approx(sum(map(max, draws)) / len(draws))


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="1 <= k <= 2 samples, found k=3"):
        best_of([1.0, 0.0], 3)


def test_a_share_of_nothing_is_not_zero() -> None:
    assert Share(0, 0).value is None
    assert str(Share(0, 0)) == "- (of 0)"


def test_a_share_prints_its_denominator_and_interval() -> None:
    assert str(Share(50, 100)) == "50.0 % of 100 (40.4 to 59.6)"


def test_wilson_matches_published_values() -> None:
    # Newcombe 1998, table I, method 3: 81/263 and 0/20
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_wilson_refuses_more_hits_than_cases() -> None:
    with pytest.raises(ValueError, match="found 3 of 2"):
        wilson(3, 2)


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n))))
def test_wilson_holds_the_share_and_stays_in_bounds(case: tuple[float, int]) -> None:
    low, high = wilson(*case)
    assert 0.0 <= low <= high <= 1.0
    if case[1]:
        assert low <= case[0] / case[1] <= high
