"""VQA scores against the official script's behaviour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.verify import vqa
from workbench.verify.normalise import Mode


@pytest.mark.parametrize(
    ("hits", "score"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)]
)
def test_the_ten_answer_score_leaves_one_out(hits: int, score: float) -> None:
    answers = ["red"] * hits + [f"other {i}" for i in range(10 - hits)]
    assert vqa.vqa_score("Red.", answers) == pytest.approx(score)


def test_official_mode_compares_identical_answers_raw() -> None:
    assert vqa.vqa_score("Two", ["2"] * 10, "official") == 0.0
    assert vqa.vqa_score("Two", ["2"] * 10, "always") == 1.0
    assert vqa.vqa_score(" two\n", ["two"] * 10, "official") == 1.0


def test_official_mode_normalises_when_the_answers_differ() -> None:
    assert vqa.vqa_score("Two", ["2"] * 9 + ["three"], "official") == 1.0


@pytest.mark.parametrize(("hits", "score"), [(0, 0.0), (1, 1 / 3), (2, 2 / 3), (3, 1.0), (7, 1.0)])
def test_aokvqa_counts_exact_matches_over_three(hits: int, score: float) -> None:
    assert vqa.aokvqa_score("red", ["red"] * hits + ["Red"] * (10 - hits)) == pytest.approx(score)


def test_no_annotators_score_nothing() -> None:
    assert vqa.vqa_score("x", []) == 0.0
    assert vqa.aokvqa_score("x", []) == 0.0


@given(st.text(), st.lists(st.text(), max_size=12), st.sampled_from(["always", "official"]))
def test_scores_stay_between_0_and_1(answer: str, answers: list[str], mode: Mode) -> None:
    assert 0.0 <= vqa.vqa_score(answer, answers, mode) <= 1.0
    assert 0.0 <= vqa.aokvqa_score(answer, answers) <= 1.0


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_one_more_match_never_lowers_the_score(hits: list[bool]) -> None:
    better = list(hits)
    if False in better:
        better[better.index(False)] = True
    assert vqa.leave_one_out(better) >= vqa.leave_one_out(hits)
