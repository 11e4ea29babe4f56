"""One fact made wrong: which, everywhere it is mentioned, and where that leads."""

from __future__ import annotations

import random

import pytest

from workbench.boxes import GRID
from workbench.evaluate.faithfulness.corrupt import (
    NUDGE,
    Pool,
    corruptions,
    harmless,
    shuffle_sentences,
)
from workbench.records import Task

YESNO = Task("t", "s", "test", "d", "Is the dog left of the bus?", ("yes",), "yesno")
COUNT = Task("t", "s", "test", "d", "How many dogs are there?", ("2",), "integer")
OTHERS = (
    "There is 1 teddy bear in the image, at 1 2 3 4.",
    "There are 5 apples in the image. All 5 apples are green.",
    "There is no cup and no key in the image.",
)


def changed(task: Task, body: str, answer: str, seed: int = 0, others=OTHERS):
    found = corruptions(task, body, answer, Pool.of([body, *others]), random.Random(seed))
    return {edit.condition: edit for edit in found}


def test_a_number_changes_wherever_it_is_said_and_the_answer_should_follow() -> None:
    edit = changed(
        COUNT, "There are 2 dogs in the image. Both 2 dogs, at 2 20 200 222, are big.", "2"
    )["number"]
    assert edit.body == "There are 5 dogs in the image. Both 5 dogs, at 2 20 200 222, are big."
    assert (edit.was, edit.now, edit.expects) == ("2", "5", "5")


def test_one_thing_becomes_several_with_its_grammar() -> None:
    edit = changed(COUNT, "There is 1 dog in the image, at 2 20 200 222.", "1")["number"]
    assert edit.body == "There are 5 dogs in the image, at 2 20 200 222."


@pytest.mark.parametrize("seed", range(6))
def test_a_name_changes_in_both_numbers_with_its_article(seed: int) -> None:
    body = "There are 2 dogs in the image. A dog can bark. The object is a dog."
    edit = changed(
        Task("t", "s", "test", "d", "?", ("dog",), "phrase"),
        body,
        "dog",
        seed,
        ("There is an apple in the image.",),
    )["name"]
    assert (
        edit.body == "There are 2 apples in the image. An apple can bark. The object is an apple."
    )
    assert edit.expects == "apple"


def test_names_of_the_pool_are_single_nouns() -> None:
    assert Pool.of(OTHERS).names == ("apple", "cup", "teddy bear")


def test_a_word_that_names_a_thing_is_no_colour() -> None:
    pool = Pool.of(["There is an orange in the image. The cup is red."])
    assert pool.colours == ("red",)


def test_presence_and_relation_turn_a_single_sentence_round() -> None:
    there = changed(YESNO, "There is no dog in the image.", "no")["presence"]
    assert (there.body, there.expects) == ("There is a dog in the image.", "yes")
    left = changed(YESNO, "The dog is left of the bus.", "yes")["relation"]
    assert (left.body, left.expects) == ("The dog is right of the bus.", "no")


def test_where_several_sentences_decide_no_answer_is_expected() -> None:
    body = "There is a dog in the image. The dog is left of the bus."
    assert {edit.expects for edit in changed(YESNO, body, "yes").values()} == {None}


def test_what_is_not_left_need_not_be_right() -> None:
    assert changed(YESNO, "The dog is not left of the bus.", "no")["relation"].expects is None


def test_a_box_of_another_rationale_takes_the_place_of_one() -> None:
    edit = changed(COUNT, "There are 2 dogs, at 10 20 30 40 and 50 60 70 80.", "2")["box"]
    assert edit.now == "1 2 3 4"
    assert edit.body.count("1 2 3 4") == 1


def test_nothing_is_made_wrong_where_there_is_nothing_to_draw_from() -> None:
    assert changed(COUNT, "Dogs bark.", "2", others=()) == {}


@pytest.mark.parametrize("seed", range(5))
def test_harmless_edits_keep_the_facts(seed: int) -> None:
    body = "There are 2 dogs, at 0 20 999 40 and 50 60 70 80. The one at 50 60 70 80 is red."
    found = {
        edit.condition: edit
        for edit in harmless(COUNT, body, Pool.of([body, *OTHERS]), random.Random(seed))
    }
    assert found["again"].body == body
    assert found["aside"].body.endswith(body)
    assert "dog" not in found["aside"].now
    words = found["nudge"].body.replace(".", "").split()
    assert all(
        old == new or (abs(int(old) - int(new)) <= NUDGE and 0 <= int(new) <= GRID)
        for old, new in zip(body.replace(".", "").split(), words, strict=True)
    )
    where = found["nudge"].body.partition(" and ")[2].partition(".")[0]
    assert found["nudge"].body.count(where) == 2, "one box, one place"


def test_a_fact_about_what_is_asked_is_no_aside() -> None:
    asked = Task(
        "t", "s", "test", "d", "Are there more apples than cups or teddy bears?", (), "yesno"
    )
    found = harmless(asked, "There are 2 dogs.", Pool.of(OTHERS), random.Random(0))
    assert [edit.condition for edit in found] == ["again"]


def test_sentences_are_shuffled_only_where_there_are_two() -> None:
    mixed = shuffle_sentences("A dog. A cat. A cup.", random.Random(0))
    assert mixed is not None
    assert mixed.body != "A dog. A cat. A cup."
    assert sorted(mixed.body.split()) == sorted(["A", "dog.", "A", "cat.", "A", "cup."])
    assert shuffle_sentences("A dog. A dog.", random.Random(0)) is None
