"""Pipeline against student: cells, slices, and a p that is McNemar's."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from finished_project import finished_project
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from workbench.errors import InputError
from workbench.store import Outcome, Project
from workbench.study.two_by_two import CELLS, FILTERS, Table, cell_of, compare, in_cell


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path_factory.mktemp("compare"))) as made:
        yield made


@pytest.fixture(scope="module")
def outcomes(project: Project) -> list[Outcome]:
    return project.outcomes()


@given(st.integers(0, 60), st.integers(0, 60))
def test_p_is_the_chance_of_a_split_as_uneven(pipeline: int, student: int) -> None:
    p = Table(3, pipeline, student, 4).p
    if pipeline + student == 0:
        assert p is None
        return
    exact = min(1.0, 2 * binom.cdf(min(pipeline, student), pipeline + student, 0.5))
    assert p == pytest.approx(exact)


def test_p_of_a_published_table() -> None:
    """Agresti, Categorical Data Analysis (1990), table 10.1: 150 changed one way, 86 the other; z =
    4.17.
    """
    assert Table(794, 150, 86, 570).p == pytest.approx(3.7e-5, rel=0.02)


def test_every_question_stands_in_one_cell_or_is_left_out(outcomes: list[Outcome]) -> None:
    found = compare(outcomes)
    assert found.all.of + found.left_out == len(outcomes)
    assert found.left_out == sum(not outcome.labelled for outcome in outcomes) > 0
    ids = [task for cell in CELLS for task in in_cell(outcomes, cell)]
    assert len(ids) == len(set(ids)) == found.all.of


def test_families_add_up_to_the_whole(outcomes: list[Outcome]) -> None:
    found = compare(outcomes)
    for cell in CELLS:
        assert sum(getattr(table, cell) for table in found.families.values()) == getattr(
            found.all, cell
        )
    assert set(found.tools) == {"find"}


def test_any_counts_for_the_pipeline_what_one_program_may_not(outcomes: list[Outcome]) -> None:
    right = {
        name: compare(outcomes, name).all.pipeline_right.hits for name in ("any", "vote", "first")
    }
    assert right["any"] > right["first"]
    assert right["any"] >= right["vote"]


def test_the_most_frequent_answer_decides_a_vote(outcomes: list[Outcome]) -> None:
    outcome = next(one for one in outcomes if one.labelled and one.student == "wrong")
    lines = [
        replace(line, answer=answer, result=result)
        for line, (answer, result) in zip(
            outcome.runs,
            [("3", "wrong"), ("Two ", "right"), ("two", "right"), (None, "crashed")],
            strict=True,
        )
    ]
    asked = replace(outcome, runs=tuple(lines), correct=2)
    assert (cell_of(asked, "vote"), cell_of(asked, "first"), cell_of(asked)) == (
        "pipeline",
        "neither",
        "pipeline",
    )


def test_the_filter_of_a_cell_finds_its_questions_in_browse(
    project: Project, outcomes: list[Outcome]
) -> None:
    for cell in CELLS:
        assert sorted(project.browse_ids(FILTERS[cell])) == sorted(in_cell(outcomes, cell))


def test_wrong_words_are_refused_with_the_right_ones(outcomes: list[Outcome]) -> None:
    with pytest.raises(InputError, match="first, vote, any"):
        compare(outcomes, "best")
    with pytest.raises(InputError, match="both, pipeline, student, neither"):
        in_cell(outcomes, "all")
