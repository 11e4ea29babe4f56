"""The VQA normalisation against the official script's behaviour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.verify.normalise import normalise

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
    assert normalise(text) == expected


def test_only_the_first_32_periods_are_dropped() -> None:
    assert normalise("." * 40) == "." * 8


@given(st.text())
def test_normalise_takes_any_text_and_leaves_single_spaces(text: str) -> None:
    out = normalise(text)
    assert out == " ".join(out.split())
    assert not set(out.split()) & {"a", "an", "the"}
