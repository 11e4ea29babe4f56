"""What raters said of two models: by question, with intervals, agreement and the paper's figures."""

from __future__ import annotations

from workbench.evaluate.human import ASKED, PAPER, human_evaluation, rated_pairs, table
from workbench.records import Decision, Form, Rating

GOOD, BARE, WRONG = Form(True, True, True, True), Form(True, False), Form(False, True, False, True)


def said(
    author: str,
    task: str,
    first: Form | None,
    second: Form | None,
    preference: str = "left",
    turned: bool = False,
):
    rating = Rating("a", "b", first, second, preference)
    if turned:
        other = {"left": "right", "right": "left"}.get(preference, preference)
        rating = Rating("b", "a", second, first, other)
    return Decision(f"{author}-{task}-event", "rating", author, "curator", task, rating=rating)


def test_figures_follow_the_model_and_not_the_side() -> None:
    events = [said("ann", "t1", GOOD, BARE), said("ann", "t2", GOOD, WRONG, turned=True)]
    found = human_evaluation(events, "a", "b")
    assert [(share.hits, share.of) for share in found.shares["correct"]] == [(2, 2), (1, 2)]
    assert [(share.hits, share.of) for share in found.shares["explains"]] == [(2, 2), (1, 2)]
    assert [(share.hits, share.of) for share in found.shares["factual"]] == [(2, 2), (0, 1)]
    assert found.preferences["first"].hits == 2
    turned = human_evaluation(events, "b", "a")
    assert turned.preferences["second"].hits == 2
    assert found.differences["correct"] is not None
    assert found.differences["correct"].difference == -0.5


def test_a_question_counts_once_however_many_rated_it() -> None:
    events = [said(name, "t1", GOOD, BARE, "both") for name in ("ann", "bob", "cy")]
    events += [said("dan", "t1", BARE, BARE, "neither"), said("ann", "t2", WRONG, BARE, "right")]
    found = human_evaluation(events, "a", "b")
    assert (found.questions, found.ratings, found.raters) == (2, 5, ("ann", "bob", "cy", "dan"))
    explains, correct = found.shares["explains"][0], found.shares["correct"][0]
    assert (explains.hits, explains.of, correct.hits, correct.of) == (1.75, 2, 1, 2)
    factual = found.shares["factual"][0]
    assert (factual.hits, factual.of) == (1, 2), "of those who say that it explains"
    assert found.preferences["both"].hits == 0.75
    assert found.preferences["second"].hits == 1


def test_raters_agreement_is_kappa_over_what_both_were_asked() -> None:
    events = [said("ann", f"t{at}", GOOD, BARE if at % 2 else WRONG) for at in range(40)]
    events += [
        said("bob", f"t{at}", GOOD, BARE if at % 2 or at < 8 else WRONG, "right")
        for at in range(40)
    ]
    found = human_evaluation(events, "a", "b").agreement
    (correct,) = found["correct"]
    assert (correct.first, correct.second, correct.n, correct.same) == ("ann", "bob", 80, 76)
    assert correct.kappa is not None
    assert 0.8 < correct.kappa < 1
    (factual,) = found["factual"]
    assert factual.n == 40 + 16, "where both say that it explains"
    (preferred,) = found["preference"]
    assert (preferred.n, preferred.same) == (40, 0)


def test_votes_without_the_form_and_other_pairs_are_left_out() -> None:
    vote = said("ann", "t1", None, None)
    other = Decision(
        "other-event", "rating", "ann", "curator", "t1", rating=Rating("a", "c", GOOD, GOOD, "left")
    )
    events = [vote, other, said("ann", "t2", GOOD, GOOD), said("bob", "t2", GOOD, GOOD)]
    assert human_evaluation(events, "a", "b").ratings == 2
    assert rated_pairs(events) == [("a", "b"), ("a", "c")]
    assert len(table(events)) == 6


def test_nothing_rated_has_no_shares_and_no_difference() -> None:
    found = human_evaluation([], "a", "b")
    assert (found.questions, found.shares["correct"][0].value, found.differences["correct"]) == (
        0,
        None,
        None,
    )


def test_the_papers_figures_stand_beside_and_a_row_says_what_was_said() -> None:
    assert list(ASKED) == list(PAPER) == ["correct", "explains", "factual", "consistent"]
    plain = human_evaluation([said("ann", "t1", GOOD, BARE)], "a", "b").to_json()
    assert plain["paper"]["explains"] == [0.22, 0.46]
    assert plain["shares"]["correct"][1]["of"] == 1
    left, right = table([said("ann", "t1", GOOD, BARE)])
    assert (left["model"], left["factual"], left["preferred"]) == ("a", True, "this")
    assert (right["model"], right["factual"], right["preferred"]) == ("b", None, "other")
