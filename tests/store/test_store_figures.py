"""The Dashboard's counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from store_rows import empty_project, loop_records, put_in_force, task

from workbench.pipeline.ask import question_task
from workbench.records import TraceEvent
from workbench.store import ErrorCount, Project, Selection, ToolFigures
from workbench.store.reading import checks, evaluations, figures
from workbench.store.reading.checks import CheckRow


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(empty_project(tmp_path)) as made:
        put_in_force(made)
        yield made


def test_the_funnel_narrows_and_each_step_can_be_searched(project: Project) -> None:
    kept, sampled = loop_records(task(0), 3), loop_records(task(1), 3)
    kept.write(project)
    project.add_tasks([sampled.task, task(2)])
    project.add_programs(sampled.programs, 0)
    steps = figures.funnel(project.database)
    assert [(step.name, step.tasks) for step in steps] == [
        ("question", 3),
        ("sampled", 2),
        ("executed", 1),
        ("matched", 1),
        ("accepted", 0),
    ]
    assert [project.browse_total(step.token) for step in steps] == [step.tasks for step in steps]


def asked_by_visitor(project: Project) -> None:
    """One run of a question that a visitor asked, with a tool that nothing else calls."""
    visitor = question_task("0" * 64, "What is it?")
    made = loop_records(visitor, 1)
    call = TraceEvent(0, "tool", 2, 0, {"tool": "verify"})
    project.add_tasks([visitor])
    project.add_programs(made.programs, 0)
    project.add_traces(
        [replace(one, events=(call,), answer="a cup", failure=None) for one in made.traces]
    )


def test_visitors_questions_are_in_no_figure_unless_they_are_asked_for(project: Project) -> None:
    loop_records(task(0), 3).write(project)

    def every_figure() -> tuple[object, ...]:
        database = project.database
        return (
            [step.tasks for step in figures.funnel(database)],
            figures.outcome_totals(database, 0.5),
            figures.judged_groups(database),
            figures.family_groups(database, 0.5),
            figures.by_tool(database),
            figures.errors(database, by_day=True),
            project.counts(),
            [one.task_id for one in project.outcomes()],
        )

    before = every_figure()
    asked_by_visitor(project)
    assert every_figure() == before
    assert figures.visitor_tasks(project.database) == 1
    assert project.counts(selection=Selection(source="compare")).executed == 1
    assert [one.family for one in project.outcomes(selection=Selection("compare"))] == [""]


def test_the_funnels_searches_leave_visitors_out_too(project: Project) -> None:
    loop_records(task(0), 3).write(project)
    asked_by_visitor(project)
    steps = figures.funnel(project.database)
    assert [project.browse_total(step.token) for step in steps] == [step.tasks for step in steps]
    assert [step.tasks for step in steps] == [1, 1, 1, 1, 0]
    assert project.browse_total("") == 2
    assert project.browse_ids("origin:visitor")[0].startswith("compare/")


def test_runs_by_tool(project: Project) -> None:
    made = loop_records(task(0), 3)
    call = [
        TraceEvent(at, "tool", 2, 0, {"tool": tool}) for at, tool in enumerate(("find", "exists"))
    ]
    traces = [
        replace(t, events=tuple(call[: at + 1]) if at < 2 else ())
        for at, t in enumerate(made.traces)
    ]
    project.add_tasks([made.task])
    project.add_programs(made.programs, 0)
    project.add_traces(traces)
    project.add_verdicts([made.verdicts])
    assert figures.by_tool(project.database) == [
        ToolFigures("find", tasks=1, runs=2, executed=1, judged=2, right=1),
        ToolFigures("exists", tasks=1, runs=1, executed=1, judged=1, right=1),
    ]


def test_errors_by_kind_and_day(project: Project) -> None:
    for at in range(2):
        loop_records(task(at), 3).write(project)
    assert figures.errors(project.database, by_day=False) == [
        ErrorCount("runtime", None, runs=2, tasks=2)
    ]
    (by_day,) = figures.errors(project.database, by_day=True)
    assert by_day.day is not None
    assert (by_day.kind, by_day.runs, by_day.tasks) == ("runtime", 2, 2)


def test_an_empty_project_has_figures(project: Project) -> None:
    assert [step.tasks for step in figures.funnel(project.database)] == [0] * 5
    assert (figures.by_tool(project.database), figures.errors(project.database, by_day=False)) == (
        [],
        [],
    )


def test_totals_and_groups_count_every_question(project: Project) -> None:
    for at in range(2):
        loop_records(task(at), 3).write(project)
    loop_records(task(2, answers=(), family="colour"), 3).write(project)
    figures.funnel(project.database)  # brings the summary up to date
    totals = figures.outcome_totals(project.database, 0.5)
    assert (totals.tasks, totals.programs, totals.traces, totals.executed) == (3, 9, 9, 6)
    assert (totals.judged, totals.kept, totals.answered) == (2, 2, 2)
    assert figures.judged_groups(project.database) == [figures.JudgedGroup(3, 1, n=2)]
    colour, count = figures.family_groups(project.database, 0.5)
    assert (colour.family, colour.done, colour.n, colour.answered) == ("colour", False, 1, 0)
    assert (count.family, count.done, count.n, count.answered) == ("count", True, 2, 2)


def test_a_students_answer_is_right_from_a_score_on(project: Project) -> None:
    made = loop_records(task(0), 3)
    made.write(project)
    figures.funnel(project.database)
    score = made.prediction.score
    (student,) = evaluations.student_scores(project.database, score)
    assert (student.n, student.hits) == (1, 1)
    assert project.parts[student.model] == made.prediction.model
    assert figures.outcome_totals(project.database, score).student == 1
    (student,) = evaluations.student_scores(project.database, score + 0.1)
    assert (student.n, student.hits) == (1, 0)
    assert figures.outcome_totals(project.database, score + 0.1).student == 0


def test_the_run_that_writes_now(project: Project) -> None:
    run = project.start_run(project.scope(), Selection(), "predict")
    assert figures.current_run(project.database, 60) is None
    for rows in (2, 3):
        project.add_timing(run, "sample", None, rows, 0.5)
    assert figures.current_run(project.database, 60) == figures.CurrentRun(run, "sample", 5)
    project.end_run(run, 1)
    assert figures.current_run(project.database, 60) is None


def test_the_stamp_of_the_evidence_changes_with_it(project: Project) -> None:
    before = figures.evidence_stamp(project.database)
    assert figures.evidence_stamp(project.database) == before
    checks.add_figures(project.database, "measure", {"n": 1})
    assert figures.evidence_stamp(project.database) != before


def test_flags_count_the_checked_runs_that_are_kept(project: Project) -> None:
    kept = [loop_records(task(at), 3) for at in range(2)]
    for made in kept:
        made.write(project)
    figures.funnel(project.database)
    flags = [("fragile", "shortcut"), ("fragile",)]
    rows = [
        CheckRow(f"check{at}", made.traces[1].id, made.task.id, 0.5, flags[at], ())
        for at, made in enumerate(kept)
    ]
    rows.append(CheckRow("other", kept[0].traces[2].id, kept[0].task.id, 0.5, ("fragile",), ()))
    checks.add(project.database, rows)
    assert checks.flag_counts(project.database) == (2, {"fragile": 2, "shortcut": 1})


def test_an_empty_project_has_no_flags_groups_or_scores(project: Project) -> None:
    assert checks.flag_counts(project.database) == (0, {})
    assert figures.outcome_totals(project.database, 0.5).tasks == 0
    assert figures.judged_groups(project.database) == []
    assert evaluations.student_scores(project.database, 0.5) == []
