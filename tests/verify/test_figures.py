"""pass@k, yield and their intervals."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.records import PartRef, Verdict
from workbench.verify.figures import Share, by_family, figures, pass_at_k, wilson


def verdicts(task: str, pattern: str, method: str = "gold") -> list[Verdict]:
    """`+` a right program, `-` a wrong one; the first right one is chosen."""
    first = pattern.find("+")
    return [
        Verdict(
            f"{task}{i}", f"r{i}", f"p{i}", task, float(c == "+"), c == "+", i == first, method, "", PartRef("v", "x")
        )
        for i, c in enumerate(pattern)
    ]


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_one(case: tuple[int, int, int]) -> None:
    n, c, k = case
    draws = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_k_refuses_more_draws_than_samples() -> None:
    with pytest.raises(ValueError, match="1 <= k <= n"):
        pass_at_k(3, 1, 5)


def test_figures_carry_their_denominators() -> None:
    rows = verdicts("a", "+----") + verdicts("b", "-----") + verdicts("c", "++") + verdicts("d", "++", "agreement")
    result = figures(rows, k=(1, 5))
    assert result.passed[1] == Share(pytest.approx(0.2 + 0 + 1), 3, 0)
    assert result.passed[5] == Share(1.0, 2, 1)
    assert (result.kept.hits, result.kept.of) == (2, 3)
    assert (result.correct.hits, result.correct.of) == (3, 12)
    assert (result.agreed.hits, result.agreed.of) == (1, 1)


def test_no_verdicts_give_empty_shares_not_zero() -> None:
    result = figures([])
    assert result.kept.value is None
    assert str(result.kept) == "- (of 0)"


def test_a_share_prints_its_denominator_and_interval() -> None:
    assert str(Share(50, 100)) == "50.0 % of 100 (40.4 to 59.6)"


def test_families_are_apart() -> None:
    result = by_family(verdicts("a", "+") + verdicts("b", "-"), {"a": "count"}, k=(1,))
    assert list(result) == ["", "count"]
    assert result["count"].passed[1].value == 1.0


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


@given(st.lists(st.text("+-", min_size=1, max_size=6), max_size=6))
def test_figures_do_not_depend_on_order(patterns: list[str]) -> None:
    rows = [row for at, pattern in enumerate(patterns) for row in verdicts(str(at), pattern)]
    assert figures(rows).kept == figures(rows[::-1]).kept
    assert figures(rows, (1, 2)).passed[2].of == figures(rows[::-1], (1, 2)).passed[2].of
