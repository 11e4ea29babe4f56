"""One answer out of k programs, and the best of k."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.evaluate.voting import best_of, vote
from workbench.records import Task
from workbench.verify.figures import pass_at_k


def task(kind: str = "integer") -> Task:
    return Task("t", "made", "test", "", "How many dogs?", ("7",), kind)  # type: ignore[arg-type]


def test_the_most_frequent_meaning_wins() -> None:
    assert vote(task(), [("3", -0.1), ("2 dogs", -0.5), (None, 0.0), ("two", -0.4)]) == 3


def test_a_tie_goes_to_the_most_probable_program() -> None:
    assert vote(task(), [("3", -0.9), ("2", -0.5), ("2", -0.7), ("3", -0.4)]) == 3


def test_equal_in_all_the_first_sampled_wins() -> None:
    assert vote(task("yesno"), [("no", 0.0), ("yes", 0.0)]) == 0


def test_nobody_wins_where_all_failed() -> None:
    assert vote(task(), [(None, -0.1), (None, -0.2)]) is None
    assert vote(task(), []) is None


def test_the_label_has_no_vote() -> None:
    said = [("3", -0.1), ("3", -0.2), ("7", -0.3)]
    assert said[vote(task(), said) or 0][0] == "3"


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=9), st.data())
def test_of_right_and_wrong_the_best_of_k_is_pass_at_k(right: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(right)))
    assert best_of([float(one) for one in right], k) == pytest.approx(pass_at_k(len(right), sum(right), k))


def test_of_soft_scores_it_is_the_mean_of_the_best() -> None:
    assert best_of([0.3, 1.0, 0.6], 2) == pytest.approx((0.6 + 1.0 + 1.0) / 3)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="1 <= k <= 2 programs, found k=3"):
        best_of([1.0, 0.0], 3)
