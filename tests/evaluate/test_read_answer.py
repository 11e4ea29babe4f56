"""Where reasons end, and the answer that an ending states."""

from __future__ import annotations

import pytest

from workbench.evaluate.faithfulness.read_answer import read_answer, split
from workbench.records import Task


def task(answer_type, choices=()):
    return Task("t", "s", "test", "d", "?", (), answer_type, choices)


def test_reasons_end_at_the_last_sign() -> None:
    parts = split("So there is a dog. There are 2 buses. Thus, 1 bus is red. It is new.")
    assert (parts.body, parts.lead, parts.ending) == (
        "So there is a dog. There are 2 buses.",
        "Thus,",
        "1 bus is red. It is new.",
    )


def test_without_a_sign_the_last_sentence_is_the_ending() -> None:
    assert split("A dog barks. It is brown.").body == "A dog barks."
    assert (split("brown").body, split("brown").ending) == ("", "brown")
    assert split("  ").ending == ""


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        (
            "yesno",
            "The dog is left of 1 2 3 4. Thus, it is not above it, and the answer is no.",
            "no",
        ),
        ("yesno", "There is a dog. Thus, yes.", "yes"),
        ("yesno", "There is a dog. Thus, a dog.", None),
        ("integer", "Thus, there are 2 animals that walk on four feet.", "2"),
        (
            "integer",
            "All dogs bark. Thus, 2 of the 3 dogs, at 10 20 30 40 and 1 2 3 4, are black.",
            "2",
        ),
        ("integer", "Thus, the dogs at 10 20 30 40 and 1 2 3 4 are three.", "3"),
        ("integer", "Thus, there are no dogs.", "0"),
        ("integer", "Thus, dogs.", None),
        ("phrase", "Thus, the leftmost animal is a horse.", "horse"),
        ("phrase", "Thus, the highest food item is a piece of broccoli.", "broccoli"),
        ("phrase", "Thus, the answer is stop sign.", "stop sign"),
        ("phrase", "sheep", "sheep"),
        ("open", "I would rather not say anything about this at all", None),
        ("open", "", None),
    ],
)
def test_the_answer_is_read_by_its_type(kind: str, text: str, answer: str | None) -> None:
    assert read_answer(task(kind), text) == answer


def test_a_choice_is_read_as_the_option_that_is_named() -> None:
    asked = task("choice", ("red bus", "bus"))
    assert read_answer(asked, "Thus, it is the red bus.") == "red bus"
    assert read_answer(asked, "Thus, it is neither.") is None


def test_the_end_of_a_very_long_rationale_is_read() -> None:
    text = "There is a bus that is red. " * 400 + "Thus, there are 3 buses."
    assert split(text).ending == "there are 3 buses."
