"""Ids of what fits a condition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from curation_project import Voice, make_project
from store_rows import Made, loop_records, task

from workbench.records import content_key
from workbench.store import Project
from workbench.store.reading import ids
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.reading.views import rationale_issues, rationale_text

Looped = tuple[Project, list[Made]]


@pytest.fixture
def looped(tmp_path: Path) -> Iterator[Looped]:
    project, made = make_project(tmp_path, 3)
    with project:
        yield project, made


def test_examples_are_judged_questions_and_the_same_each_time(looped: Looped) -> None:
    project, made = looped
    project.add_tasks([task(9)])
    bring_up_to_date(project.database)
    examples = ids.example_ids(project.database, 10)
    assert sorted(examples) == [one.task.id for one in made]
    assert ids.example_ids(project.database, 2) == examples[:2]


def test_a_labelled_question_that_is_not_wanted_again_comes_last(looped: Looped) -> None:
    project, made = looped
    project.add_tasks([task(9, answers=())])
    last = made[1].task.id
    drawn = ids.labelled_ids(project.database, last, 10)
    assert (drawn[-1], sorted(drawn)) == (last, [one.task.id for one in made])
    assert len(ids.labelled_ids(project.database, last, 2)) == 2


def test_a_larger_sample_contains_the_smaller(looped: Looped) -> None:
    project, _ = looped
    project.add_tasks([task(9, split="test")])
    every = ids.sample_ids(project.database, None, None, seed=1)
    assert len(every) == 4
    assert ids.sample_ids(project.database, None, 2, seed=1) == every[:2]
    assert ids.sample_ids(project.database, "test", None, seed=1) == [task(9).id]


def test_traces_lead_to_their_questions(looped: Looped) -> None:
    project, made = looped
    traces = [trace.id for one in made[:2] for trace in one.traces]
    found = ids.task_ids_of_traces(project.database, traces)
    assert sorted(found) == [one.task.id for one in made[:2]]


def test_repaired_programs_count_once_they_ran(looped: Looped) -> None:
    project, made = looped
    parent = made[0].programs[0]
    repaired = [
        replace(parent, id=content_key("repair", at), source=f"# {at}", parent=parent.id)
        for at in range(2)
    ]
    project.add_programs(repaired, 0)
    trace = replace(made[0].traces[1], id="repaired", program_id=repaired[1].id)
    project.add_traces([trace])
    assert project.task_view(made[0].task.id).edits == (repaired[1].id,)
    assert project.task_view(made[1].task.id).edits == ()


def test_the_indexes_of_a_questions_programs(looped: Looped) -> None:
    project, made = looped
    indexes = ids.program_indexes(project.database, made[0].task.id)
    assert indexes == {program.id: program.index for program in made[0].programs}


def test_which_decisions_are_stored(looped: Looped) -> None:
    project, made = looped
    accept = Voice("ada").accept(made[0])
    project.curation.decide([accept])
    assert ids.decision_ids(project.database, [accept.id, "another"]) == {accept.id}


def test_sources_with_their_splits(looped: Looped) -> None:
    project, _ = looped
    project.add_tasks([task(9, split="test")])
    assert ids.sources_and_splits(project.database) == [("made", "test"), ("made", "train")]


def test_the_issues_and_the_text_of_a_rationale(looped: Looped) -> None:
    project, _ = looped
    flawed = loop_records(task(9), 3)
    rationale = replace(flawed.rationale, issues=("a number that the trace lacks",))
    flawed = replace(flawed, rationale=rationale)
    flawed.write(project)
    writer, trace = project.scope().writer, rationale.trace_id
    issues = rationale_issues(project.database, writer, [trace, "another"])
    assert issues == {trace: rationale.issues}
    assert rationale_issues(project.database, None, [trace]) == {}
    assert rationale_text(project.database, rationale.id) == rationale.text
    assert rationale_text(project.database, "another") is None
