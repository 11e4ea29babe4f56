"""What all scorers have in common, their intervals, and the scorer of sources that are no
benchmark.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from benchmark_tasks import gqa_task, labelled, memes, pope_tasks, scored, task, values
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.evaluate.benchmarks import pope
from workbench.evaluate.benchmarks.scorers import BENCHMARKS, scorer
from workbench.evaluate.benchmarks.scores import UNLABELLED, SystemAnswer


def test_other_sources_are_scored_as_programs_are() -> None:
    tasks = [
        task("collages", 1, ["3"], family="count", answer_type="integer"),
        task("collages", 2, ["dog"], ("cat", "dog"), family="kind", answer_type="choice"),
        task("collages", 3),
    ]
    scores = scored(tasks, ["three dogs", "(a)", "x"])
    assert values(scores) == {"accuracy": 0.5, "family/count": 1.0, "family/kind": 0.0}
    assert scores.left_out == {UNLABELLED: 1}


@pytest.mark.parametrize("source", [*BENCHMARKS])
def test_no_answers_score_nothing_and_are_counted(source: str) -> None:
    scores = scorer(source).score(labelled(source), {})
    assert (scores.unanswered, set(scores.per_task.values())) == (2, {0.0})


@pytest.mark.parametrize("source", [*BENCHMARKS, "collages"])
def test_no_tasks_give_an_undefined_figure_that_says_so(source: str) -> None:
    scores = scorer(source).score([], {})
    assert (scores.value, scores.of) == (None, 0)
    assert scores.metrics[scores.name].note
    assert scorer(source).interval([], {}) is None


@pytest.mark.parametrize("source", [*BENCHMARKS])
@settings(deadline=None)
@given(said=st.lists(st.text(), min_size=2, max_size=2))
def test_any_text_scores_between_0_and_1(source: str, said: list[str]) -> None:
    scores = scored(labelled(source), said)
    assert all(0.0 <= value <= 1.0 for value in scores.per_task.values())


@pytest.mark.parametrize(
    ("source", "name"), [("gqa", "balanced"), ("mmbench", "base"), ("aokvqa", "difficult")]
)
def test_a_task_without_its_official_data_is_named(source: str, name: str) -> None:
    first = labelled(source)[0]
    broken = replace(first, meta={key: held for key, held in first.meta.items() if key != name})
    with pytest.raises(
        InputError, match=f"task '{first.id}' of '{source}' has no '{name}' in its meta data"
    ):
        scored([broken], ["x"])


def test_the_interval_is_wilsons_where_each_picture_has_one_question() -> None:
    tasks = [gqa_task(str(i)) for i in range(10)]
    found = scorer("gqa").interval(tasks, {asked.id: SystemAnswer("yes") for asked in tasks[:8]})
    assert found is not None
    assert (found.method, found.value, found.n, found.clusters) == ("wilson", 0.8, 10, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_the_interval_of_f1_keeps_pictures_together() -> None:
    tasks = [asked for split in pope.SPLITS for asked in pope_tasks(split, "yn" * 20)]
    drawn = random.Random(0)
    answers = {asked.id: SystemAnswer(drawn.choice(["yes", "no"])) for asked in tasks}
    scores, found = scorer("pope").score(tasks, answers), scorer("pope").interval(tasks, answers)
    assert found is not None
    assert scores.value is not None
    assert (found.value, found.n, found.clusters) == (scores.value, 120, 20)
    assert found.low < scores.value < found.high


def test_the_interval_of_the_area_lies_around_it() -> None:
    tasks, answers = memes(
        "yn" * 20, [0.5 + (0.3 if i % 4 == 0 else -0.1 * (i % 3)) for i in range(40)]
    )
    found = scorer("hateful").interval(tasks, answers)
    assert found is not None
    assert found.low < found.value < found.high <= 1.0


def test_scores_are_plain_json_without_single_tasks() -> None:
    told = scored([gqa_task("1")], ["yes"]).to_json()
    assert (told["name"], told["value"], told["of"], told["unanswered"]) == ("accuracy", 1.0, 1, 0)
    assert told["metrics"]["accuracy"] == {"value": 1.0, "of": 1, "note": ""}
    assert "per_task" not in told
