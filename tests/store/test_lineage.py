"""Jobs, models and evaluations as rows: written again they give way, and they hang together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from curation_project import Voice
from sharing_processes import HOLD, Child, children
from store_rows import empty_project, loop_records, put_in_force, task

from workbench.errors import StoreError
from workbench.store import (
    Evaluation,
    JobRow,
    ModelRow,
    Project,
    Selection,
)
from workbench.store.reading import evaluations, lineage, snapshots

DAY = datetime(2026, 1, 2)
JOB = JobRow(
    "j1",
    "mine",
    "jobs/j1",
    "done",
    "snap",
    "bundled",
    "vpd",
    3,
    {"seed": 3, "steps": 4},
    "kin",
    4,
    4,
    {"model": "model"},
    {},
    "stamp",
    DAY,
)
MODEL = ModelRow("digest", "j1", "mine", "vpd", 4, "jobs/j1/model", DAY)
EVALUATION = Evaluation(
    "e1",
    "vpd seed 3",
    "student",
    "direct",
    "part",
    "digest",
    "j1",
    "snap",
    "made",
    "test",
    None,
    2,
    "accuracy",
    0.5,
    0.1,
    0.9,
    {"count": {"value": 0.5, "of": 2, "low": 0.1, "high": 0.9}},
    {},
    {"tokens": 2.5},
    {},
    DAY,
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(empty_project(tmp_path)) as made:
        yield made


def write_all(project: Project) -> None:
    lineage.put_jobs(
        project.database,
        [JOB],
        {"j1": [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5}]},
        [MODEL],
    )
    evaluations.put(
        project.database,
        [EVALUATION],
        {"e1": {"a": ("2", 1.0), "b": (None, 0.0), "c": ("9", None)}},
    )


def test_what_was_written_comes_back(project: Project) -> None:
    write_all(project)
    found = project.lineage()
    assert (found.jobs, found.models, found.evaluations) == ((JOB,), (MODEL,), (EVALUATION,))
    assert project.metrics("j1") == [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5}]
    assert project.evaluation_scores("e1") == {"a": 1.0, "b": 0.0}, (
        "a question that does not count has no score"
    )
    assert evaluations.evaluation_answers(project.database, "e1") == {"a": "2", "c": "9"}


def test_what_is_written_again_gives_way(project: Project) -> None:
    write_all(project)
    lineage.put_jobs(
        project.database,
        [replace(JOB, state="failed", result={})],
        {"j1": [{"step": 1, "loss": 3.0}]},
        [],
    )
    evaluations.put(project.database, [replace(EVALUATION, value=1.0)], {"e1": {"a": ("2", 1.0)}})
    found = project.lineage()
    assert [(row.state, row.result) for row in found.jobs] == [("failed", {})]
    assert found.models == ()
    assert project.metrics("j1") == [{"step": 1, "loss": 3.0}]
    assert [row.value for row in found.evaluations] == [1.0]
    assert project.evaluation_scores("e1") == {"a": 1.0}


def test_a_job_whose_folder_is_gone_stays_in_the_lineage(project: Project) -> None:
    write_all(project)
    lineage.mark_deleted(project.database, ["j1"])
    (row,) = project.lineage().jobs
    assert (row.state, row.stamp, row.result) == ("deleted", "", JOB.result)


def test_two_processes_write_the_same_rows(project: Project) -> None:
    """Another process owns the store; this one works through it, twice."""
    path = project.path
    project.close()
    with children(Child(HOLD, path)) as (owner,):
        owner.wait_lines(1)
        with Project.open(path) as attached:
            assert not attached.database.owner
            write_all(attached)
            write_all(attached)
            assert attached.lineage().evaluations == (EVALUATION,)
            assert attached.evaluation_scores("e1") == {"a": 1.0, "b": 0.0}
        owner.end()


def test_snapshots_know_their_questions_and_the_time_in_them(project: Project) -> None:
    made = loop_records(task(0), 3)
    made.write(project)
    database = project.database
    assert snapshots.snapshot_questions(database) == snapshots.SnapshotQuestions(0, 0)
    (last,) = project.curation.decide([Voice("ann").accept(made, seconds=90.0)])
    snapshot = "INSERT INTO snapshot VALUES (?, '', '{}', '{}', ?, ?)"
    row = "INSERT INTO snapshot_row VALUES (?, ?, NULL, NULL, ?)"
    with_rows = [(JOB.snapshot, "a", "train"), (JOB.snapshot, "b", "val"), ("new", "a", "train")]

    def write(cursor: Any) -> None:
        cursor.execute(snapshot, [JOB.snapshot, last.id, DAY])
        cursor.execute(snapshot, ["new", None, DAY + timedelta(days=1)])
        for values in with_rows:
            cursor.execute(row, values)

    database.transaction(write)
    assert snapshots.snapshot_questions(database) == snapshots.SnapshotQuestions(1, 0)
    lineage.put_jobs(database, [JOB], {}, [MODEL])
    assert snapshots.snapshot_questions(database) == snapshots.SnapshotQuestions(1, 1)
    assert snapshots.review_minutes(database) == {JOB.snapshot: 1.5}


def test_reading_alone_writes_nothing(project: Project) -> None:
    path = project.path
    project.close()
    with Project.open(path, read_only=True) as found:
        assert found.lineage().jobs == ()
        with pytest.raises(StoreError, match="opened read-only"):
            write_all(found)


def test_a_selection_may_be_of_one_source(project: Project) -> None:
    project.add_tasks([task(0), replace(task(1), source="other"), task(2, split="test")])
    database = project.database
    assert evaluations.selected_ids(database, Selection(source="other")) == ["made/00001"]
    assert evaluations.selected_ids(database, Selection("train", 5, "made")) == ["made/00000"]
    assert evaluations.selected_ids(database, Selection(limit=2)) == ["made/00000", "made/00001"]


def test_programs_are_told_in_order_with_what_they_cost(project: Project) -> None:
    made = loop_records(task(0), 3)
    project.add_tasks([made.task])
    project.add_programs(made.programs, 0)
    project.add_traces(made.traces)
    runs = evaluations.program_answers(project.database, put_in_force(project), [made.task.id])[
        made.task.id
    ]
    assert [(run.index, run.answer, run.tool_calls) for run in runs] == [
        (0, None, 1),
        (1, "2", 1),
        (2, "3", 1),
    ]
    assert (
        evaluations.program_answers(project.database, put_in_force(project, k=1), [made.task.id])[
            made.task.id
        ]
        == runs[:1]
    )
