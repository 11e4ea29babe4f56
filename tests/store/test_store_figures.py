"""The Dashboard's counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hand_made import loop_records, profile_file, put_in_force, task

from workbench.records import TraceEvent
from workbench.store import ErrorCount, Project, ToolFigures


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p", str(profile_file(tmp_path))) as made:
        put_in_force(made)
        yield made


def test_the_funnel_narrows_and_each_step_can_be_searched(project: Project) -> None:
    kept, sampled = loop_records(task(0), 3), loop_records(task(1), 3)
    kept.write(project)
    project.add_tasks([sampled.task, task(2)])
    project.add_programs(sampled.programs, 0)
    steps = project.funnel()
    assert [(step.name, step.tasks) for step in steps] == [
        ("question", 3),
        ("sampled", 2),
        ("executed", 1),
        ("matched", 1),
        ("accepted", 0),
    ]
    assert [project.browse_total(step.token) for step in steps] == [step.tasks for step in steps]


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
    assert project.by_tool() == [
        ToolFigures("find", tasks=1, runs=2, executed=1, judged=2, right=1),
        ToolFigures("exists", tasks=1, runs=1, executed=1, judged=1, right=1),
    ]


def test_errors_by_kind_and_day(project: Project) -> None:
    for at in range(2):
        loop_records(task(at), 3).write(project)
    assert project.errors() == [ErrorCount("runtime", None, runs=2, tasks=2)]
    (by_day,) = project.errors(by_day=True)
    assert by_day.day is not None
    assert (by_day.kind, by_day.runs, by_day.tasks) == ("runtime", 2, 2)


def test_an_empty_project_has_figures(project: Project) -> None:
    assert [step.tasks for step in project.funnel()] == [0] * 5
    assert (project.by_tool(), project.errors()) == ([], [])
