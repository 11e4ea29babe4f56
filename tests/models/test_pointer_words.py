"""A box is a pointer inside the student and four numbers outside; a word is never lost."""

import pytest

from workbench.boxes_in_text import boxes_in
from workbench.making.small_words import known_words
from workbench.models.pointer_words import (
    pointed,
    pointer,
    read_tokens,
    unpointed,
    word_tokenizer,
)

REGIONS = [(100, 200, 300, 400), (469, 124, 726, 351), (50, 0, 50, 90)]
TOKENIZER = word_tokenizer(known_words(), 12)


def tokens(text: str) -> list[int]:
    return TOKENIZER(f" {text}")["input_ids"]


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("the bus at 469 124 726 351.", "the bus at <region_1>.", None),
        (
            "The dogs at 100 200 300 400 and 469 124 726 351 differ.",
            "The dogs at <region_0> and <region_1> differ.",
            None,
        ),
        ("110 190 300 410", "<region_0>", "100 200 300 400"),  # a region that nearly fits
        ("a line at 50 0 50 90", "a line at <region_2>", None),  # no overlap can be computed
        (
            "at 700 700 999 999, there",
            "at <at_70><at_70><at_99><at_99>, there",
            "at 705 705 995 995, there",
        ),
        ("3 469 124 726 351 and 4 dogs", "3 469 124 726 351 and 4 dogs", None),  # no box
    ],
)
def test_a_box_is_a_pointer_and_comes_back(text: str, inside: str, outside: str | None) -> None:
    assert pointed(text, REGIONS) == inside
    assert read_tokens(TOKENIZER, tokens(inside), REGIONS) == (outside or text)
    assert len(boxes_in(outside or text)) == len(boxes_in(text))


def test_without_regions_a_box_is_four_places() -> None:
    assert pointed("at 0 0 999 999", []) == "at <at_0><at_0><at_99><at_99>"


def test_a_pointer_to_no_region_is_named() -> None:
    assert unpointed("the dog at <region_7>.", REGIONS) == "the dog at (no region 7)."


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "2 sports balls",
        "zebrafish",
        "Größe, 漢字 and 🦓!",
        "x" * 3000,
        "$1,999.50 (50%)",
        "don't <region 3>",
    ],
)
def test_a_text_with_unknown_words_is_spelled_and_not_lost(text: str) -> None:
    assert read_tokens(TOKENIZER, [*tokens(text), TOKENIZER.eos_token_id, 9], REGIONS) == text


def test_what_a_rationale_says_is_one_token_a_word() -> None:
    text = (
        f"The largest of the 3 dogs at {pointer(0)}, {pointer(1)} and {pointer(2)} is the dog at "
        f"{pointer(1)}. Thus, there are 2 apples left of the bus, and the answer is yes."
    )
    marks = sum(text.count(mark) for mark in ".,")
    assert len(tokens(text)) == len(text.split()) + marks


def test_each_name_of_a_thing_is_known_in_both_numbers() -> None:
    for word in ("dog", "dogs", "bus", "buses", "scissors", "sheep"):
        assert len(tokens(word)) == 1
