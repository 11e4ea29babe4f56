"""Questions as statements: what can safely be turned round, and what cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.rationalize.claims.clauses import Predicate, capital, one_line, predicate_of
from workbench.rationalize.claims.statements import about_picture, about_thing, statement

NOUNS = ("dog", "bus", "parrot", "teddy bear", "cat")


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("Can a parrot fly?", "a parrot can fly", "a parrot cannot fly"),
        ("Does a bus have wheels?", "a bus has wheels", "a bus does not have wheels"),
        ("Do dogs have wheels?", "dogs have wheels", "dogs do not have wheels"),
        ("Is a parrot a bird?", "a parrot is a bird", "a parrot is not a bird"),
        (
            "Is it true that a teddy bear lays eggs?",
            "a teddy bear lays eggs",
            "a teddy bear does not lay eggs",
        ),
        ("Is the bus yellow?", "the bus is yellow", "the bus is not yellow"),
        (
            "Is the sofa left of the lamp?",
            "the sofa is left of the lamp",
            "the sofa is not left of the lamp",
        ),
        ("Are all dogs asleep?", "all dogs are asleep", "not all dogs are asleep"),
        (
            "Is there a dog in the picture?",
            "there is a dog in the picture",
            "there is no dog in the picture",
        ),
        ("Are there any cats?", "there are cats", "there are no cats"),
        (
            "Are there more cats than dogs?",
            "there are more cats than dogs",
            "there are not more cats than dogs",
        ),
        ("Do you see an owl?", "there is an owl", "there is no owl"),
        ("Can a a dog fly?", None, None),
        ("Is the quartz yellow?", None, None),
        ("Is it yellow?", None, None),
        ("If so, is the dog big?", None, None),
        ("What is it?", None, None),
        ("Is the dog?", None, None),
        ("", None, None),
    ],
)
def test_yes_no_questions(question: str, yes: str | None, no: str | None) -> None:
    said = statement(question, NOUNS)
    assert (said.say(True) if said else None) == yes
    assert (said.say(False) if said else None) == no


@pytest.mark.parametrize(
    ("question", "answer", "clause"),
    [
        ("What is the leftmost animal?", "dog", "the leftmost animal is a dog"),
        ("What is the color of the bus?", "Red", "the bus is red"),
        ("What color is the bus?", "red", "the bus is red"),
        ("What is the man holding?", "an umbrella", "the man is holding an umbrella"),
        ("Which animal is left of the bus?", "dog", "the animal left of the bus is a dog"),
        ("What animal can fly?", "parrot", "the animal that can fly is a parrot"),
        ("How many dogs are there?", "1", "there is 1 dog"),
        ("How many dogs are left of the bus?", "2", "2 dogs are left of the bus"),
        ("How many apples can each dog have?", "2", ""),
        ("What is the dog looking at?", "a ball", ""),
        ("What vehicle is the man riding?", "horse", ""),
        ("Which of these is missing?", "dog", ""),
        ("What is this?", "dog", ""),
        ("What is the leftmost animal?", "yes", ""),
        ("What is the leftmost animal?", 'a "dog". Or not', ""),
        ("Why?", "because", ""),
    ],
)
def test_open_questions_about_the_picture(question: str, answer: str, clause: str) -> None:
    assert about_picture(question, answer, ("animal", "vehicle")) == clause


@pytest.mark.parametrize(
    ("question", "answer", "noun", "many", "clause"),
    [
        ("What is this?", "dog", "object", False, "is a dog"),
        ("What is this?", "dog", "object", True, "are dogs"),
        ("What animal is this?", "elephant", "animal", False, "is an elephant"),
        ("What color is this?", "red", "bus", False, "is red"),
        ("What brand is this?", "Ford", "car", False, ""),
        ("What is the man holding?", "a cup", "man", False, "is holding a cup"),
        ("What is the man holding?", "a cup", "woman", False, ""),
        ("What is this?", "scissors", "object", False, "is a pair of scissors"),
    ],
)
def test_answers_about_one_thing(
    question: str, answer: str, noun: str, many: bool, clause: str
) -> None:
    assert about_thing(question, answer, noun, many) == clause


@pytest.mark.parametrize(
    ("attribute", "one", "several", "denied", "hung"),
    [
        ("yellow", "is yellow", "are yellow", "is not yellow", "that is yellow"),
        ("can fly", "can fly", "can fly", "cannot fly", "that can fly"),
        ("has wheels", "has wheels", "have wheels", "does not have wheels", "that has wheels"),
        ("lays eggs", "lays eggs", "lay eggs", "does not lay eggs", "that lays eggs"),
        (
            "is used for cutting",
            "is used for cutting",
            "are used for cutting",
            "is not used for cutting",
            "that is used for cutting",
        ),
        (
            "glass table",
            "is glass table",
            "are glass table",
            "is not glass table",
            "that is glass table",
        ),
        (
            "on the table",
            "is on the table",
            "are on the table",
            "is not on the table",
            "on the table",
        ),
        ("a dog", "is a dog", "are dogs", "is not a dog", "that is a dog"),
    ],
)
def test_predicates(attribute: str, one: str, several: str, denied: str, hung: str) -> None:
    predicate = predicate_of(attribute)
    assert predicate.say(False) == one
    assert predicate.say(True) == several
    assert predicate.say(False, False) == denied
    assert predicate.hang(False) == hung


def test_a_denied_place_needs_a_verb() -> None:
    assert Predicate("be", "left of it").hang(True, False) == "that are not left of it"


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_question_and_answer_give_text_or_nothing(question: str, answer: str) -> None:
    said = statement(question, [answer, "dog"])
    assert said is None or isinstance(said.say(False), str)
    assert isinstance(about_picture(question, answer, [answer]), str)
    assert isinstance(about_thing(question, answer, "dog"), str)


@given(st.text(max_size=800))
def test_one_line_is_one_bounded_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 160
    assert line.isprintable()
    assert "\n" not in capital(line)
