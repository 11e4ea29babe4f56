"""Comparators by answer type: vectors, then anything at all."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.records import AnswerType, Task
from workbench.verify import answers


def task(
    answers: tuple[str, ...], kind: AnswerType, choices: tuple[str, ...] = (), **meta: str
) -> Task:
    return Task("t", "s", "test", "i", "q?", answers, kind, choices, meta=meta)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("Yes.", True),
        ("True", True),
        ("YES!", True),
        ("yes, there are no dogs", True),
        ("ｙｅｓ", True),
        ("**Yes**", True),
        ("Yeah", True),
        ("no", False),
        ("False", False),
        ("No, there is a dog.", False),
        ("no\n", False),
        ("No dogs are left.", False),
        ("", None),
        ("maybe", None),
        ("yes or no", None),
        ("yes and no", None),
        ("no one", None),
        ("no idea", None),
        ("1", None),
        ("yesterday", None),
        ("not", None),
        ("none", None),
        ("there is no dog", None),
        ("know", None),
        ("The answer is yes", True),
        ("The answer is no.", False),
        ("Answer: yes", True),
        ("**Answer:** No, there is none", False),
        ("There are two, so the correct answer is: Yes.", True),
        ("I think the answer is no", False),
        ("I do not know whether the answer is yes", None),
        ("The answer is yes or no", None),
        ("ye\u200bs", True),
    ],
)
def test_yes_no(text: str, expected: bool | None) -> None:
    assert answers.yes_no(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("3 dogs", 3),
        ("3.0", 3),
        ("3.", 3),
        ("three", 3),
        ("Three dogs.", 3),
        ("There are 3 dogs", 3),
        ("1,000", 1000),
        ("12,345 birds", 12345),
        ("-2", -2),
        ("twenty-one", 21),
        ("twelve", 12),
        ("no dogs", 0),
        ("none", 0),
        ("zero", 0),
        ("0", 0),
        ("3 (three)", 3),
        ("007", 7),
        ("３", 3),
        ("forty-two", 42),
        ("3.5", None),
        ("3 of 5", None),
        ("12:30", None),
        ("2nd", None),
        ("1/2", None),
        ("100%", None),
        ("", None),
        ("1e3", None),
        ("dogs", None),
        ("a dog", None),
        ("True", None),
        ("nine hundred and one", 901),
        ("one hundred", 100),
        ("a hundred", 100),
        ("ten thousand", 10_000),
        ("two hundred thousand", 200_000),
        ("one thousand two hundred and thirty-four", 1234),
        ("twelve hundred", 1200),
        ("3 hundred", 300),
        ("two dozen", 24),
        ("a dozen eggs", 12),
        ("half a dozen", 6),
        ("minus three", -3),
        ("negative 3", -3),
        ("\u22125", -5),
        ("\u20135", -5),
        ("twenty one", 21),
        ("There are 2 dogs and 3 cats, so the answer is 5.", 5),
        ("The answer is two dogs", 2),
        ("two quarters", 2),
        ("twenty, one", None),
        ("one two", None),
        ("one or two", None),
        ("2\u20133", None),
        ("five minus three", None),
        ("hundreds of birds", None),
        ("one and a half", None),
        ("one hundredth", None),
        ("twenty first", None),
        ("five percent", None),
        ("two point two", None),
        ("more than 5", None),
        ("at least 5", None),
        ("<5", None),
        ("5+", None),
        ("not 5", None),
        ("3\u00b2", None),
        ("\u00bd", None),
        ("9" * 50, None),
        ("1,00", None),
        ("3.0.1", None),
        ("inf", None),
        ("nan", None),
        ("someone", None),
    ],
)
def test_integer(text: str, expected: int | None) -> None:
    assert answers.integer(text) == expected


OPTIONS = ("red", "dark red", "a blue car", "B")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red", 0),
        ("Red.", 0),
        ("the red", 0),
        ("A", 0),
        ("(a)", 0),
        ("a.", 0),
        ("a)", 0),
        ("[A]", 0),
        ("Answer: A", 0),
        ("The answer is (C).", 2),
        ("option c", 2),
        ("C. a blue car", 2),
        ("c: blue car", 2),
        ("It is dark red", 1),
        ("dark red", 1),
        ("blue car", 2),
        ("a Blue  Car", 2),
        ("B", 3),
        ("b", 3),  # the text of an option comes before its letter
        ("D", 3),
        ("C. red", 0),  # letter and text disagree: the text is what is mentioned
        ("red or dark red", None),
        ("green", None),
        ("", None),
        ("E", None),
        ("a cat", None),
        ("reddish", None),
    ],
)
def test_choice(text: str, expected: int | None) -> None:
    assert answers.choice(text, OPTIONS) == expected


def test_two_equal_options_cannot_be_told_apart_by_text() -> None:
    assert answers.choice("CAT", ("cat", "Cat", "dog")) is None
    assert answers.choice("Cat", ("cat", "Cat", "dog")) == 1, "to the letter they can"
    assert answers.choice("A", ("cat", "Cat", "dog")) == 0


def test_of_options_that_are_the_same_each_is_right() -> None:
    road = task(("road",), "choice", ("air", "water", "road", "road"))
    assert answers.score(road, "road").score == 1.0
    assert answers.score(road, "D").score == 1.0
    assert answers.score(road, "A").score == 0.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("C", "C++", "Java"), {"C": 0, "c++": 1, "It is C++.": 1, "The answer is C.": 0}),
        (("C", "C#", "C++"), {"C": 0, "C#": 1, "The language is C#": 1, "(c)": 0}),
        (("-1", "1"), {"-1": 0, "1": 1, "\u22121": 0, "It is -1.": 0, "minus one": 0, "one": 1}),
        (("a > b", "a < b", "a = b"), {"a > b": 0, "a<b": 1, "The answer is a = b.": 2, "B": 1}),
        (("<5", ">5"), {"<5": 0, "> 5": 1, "it is >5": 1, "5": None}),
        (("5", ">5"), {"5": 0, ">5": 1, "it is <5": None, "It is 5.": 0}),
        (("0", "zero"), {"0": 0, "zero": 1, "Zero.": 1}),
        (("+5", "-5", "5"), {"+5": 0, "-5": 1, "5": 2}),
        (("A+", "A", "A-"), {"A+": 0, "A": 1, "A-": 2, "He got an A-.": 2}),
        (("1/2", "12", "1 2"), {"1/2": 0, "12": 1, "It is 1/2.": 0}),
        (("1,5", "15"), {"1,5": 0, "15": 1, "It is 1,5.": 0}),
        (("10\u00b2", "102"), {"10\u00b2": 0, "102": 1, "It is 10\u00b2": 0}),
        (("[0, 5)", "(0, 5]"), {"[0, 5)": 0, "(0, 5]": 1, "0, 5": None}),
        (("caf\u00e9", "cafe"), {"cafe\u0301": 0, "cafe": 1}),
        (("?", "!"), {"?": 0, "!": 1}),
        (("a", "the"), {"a": 0, "the": 1}),
        (("Polish", "polish"), {"Polish": 0, "polish": 1, "POLISH": None}),
    ],
)
def test_options_that_differ_in_signs_only(
    options: tuple[str, ...], said: dict[str, int | None]
) -> None:
    for text, index in said.items():
        assert answers.choice(text, options) == index, text
    for gold in options:
        for text in options:
            labelled = task((gold,), "choice", options)
            assert answers.score(labelled, text).score == float(text == gold), (text, gold)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the answer is b", 1),
        ("The correct answer is **B**. Here's why: A or B?", 1),
        ("Because B is bigger than A, the answer is A", 0),
        ("The answer is B because it is bigger.", 1),
        ("The answer is A dog.", None),
        ("The answer is up, not down.", None),
        ("I saw left and right; the answer is down.", 3),
    ],
)
def test_what_follows_the_answer_is_decides(text: str, expected: int | None) -> None:
    assert answers.choice(text, ("left", "right", "up", "down")) == expected


def test_an_option_that_normalises_to_nothing_is_found_by_its_own_text() -> None:
    assert answers.choice("the", ("the", "a")) == 0


@pytest.mark.parametrize(
    ("kind", "answer", "gold", "score"),
    [
        ("yesno", "True", "yes", 1.0),
        ("yesno", "False", "no", 1.0),
        ("yesno", "yes, one", "no", 0.0),
        ("yesno", "maybe", "no", 0.0),
        ("integer", "3 dogs", "3", 1.0),
        ("integer", "three", "3", 1.0),
        ("integer", "4", "3", 0.0),
        ("phrase", "The Dog.", "dog", 1.0),
        ("phrase", "dogs", "dog", 0.0),
        ("open", "mountains", "mountain", 0.0),
        ("phrase", "t-shirt", "t shirt", 1.0),
        ("integer", "many", "many", 1.0),
        ("integer", "100", "one hundred", 1.0),
        ("integer", "1", "one hundred", 0.0),
        ("integer", "5", "-5", 0.0),
        ("open", "5", "-5", 0.0),
        ("open", "C", "C++", 0.0),
        ("open", "3-5", "35", 0.0),
        ("open", "cafe\u0301", "caf\u00e9", 1.0),
        ("open", "\uff21", "A", 1.0),
        ("open", "don\u2019t", "don't", 1.0),
        ("open", "the", "A", 0.0),
        ("open", "?", "!", 0.0),
        ("open", "", "A", 0.0),
        ("yesno", "The answer is yes", "yes", 1.0),
    ],
)
def test_one_gold_answer(kind: AnswerType, answer: str, gold: str, score: float) -> None:
    assert answers.score(task((gold,), kind), answer).score == score


def test_a_choice_is_right_by_letter_or_text_whatever_the_gold_is_written_as() -> None:
    for gold in ("dark red", "B)", "b"):
        options = ("red", "dark red", "blue")
        assert answers.score(task((gold,), "choice", options), "Dark red").score == 1.0
        assert answers.score(task((gold,), "choice", options), "(B)").score == 1.0
        assert answers.score(task((gold,), "choice", options), "A").score == 0.0


def test_an_answer_that_names_no_option_is_wrong_even_if_the_gold_names_none() -> None:
    assert answers.score(task(("green",), "choice", ("red", "blue")), "green").score == 0.0


def test_few_gold_answers_are_alternatives() -> None:
    assert answers.score(task(("sofa", "couch"), "phrase"), "Couch").score == 1.0


def test_ten_gold_answers_are_votes() -> None:
    votes = task(("sofa",) * 2 + ("couch",) * 8, "open")
    assert answers.score(votes, "sofa").score == pytest.approx(0.6)
    assert answers.score(votes, "couch").score == 1.0


def test_votes_on_a_yes_no_question_take_a_programs_boolean() -> None:
    assert answers.score(task(("yes",) * 10, "yesno"), "True").score == 1.0


def test_aokvqa_scoring_is_chosen_by_the_tasks_meta() -> None:
    votes = ("sofa",) * 2 + ("couch",) * 8
    assert answers.score(task(votes, "open", scoring="aokvqa"), "sofa").score == pytest.approx(
        2 / 3
    )
    assert answers.score(task(votes, "open", scoring="aokvqa"), "Sofa").score == 0.0


def test_official_mode_reaches_phrases() -> None:
    assert answers.score(task(("dog",), "phrase"), "The dog", "official").score == 0.0
    assert answers.score(task(("dog",) * 10, "phrase"), "The dog", "official").score == 0.0
    assert (
        answers.score(task(("dog",) * 9 + ("cat",), "phrase"), "The dog", "official").score == 1.0
    )


def test_a_huge_answer_is_wrong_and_the_reason_says_why() -> None:
    result = answers.score(task(("x",), "phrase"), "x " * 1_000_000)
    assert result.score == 0.0
    assert "2000000 characters" in result.reason


@pytest.mark.parametrize("piece", ["\n", " ", "so ", "the answer is ", "a-", "1-", "+", "hundred "])
def test_a_text_that_repeats_itself_is_read_like_any_other(piece: str) -> None:
    text = (piece * answers.MAX_ANSWER)[: answers.MAX_ANSWER]
    assert answers.yes_no(text) is None
    assert answers.choice(text, ("red", "C++")) is None


def test_an_unlabelled_task_says_so() -> None:
    assert "no gold answer" in answers.score(task((), "open"), "x").reason


def test_reasons_quote_hostile_text_on_one_short_line() -> None:
    reason = answers.score(task(("dog",), "phrase"), "<b>\n\x1b[2J" + "y" * 500).reason
    assert reason.isprintable()
    assert len(reason) < 200


kinds = st.sampled_from(get_args(AnswerType))
wild = st.one_of(
    st.text(),
    st.from_regex(r"[\dA-Da-d.,:/() -]{0,12}", fullmatch=True),
    st.sampled_from(["yes", "no"]),
)


@given(wild, st.lists(wild, max_size=11), kinds, st.lists(wild, max_size=5))
def test_any_text_scores_between_0_and_1(
    answer: str, golds: list[str], kind: AnswerType, options: list[str]
) -> None:
    result = answers.score(task(tuple(golds), kind, tuple(options)), answer)
    assert 0.0 <= result.score <= 1.0
    assert result.reason.endswith(".")


@given(wild, kinds.filter(lambda k: k != "choice"))
def test_an_answer_equals_itself(answer: str, kind: AnswerType) -> None:
    assert answers.score(task((answer,), kind), answer).score == 1.0


@given(st.integers(-(10**15), 10**15))
def test_every_integer_is_read_back_in_three_spellings(value: int) -> None:
    assert (
        answers.integer(str(value))
        == answers.integer(f"{value:,}")
        == answers.integer(f"{value}.0")
        == value
    )


@given(
    st.lists(
        st.text(alphabet="bcdefgh ", min_size=2).map(str.strip), min_size=2, max_size=5, unique=True
    )
)
def test_every_option_is_found_by_its_letter(options: list[str]) -> None:
    for index in range(len(options)):
        if "abcde"[index] not in options:
            assert answers.choice(f"({'ABCDE'[index]})", options) == index
