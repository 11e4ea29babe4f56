"""Each benchmark's scorer against the official rules, traps included."""

from __future__ import annotations

import pytest
from benchmark_tasks import (
    gqa_task,
    memes,
    mm_task,
    nlvr2_tasks,
    pope_tasks,
    scored,
    task,
    values,
    votes,
)

from workbench.errors import InputError
from workbench.evaluate.benchmarks import (
    aokvqa,
    gqa,
    hateful,
    mmbench,
    nlvr2,
    pope,
)
from workbench.evaluate.benchmarks.scorers import scorer
from workbench.evaluate.benchmarks.scores import UNLABELLED, SystemAnswer
from workbench.study.missing import missing_answers

# GQA


def test_gqa_compares_raw_text() -> None:
    scores = scored([gqa_task("1"), gqa_task("2"), gqa_task("3")], ["yes", "Yes", "yes."])
    assert list(scores.per_task.values()) == [1, 0, 0]


def test_gqa_counts_the_balanced_questions_alone() -> None:
    scores = scored([gqa_task("1"), gqa_task("2", balanced=False)], ["no", "yes"])
    assert (scores.value, scores.of, scores.left_out) == (0.0, 1, {gqa.UNBALANCED: 1})


def test_gqa_query_questions_are_open_and_all_others_binary() -> None:
    tasks = [
        gqa_task("1", "red", "query"),
        gqa_task("2", structural="choose"),
        gqa_task("3", structural="logical"),
    ]
    found = values(scored(tasks, ["red", "yes", "no"]))
    assert (found["open"], found["binary"], found["structural/choose"]) == (1, 0.5, 1)
    assert found["semantic/obj"] == pytest.approx(2 / 3)


def test_gqa_consistency_is_over_right_answers_and_asks_unbalanced_questions_too() -> None:
    tasks = [
        gqa_task(
            "1", entailed=["1", "3", "4"]
        ),  # right; of 3 and 4 one is right; a question entails itself
        gqa_task("2", entailed=["3"]),  # wrong: says nothing about consistency
        gqa_task("3", "no", balanced=False),
        gqa_task("4", "no", balanced=False),
        gqa_task("5", entailed=["5"]),
    ]
    consistency = scored(tasks, ["yes", "no", "no", "yes", "yes"]).metrics["consistency"]
    assert (consistency.value, consistency.of) == (0.5, 1)


def test_gqa_consistency_needs_the_entailed_questions() -> None:
    scores = scored([gqa_task("1", entailed=["9"])], ["yes"])
    assert scores.metrics["consistency"].value is None
    assert scores.left_out == {gqa.NO_ENTAILED: 1}


# VQAv2 and OK-VQA


def test_vqa_leaves_one_annotator_out() -> None:
    tasks = [votes(i, right) for i, right in enumerate((0, 1, 2, 3, 4, 10))]
    scores = scored(tasks, ["Red."] * 6)
    assert list(scores.per_task.values()) == pytest.approx([0, 0.3, 0.6, 0.9, 1, 1])


def test_vqa_breaks_down_by_answer_type_and_question_type() -> None:
    scores = scored([votes(1, 10), votes(2, 10, "yes", "yes/no")], ["red", "no"])
    found = values(scores)
    assert (found["answer/other"], found["answer/yes/no"], found["question/what color"]) == (
        1,
        0,
        0.5,
    )


@pytest.mark.parametrize(("mode", "value"), [("always", 1.0), ("official", 0.0)])
def test_vqa_offers_both_ways_of_normalising(mode: str, value: float) -> None:
    assert scored([votes(1, 10, "2")], ["two"], mode=mode).value == value


def test_official_vqa_takes_answers_for_the_same_that_differ_in_space_alone() -> None:
    assert scored([task("okvqa", 1, ["2", " 2"] * 5)], ["two"], mode="official").value == 0.0


def test_another_benchmark_has_no_mode() -> None:
    with pytest.raises(
        InputError, match="'gqa' has one way of scoring; the mode 'official' is for vqav2 and okvqa"
    ):
        scorer("gqa", "official")


# A-OKVQA

FOUR = ("a dog", "cat", "10", "1")


def test_aokvqa_multiple_choice_is_that_of_the_option_read() -> None:
    tasks = [task("aokvqa", i, ["cat"], FOUR, difficult=True) for i in "abcd"]
    scores = scored(tasks, ["cat", "Cat", "b", "no idea"])
    assert (scores.name, scores.value) == ("multiple choice", 0.75)
    assert scores.metrics["multiple choice, options read"].value == 0.75
    assert scores.metrics["multiple choice, exact words"].value == 0.25


def test_aokvqa_of_equal_options_each_is_right() -> None:
    row = task("aokvqa", "a", ["road"], ("air", "", "road", "road"), difficult=False)
    assert [scored([row], [text]).value for text in ("road", "C", "D", "B", "")] == [1, 1, 1, 0, 0]


def test_aokvqa_direct_answer_is_a_third_for_each_exact_match() -> None:
    tasks = [
        task("aokvqa", i, ["cat"] * i + ["Cat"] * (10 - i), difficult=False)
        for i in (0, 1, 2, 3, 9)
    ]
    scores = scored(tasks, ["cat"] * 5)
    assert list(scores.per_task.values()) == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])


def test_aokvqa_drops_difficult_questions_for_direct_answers_and_counts_missing_ones() -> None:
    tasks = [task("aokvqa", i, ["cat"] * 10, difficult=i == "a") for i in "abc"]
    scores = scored(tasks, ["cat", "cat", None])
    assert (scores.name, scores.value, scores.of, scores.unanswered) == ("direct answer", 0.5, 2, 1)
    assert scores.left_out == {aokvqa.DIFFICULT: 1}


def test_aokvqa_settings_are_scored_apart() -> None:
    tasks = [task("aokvqa", "a", ["cat"], FOUR), task("aokvqa", "b", ["cat"] * 10, difficult=False)]
    with pytest.raises(InputError, match="1 of 2 A-OKVQA tasks have options"):
        scored(tasks, ["cat", "cat"])


# TallyQA


def test_tallyqa_counts_digits_and_words_per_family() -> None:
    said = ["3", "three", "Three dogs.", "4"]
    tasks = [task("tallyqa", i, ["3"], family="simple" if i < 2 else "complex") for i in range(4)]
    found = values(scored(tasks, said))
    assert (found["accuracy"], found["simple"], found["complex"]) == (0.75, 1.0, 0.5)
    assert (found["rmse"], found["simple/rmse"]) == (0.5, 0.0)
    assert found["complex/rmse"] == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("said", ["many", "3 or 4", "", "3.5", None])
def test_tallyqa_answers_without_one_number_are_wrong_and_not_in_the_rmse(said: str | None) -> None:
    scores = scored([task("tallyqa", 1, ["3"]), task("tallyqa", 2, ["3"])], [said, "5"])
    assert scores.value == 0.0
    assert (scores.metrics["rmse"].value, scores.metrics["rmse"].of) == (2.0, 1)
    assert scores.metrics["rmse"].note == "1 of 2 answers are no number and not in it"


def test_tallyqa_gold_answers_are_whole_numbers() -> None:
    with pytest.raises(InputError, match="has the answer 'many'; TallyQA's are whole numbers"):
        scored([task("tallyqa", 1, ["many"])], ["3"])


# POPE


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("yes", True),
        ("no", False),
        ("No", False),
        ("NO", True),
        ("none", True),
        ("I don't see one", True),
        ("No, there is not", False),
        ("There is,not", True),  # the comma goes, the words run together: "isnot"
        ("It is not there", False),
        ("Yes. There is no dog.", True),
        ("no.", False),
        (" no", False),
        ("no\n", True),  # split at spaces alone
        ("no!", True),
        ("", True),
    ],
)
def test_pope_parser(text: str, yes: bool) -> None:
    assert pope.says_yes(text) is yes


def test_pope_figures_have_yes_as_the_positive_class() -> None:
    scores = scored(pope_tasks("random", "yyynn"), ["yes", "yes", "no", "yes", "no"])
    found = values(scores)
    assert (
        found["random/precision"]
        == found["random/recall"]
        == found["random/f1"]
        == pytest.approx(2 / 3)
    )
    assert (found["random/accuracy"], found["random/yes share"]) == (0.6, 0.6)


def test_pope_takes_the_mean_of_the_three_sets() -> None:
    tasks = [
        asked for split in pope.SPLITS for asked in pope_tasks(split, "yn")
    ]  # ids begin anew in each
    scores = scored(tasks, ["yes", "no", "yes", "yes", "no", "no"])
    # F1 of the sets: 1, 2/3 and 0 (one yes missed)
    assert (scores.name, scores.value) == ("f1", pytest.approx(5 / 9))
    assert scores.metrics["f1"].note == ""
    assert list(scores.metrics)[5:7] == ["random/f1", "random/accuracy"]


def test_pope_says_when_a_set_is_missing_and_what_is_not_defined() -> None:
    scores = scored(pope_tasks("popular", "yn"), ["no", "no"])
    assert scores.metrics["f1"].note == "of popular alone; papers quote all three sets"
    assert scores.metrics["popular/precision"].value is None
    assert scores.metrics["precision"].note.startswith("nothing was answered yes; of popular alone")


def test_pope_tells_what_its_script_makes_of_missing_answers() -> None:
    tasks = pope_tasks("random", "yynn")
    scores = scored(tasks, ["yes", None, None, "no"])
    assert (scores.unanswered, scores.metrics["f1"].value) == (2, pytest.approx(1 / 2))
    read_as_yes = scored(tasks, ["yes", "", "", "no"])
    assert scores.metrics[pope.AS_SUBMITTED] == read_as_yes.metrics["f1"]
    assert pope.AS_SUBMITTED not in read_as_yes.metrics
    told = missing_answers({**scores.to_json(), "unanswered_rule": pope.UNANSWERED})
    assert told.startswith("2 without an answer (it counts as wrong; the official script reads")
    assert told.endswith("as yes, which gives f1 80.0 %)")


def test_pope_questions_without_an_answer_are_wrong_both_ways() -> None:
    found = values(scored(pope_tasks("random", "yn"), [None, None]))
    assert (found["random/accuracy"], found["random/f1"], found["random/yes share"]) == (
        0.0,
        0.0,
        0.5,
    )


# MMBench


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("B. dog", "B"),
        ("Answer: B", "B"),
        ("b", None),
        ("A or B", None),
        ("A dog", "A"),  # the article counts as a letter
        ("It is a dog.", "B"),
        ("DOG", "B"),
        ("dog or cat", None),
        ("B" * 2, None),
        ("bird", None),
        (
            "a dog, or so it seems to me, sir",
            None,
        ),  # more than twice as long as the options together
        ("B, or so it seems to me, sir, after a look", None),  # among the last four words only
        ("Because B is bigger than A, the answer is A", "A"),
        ("The correct answer is **B**. Here's why: A or B?", "B"),
        ("the answer is b", "B"),
        ("I can't process this file. B", None),
        ("Z", None),
        ("", None),
    ],
)
def test_mmbench_reads_a_letter_then_a_text(text: str, found: str | None) -> None:
    assert mmbench.letter(text, {"A": "cat", "B": "dog", "C": "red cup"}) == found


def test_mmbench_letters_as_the_cited_evaluator_reads_them() -> None:
    animals = {"A": "cat", "B": "dog", "C": "hen", "D": "cow"}
    sides = {"A": "left", "B": "right", "C": "up", "D": "down"}
    both = {"A": "yes", "B": "no", "C": "both", "D": "none of the above"}
    for text, options in (
        ("A dog is sitting on the big mat over there in the room", animals),
        ("B is correct because the picture shows a left that sits next to the wall", sides),
        ("D. none of the above", both),
    ):
        assert mmbench.letter(text, options) is None


def test_mmbench_texts_inside_each_other_are_not_told_apart() -> None:
    assert mmbench.letter("10", {"A": "1", "B": "10"}) is None
    scores = scored([mm_task(5, "B", ("1", "10"))], ["10"])
    assert (scores.value, scores.metrics["circular, options read"].value) == (0.0, 1.0)


def test_mmbench_counts_a_question_only_if_every_rotation_is_right() -> None:
    tasks = [
        mm_task(1),
        mm_task(1_000_001),
        mm_task(2_000_001),
        mm_task(2),
        mm_task(1_000_002),
        mm_task(2_000_002),
    ]
    scores = scored(tasks, ["B", "B", "A", "B", "dog", "(B)"])
    assert scores.per_task == {"mmbench/val/1": 0.0, "mmbench/val/2": 1.0}
    found = values(scores)
    assert (scores.value, found["single"], found["category/object"]) == (0.5, 1.0, 0.5)
    assert found["rotations"] == pytest.approx(5 / 6)
    assert scores.metrics["circular"].note == ""


def test_mmbench_says_when_rotations_are_missing() -> None:
    scores = scored([mm_task(1), mm_task(1_000_002)], ["B", "B"])
    assert scores.metrics["circular"].note == "1 of 1 questions have fewer rotations than options"
    assert scores.left_out == {mmbench.NO_BASE: 1}


def test_mmbench_test_questions_have_no_answer_to_score_with() -> None:
    scores = scored([mm_task(1, right="")], ["B"])
    assert (scores.value, scores.left_out) == (None, {UNLABELLED: 1})


# Hateful Memes


def test_hateful_area_is_the_share_of_pairs_in_order() -> None:
    # Pairs (hateful, harmless): .9 above .4 and .5; .45 above .4, below .5; ties count half: .5 and
    # .5
    scores = scorer("hateful").score(*memes("yyynn", [0.9, 0.45, 0.5, 0.4, 0.5]))
    assert (scores.name, scores.value) == ("roc_auc", pytest.approx((2 + 1 + 1.5) / 6))
    assert scores.metrics["accuracy"].value == 0.6  # P decides, not the text "no"


def test_hateful_area_is_not_defined_for_one_label() -> None:
    scores = scorer("hateful").score(*memes("yy", [0.9, 0.8]))
    assert scores.metrics["roc_auc"].note == "not defined: all memes have one label"
    assert (scores.name, scores.value) == ("accuracy", 1.0)


def test_hateful_area_needs_every_probability() -> None:
    tasks, answers = memes("yn", [0.9, None])
    scores = scorer("hateful").score(tasks, answers)
    assert scores.metrics["roc_auc"].note == "not defined: 1 answers have no P(hateful)"
    assert (scores.name, scores.value) == ("accuracy", 1.0)  # the text says no
    found = scorer("hateful").interval(tasks, answers)
    assert found is not None
    assert found.method == "wilson"


def test_hateful_without_a_clear_answer_is_wrong() -> None:
    assert hateful.says_hateful(SystemAnswer("maybe")) is None


# NLVR2


@pytest.mark.parametrize(
    ("text", "read"),
    [("yes", "True"), ("True", "True"), ("No, it is not.", "False"), ("perhaps", ""), ("", "")],
)
def test_nlvr2_reads_true_and_false(text: str, read: str) -> None:
    assert nlvr2.submitted(text) == read


def test_nlvr2_a_sentence_is_consistent_where_every_pair_is_right() -> None:
    tasks = [*nlvr2_tasks("yyn"), *nlvr2_tasks("yn", sentence=1)]
    scores = scored(tasks, ["yes", "true", "no", "yes", "yes"])
    assert values(scores) == {"accuracy": 0.8, "consistency": 0.5}
    assert scores.metrics["consistency"].of == 2


def test_nlvr2_what_says_neither_is_wrong() -> None:
    scores = scored(nlvr2_tasks("yn"), ["perhaps", None])
    assert (values(scores), scores.unanswered) == ({"accuracy": 0.0, "consistency": 0.0}, 1)


def test_nlvr2_a_set_of_pictures_is_drawn_as_one() -> None:
    tasks = [*nlvr2_tasks("yyn"), *nlvr2_tasks("yn", sentence=1)]
    found = scorer("nlvr2").interval(tasks, {one.id: SystemAnswer("yes") for one in tasks})
    assert found is not None
    assert (found.n, found.clusters) == (5, 1)
