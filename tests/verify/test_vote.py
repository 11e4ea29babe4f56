"""Whose answer stands for all programs of a question."""

from workbench.records import Task
from workbench.verify.answers import canonical
from workbench.verify.vote import vote


def winner(*runs: tuple[str | None, float], kind: str = "integer") -> int | None:
    """The place that wins among programs with these answers and scores, as the answers of one
    question.
    """
    task = Task("t", "made", "test", "", "How many dogs?", ("7",), kind)  # type: ignore[arg-type]
    forms = [None if answer is None else canonical(answer, task) for answer, _ in runs]
    return vote(forms, [score for _, score in runs])


def test_the_most_frequent_meaning_wins() -> None:
    assert winner(("3", -0.1), ("2 dogs", -0.5), (None, 0.0), ("two", -0.4)) == 3


def test_a_tie_goes_to_the_most_probable_program() -> None:
    assert winner(("3", -0.9), ("2", -0.5), ("2", -0.7), ("3", -0.4)) == 3


def test_equal_in_all_the_first_sampled_wins() -> None:
    assert winner(("no", 0.0), ("yes", 0.0), kind="yesno") == 0


def test_of_two_best_programs_the_first_sampled_wins_wherever_its_answer_was_first_said() -> None:
    assert winner(("3", -0.9), ("2", 0.0), ("3", 0.0), ("2", -0.9)) == 1


def test_nobody_wins_where_all_failed() -> None:
    assert winner((None, -0.1), (None, -0.2)) is None
    assert winner() is None


def test_the_label_has_no_vote() -> None:
    assert winner(("3", -0.1), ("3", -0.2), ("7", -0.3)) == 0
