"""Kappa, blind sides, ratings, gold turns, and the small model of acceptance."""

from __future__ import annotations

import random

import pytest

from workbench.curate import agreement, predict, queue, rating
from workbench.curate.settings import Settings
from workbench.errors import InputError


def test_kappa_of_cohens_own_kind_of_table() -> None:
    # 20 both accept, 15 both reject, 5 and 10 differ: observed 0.7, expected 0.5, kappa 0.4.
    first = ["accept"] * 25 + ["reject"] * 25
    second = ["accept"] * 20 + ["reject"] * 5 + ["accept"] * 10 + ["reject"] * 15
    assert agreement.kappa(first, second) == pytest.approx(0.4)


def test_one_verdict_throughout_has_no_kappa() -> None:
    assert agreement.kappa(["accept"] * 40, ["accept"] * 40) is None


def test_few_items_in_common_are_said_to_be_too_few() -> None:
    said = [
        (f"t{i}", who, "accept" if i % 2 else "reject") for i in range(29) for who in ("bob", "ann")
    ]
    (pair,) = agreement.agreements([*said, ("t99", "cy", "accept")])
    assert (pair.first, pair.second, pair.n, pair.same, pair.kappa) == ("ann", "bob", 29, 29, 1.0)
    assert pair.note == "too few: 29 of 30"


def test_sides_are_the_same_each_time_and_shuffled_between_tasks() -> None:
    drawn = [rating.sides(f"t{i}", "a", "b", "ann") for i in range(200)]
    assert drawn == [rating.sides(f"t{i}", "b", "a", "ann") for i in range(200)]
    assert 60 < sum(left == "a" for left, _ in drawn) < 140


def test_gold_items_come_at_their_rate_and_a_reload_changes_nothing() -> None:
    turns = [queue.gold_turn("ann", n, 0.1) for n in range(2000)]
    assert turns == [queue.gold_turn("ann", n, 0.1) for n in range(2000)]
    assert 150 < sum(turns) < 250
    assert not any(queue.gold_turn("ann", n, 0.0) for n in range(2000))


def rows(n: int) -> tuple[list[dict[str, float]], list[bool]]:
    """Items of which those with agreeing programs are mostly accepted."""
    rng = random.Random(0)
    found = [{name: rng.random() for name in predict.FEATURES} for _ in range(n)]
    return found, [row["siblings"] + 0.2 * rng.random() < 0.6 for row in found]


def test_the_model_learns_what_people_accept() -> None:
    model = predict.fit(*rows(300))
    assert isinstance(model, predict.AcceptanceModel)
    given, _ = rows(1)
    assert model.n == 300
    assert (
        model.chance({**given[0], "siblings": 0.1})
        > 0.9
        > 0.1
        > model.chance({**given[0], "siblings": 0.95})
    )


def test_too_few_or_one_sided_decisions_give_words() -> None:
    given, accepted = rows(29)
    assert predict.fit(given, accepted) == "too few decisions yet: 29 of 30"
    assert (
        predict.fit(rows(40)[0], [True] * 40)
        == "all 40 decided items were accepted: nothing to tell apart"
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"overlap": 0},
            "the rules of the queue: overlap must be a whole number from 1 to 20, found 0",
        ),
        ({"gold_rate": 0.9}, "gold_rate must be a number from 0 to 0.5, found 0.9"),
        ({"lease_minutes": 0}, "lease_minutes must be a number from 0.01 to 1440, found 0"),
        ({"order": "loudest"}, "order must be one of disagreement, student, .*, found 'loudest'"),
        (
            {"overlap": 0, "daily_goal": -1},
            "2 errors: overlap must be .*; daily_goal must be .*, found -1",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        Settings(**given)  # type: ignore[arg-type]


def test_a_queue_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="no queue is called 'done'"):
        queue.QueueRequest(state="done")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no order is called 'loudest'"):
        queue.QueueRequest(order="loudest")


def test_why_an_item_comes_is_said_in_words() -> None:
    row = {"asked": "odd box", "asked_by": "bob", "siblings": 0.4, "apart": None}
    assert queue.why("disagreement", row) == "sent by bob: odd box"
    assert (
        queue.why("disagreement", {**row, "asked_by": None})
        == "40% of its programs say something else"
    )
    assert queue.why("student", {**row, "asked_by": None}) == "next"
