"""VQA normalisation and scores against the official script's behaviour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.verify import vqa

VECTORS = {
    "Yes.": "yes",
    "Two": "2",
    "The Dog": "dog",
    "1,000": "1000",
    "1, 000": "1 000",
    "U.S.A.": "usa",
    "t-shirt": "t shirt",
    "black/white": "black white",
    "black & white": "black & white",
    "red, white": "red white",
    "none": "0",
    "eleven": "eleven",
    "the": "",
    "Dr. Pepper": "dr pepper",
    "12:30": "12:30",
    "100%": "100%",
    "$5": "$5",
    "(red)": "red",
    "dont know": "don't know",
    "couldnt've": "couldn't've",
    "y'alld've": "y'all'd've",
    "somebody'd": "somebodyd",
    "2.5": "2.5",
    "a\nred\tcar ": "red car",
    "3-4 1,000": "34 1000",  # digit-comma-digit anywhere deletes every mark
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), VECTORS.items())
def test_normalise_gives_the_official_form(text: str, expected: str) -> None:
    assert vqa.normalise(text) == expected


def test_only_the_first_32_periods_are_dropped() -> None:
    assert vqa.normalise("." * 40) == "." * 8


@pytest.mark.parametrize(("hits", "score"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)])
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


@given(st.text())
def test_normalise_takes_any_text_and_leaves_single_spaces(text: str) -> None:
    out = vqa.normalise(text)
    assert out == " ".join(out.split())
    assert not set(out.split()) & {"a", "an", "the"}


@given(st.text(), st.lists(st.text(), max_size=12), st.sampled_from(["always", "official"]))
def test_scores_stay_between_0_and_1(answer: str, answers: list[str], mode: vqa.Mode) -> None:
    assert 0.0 <= vqa.vqa_score(answer, answers, mode) <= 1.0
    assert 0.0 <= vqa.aokvqa_score(answer, answers) <= 1.0


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_one_more_match_never_lowers_the_score(hits: list[bool]) -> None:
    better = list(hits)
    if False in better:
        better[better.index(False)] = True
    assert vqa.leave_one_out(better) >= vqa.leave_one_out(hits)
