"""A little English: plurals there and back, articles, lists."""

from __future__ import annotations

import pytest

from workbench.english import a, counted, join, number, one, plural, singular, the, value
from workbench.tasks.collage.catalogue import CATEGORIES

PLURALS = {
    "bus": "buses", "sheep": "sheep", "person": "people", "knife": "knives", "strawberry": "strawberries", "toy": "toys",
    "scissors": "pairs of scissors", "broccoli": "pieces of broccoli", "sports ball": "sports balls", "box": "boxes",
    "wine glass": "wine glasses", "tomato": "tomatoes", "teddy bear": "teddy bears", "couch": "couches",
}  # fmt: skip


@pytest.mark.parametrize(("noun", "many"), PLURALS.items())
def test_plurals(noun: str, many: str) -> None:
    assert plural(noun) == many
    assert singular(many) == noun
    assert singular(noun) == noun


@pytest.mark.parametrize("noun", CATEGORIES)
def test_every_category_comes_back_from_its_plural(noun: str) -> None:
    assert singular(plural(noun)) == noun
    assert singular(one(noun)) == noun


def test_articles() -> None:
    assert [a(noun) for noun in ("apple", "umbrella", "unicorn", "hour", "dog", "scissors")] == [
        "an apple", "an umbrella", "a unicorn", "an hour", "a dog", "a pair of scissors",
    ]  # fmt: skip
    assert the("scissors") == "the pair of scissors"
    assert the("dog") == "the dog"


def test_counts_and_lists() -> None:
    assert [counted(n, "dog") for n in (0, 1, 3)] == ["no dogs", "one dog", "three dogs"]
    assert number(20) == "twenty"
    assert number(21) == "21"
    assert join([]) == ""
    assert join(["x"]) == "x"
    assert join(["x", "y"]) == "x and y"
    assert join(["x", "y", "z"]) == "x, y and z"
    assert join(["x", "y", "z"], "or", oxford=True) == "x, y, or z"


@pytest.mark.parametrize(
    ("word", "amount"),
    [("zero", 0), ("Three", 3), ("twenty", 20), ("ninety-nine", 99), ("twenty-one", 21), ("dogs", None), ("", None),
     ("twenty-ten", None), ("twenty-", None), ("forty", 40), ("-one", None), ("none", None)],
)  # fmt: skip
def test_number_words_are_read_back(word: str, amount: int | None) -> None:
    assert value(word) == amount


@pytest.mark.parametrize("amount", range(21))
def test_every_number_word_has_its_value(amount: int) -> None:
    assert value(number(amount)) == amount
