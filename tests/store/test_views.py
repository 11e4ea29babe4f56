"""What is read: what is pending, what came of each task, pages, one task, one run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from store_rows import EXECUTOR, STUDENT, Made, empty_project, loop_records, scope_of, task

from workbench.errors import InputError
from workbench.records import Failure, Prediction
from workbench.store import (
    STATUSES,
    Project,
    Scope,
    Selection,
)
from workbench.store.records import pending
from workbench.store.records.rows import part_key

K = 3


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(empty_project(tmp_path)) as made:
        yield made


def written(project: Project, at: int, stages: int = 6, **changes: object) -> Made:
    """Task number `at` with its first `stages` kinds of records in the store."""
    made = loop_records(task(at, **changes), k=K)  # type: ignore[arg-type]
    writes = [
        lambda: project.add_tasks([made.task]),
        lambda: project.add_programs(made.programs, 0),
        lambda: project.add_traces(made.traces),
        lambda: project.add_verdicts([made.verdicts]),
        lambda: project.add_rationales([made.rationale]),
        lambda: project.add_predictions([made.prediction]),
    ]
    for write in writes[:stages]:
        write()
    return made


@pytest.mark.parametrize(
    ("stages", "lacking"),
    [
        (1, {"to_sample", "to_predict"}),
        (2, {"to_execute", "to_predict"}),
        (3, {"to_verify", "to_predict"}),
        (4, {"to_rationalize", "to_predict"}),
        (5, {"to_predict"}),
        (6, set()),
    ],
)
def test_what_is_pending_follows_from_the_rows(
    project: Project, stages: int, lacking: set[str]
) -> None:
    made = written(project, 0, stages)
    scope, all_tasks = scope_of(made), Selection()
    for name in ("to_sample", "to_execute", "to_verify", "to_rationalize", "to_predict"):
        found = getattr(pending, name)(project.database, scope, all_tasks)
        assert bool(found) == (name in lacking), name


def test_pending_keeps_the_order_of_import(project: Project) -> None:
    for at in (4, 2, 7):
        written(project, at, 1)
    scope = scope_of(loop_records(task(0), K))
    assert pending.to_sample(project.database, scope, Selection()) == [
        task(at).id for at in (4, 2, 7)
    ]
    assert pending.to_sample(project.database, scope, Selection(limit=2)) == [
        task(at).id for at in (4, 2)
    ]


def test_pending_programs_come_by_task_and_index(project: Project) -> None:
    made = [written(project, at, 2) for at in (3, 1)]
    ids = pending.to_execute(project.database, scope_of(made[0]), Selection())
    assert ids == [program.id for one in made for program in one.programs]
    assert [program.id for _, program in project.jobs(ids[1:4])] == ids[1:4]


def test_a_task_is_judged_when_all_its_programs_are_traced(project: Project) -> None:
    made = written(project, 0, 2)
    project.add_traces(made.traces[:2])
    assert pending.to_verify(project.database, scope_of(made), Selection()) == []
    project.add_traces(made.traces[2:])
    assert pending.to_verify(project.database, scope_of(made), Selection()) == [made.task.id]


def test_a_broken_run_is_pending_again(project: Project) -> None:
    made = written(project, 0, 2)
    broken = replace(made.traces[1], answer=None, failure=Failure("infra", "the worker died"))
    project.add_traces([made.traces[0], broken, made.traces[2]])
    assert pending.to_execute(project.database, scope_of(made), Selection()) == [broken.program_id]


def test_an_explanation_alone_is_not_an_answer(project: Project) -> None:
    made = written(project, 0, 5)
    project.add_predictions(
        [Prediction("x", made.task.id, "", "There are 2 dogs.", 0.0, 0.1, STUDENT)]
    )
    assert pending.to_predict(project.database, scope_of(made), Selection()) == [made.task.id]


def test_records_of_another_part_do_not_count(project: Project) -> None:
    made = written(project, 0)
    other = replace(scope_of(made), executor=part_key(replace(EXECUTOR, version="2")))
    assert len(pending.to_execute(project.database, other, Selection())) == K
    assert project.counts(other).traces == 0
    assert project.counts(scope_of(made)).traces == K


def outcome_of(project: Project, made: Made) -> object:
    (found,) = [o for o in project.outcomes(scope_of(made)) if o.task_id == made.task.id]
    return found


def test_the_outcome_of_a_kept_task(project: Project) -> None:
    made = written(project, 0)
    (found,) = project.outcomes(scope_of(made))
    assert (
        found.status,
        found.programs,
        found.traces,
        found.executed,
        found.judged,
        found.correct,
    ) == (
        "kept",
        3,
        3,
        2,
        3,
        1,
    )
    assert (found.chosen, found.answer, found.faithful) == (made.traces[1].id, "2", True)
    # sampling is work; these runs asked no tool, so that they only waited
    assert (found.seconds, found.waiting) == pytest.approx((3 * 0.25, 3 * 0.5))
    assert (found.student_answer, found.student_score, found.student_seconds) == ("3", 0.0, 0.125)


def test_the_status_says_what_came_of_a_task(project: Project) -> None:
    kept = written(project, 0)
    agreed = written(project, 1, answers=())
    written(project, 2, 3)
    wrong = written(project, 3, 3)
    project.add_verdicts(
        [[replace(v, correct=False, chosen=False, score=0.0) for v in wrong.verdicts]]
    )
    failed = loop_records(task(4), K)
    project.add_tasks([failed.task])
    project.add_programs(failed.programs, 0)
    project.add_traces([replace(t, answer=None, failure=Made.failure) for t in failed.traces])
    project.add_verdicts(
        [[replace(v, correct=False, chosen=False, score=0.0) for v in failed.verdicts]]
    )
    found = {o.task_id: o.status for o in project.outcomes(scope_of(kept))}
    assert found == {
        kept.task.id: "kept",
        agreed.task.id: "agreed",
        task(2).id: "waiting",
        wrong.task.id: "wrong",
        failed.task.id: "failed",
    }
    assert set(found.values()) == set(STATUSES)


def test_an_unlabelled_task_has_no_score(project: Project) -> None:
    made = written(project, 0, answers=())
    (found,) = project.outcomes(scope_of(made))
    assert (found.labelled, found.student_answer, found.student_score) == (False, "3", None)


def test_counts_of_every_stage(project: Project) -> None:
    made = written(project, 0)
    written(project, 1, 2, answers=())
    counts = project.counts(scope_of(made))
    assert (
        counts.tasks,
        counts.labelled,
        counts.programs,
        counts.sampled,
        counts.traces,
        counts.executed,
    ) == (
        2,
        1,
        6,
        2,
        3,
        2,
    )
    assert (
        counts.judged,
        counts.kept,
        counts.agreed,
        counts.rationales,
        counts.faithful,
        counts.predictions,
    ) == (
        1,
        1,
        0,
        1,
        1,
        1,
    )
    assert counts.failures == {"runtime": 1}


def test_an_unfaithful_rationale_is_counted(project: Project) -> None:
    made = written(project, 0, 4)
    project.add_rationales([replace(made.rationale, issues=("'3 cats' is not in the trace",))])
    counts = project.counts(scope_of(made))
    assert (counts.rationales, counts.faithful) == (1, 0)


def test_counts_of_an_empty_project(project: Project) -> None:
    counts = project.counts()
    assert (counts.tasks, counts.programs, counts.failures) == (0, 0, {})


def test_a_task_that_is_not_there(project: Project) -> None:
    with pytest.raises(InputError, match="no task is called 'nosuch'"):
        project.task_view("nosuch")


def test_a_task_before_any_run(project: Project) -> None:
    project.add_tasks([task(0)])
    view = project.task_view(task(0).id)
    assert (view.runs, view.rationales, view.predictions, view.chosen, view.prediction) == (
        (),
        (),
        (),
        None,
        None,
    )


def test_a_run_is_found_by_the_beginning_of_its_id(project: Project) -> None:
    made = written(project, 0)
    for some_id in (
        made.traces[2].id,
        made.traces[2].id[:9],
        made.programs[2].id,
        made.programs[2].id[:9],
    ):
        found, run = project.run_view(some_id, scope_of(made))
        assert (found, run.program, run.trace, run.verdict) == (
            made.task,
            made.programs[2],
            replace(made.traces[2], evidence="none"),  # it is derived when a trace is stored
            made.verdicts[2],
        )


def test_a_run_is_found_whatever_the_parts_in_force(project: Project) -> None:
    made = written(project, 0)
    _, run = project.run_view(made.programs[1].id, Scope())
    assert run.trace == replace(made.traces[1], evidence="none")


def test_a_run_that_is_not_there(project: Project) -> None:
    written(project, 0)
    with pytest.raises(
        InputError, match="'zz' names no task, program or trace here; vpd show lists the tasks"
    ):
        project.run_view("zz")


def test_the_beginning_of_two_ids_is_refused(project: Project) -> None:
    made = [written(project, at) for at in range(8)]
    firsts = [p.id[0] for one in made for p in one.programs]
    twice = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(InputError, match=f"'{twice}' fits several programs; give more of it"):
        project.run_view(twice)


def test_a_task_is_not_a_run(project: Project) -> None:
    written(project, 0)
    with pytest.raises(InputError, match="is a task, not a program or trace; ask for the task"):
        project.run_view(task(0).id)


def test_seconds_add_up_for_the_parts_in_force(project: Project) -> None:
    run = project.start_run(Scope(k=3), Selection(), "sample")
    made = loop_records(task(0), K)
    current = project.set_part(run, "sampler", made.programs[0].sampler)
    project.add_timing(run, "sample", current, 10, 2.0)
    project.add_timing(run, "sample", current, 5, 1.0)
    project.add_timing(run, "sample", "an earlier sampler", 100, 50.0)
    project.add_timing(run, "import", None, 7, 0.5)
    assert project.seconds() == {"sample": (15, 3.0), "import": (7, 0.5)}


def test_a_whole_id_wins_over_longer_ones_that_begin_with_it(project: Project) -> None:
    made = loop_records(task(0), 3)
    programs = [replace(one, id=f"ab{'c' * at}") for at, one in enumerate(made.programs)]
    traces = [
        replace(one, id=f"t{'1' * (at + 1)}", program_id=programs[at].id)
        for at, one in enumerate(made.traces)
    ]
    project.add_tasks([made.task])
    project.add_programs(programs, 0)
    project.add_traces(traces)
    for at in range(3):
        assert project.run_view(programs[at].id)[1].program.id == programs[at].id
        assert project.run_view(traces[at].id)[1].program.id == programs[at].id
    with pytest.raises(InputError, match="'a' fits several programs"):
        project.run_view("a")
