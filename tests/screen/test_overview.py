"""The dashboard's figures agree with the report, which counts from the records themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_project import finished_project

from workbench.pipeline.report import report
from workbench.records import Decision
from workbench.screen.charts.overview import overview
from workbench.store import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path)) as made:
        yield made


def test_figures_equal_the_reports(project: Project) -> None:
    found, told = overview(project), report(project)
    assert (found.kept, found.executed, found.student) == (
        told.all.kept,
        told.all.executed,
        told.all.student,
    )
    curve = dict(found.curve)
    assert {size: curve[size].hits for size in (1, 4)} == {
        size: pytest.approx(share.hits) for size, share in told.all.passed.items()
    }
    assert sum(one["runs"] for one in found.errors) == sum(told.counts.failures.values())
    assert found.models[0].seconds == pytest.approx(told.seconds_per_question)
    families = {one.name: (one.tasks, one.first.hits, one.student) for one in found.families}
    assert families == {
        name: (one.tasks, pytest.approx(one.passed[1].hits), one.student)
        for name, one in told.families.items()
    }


def test_pass_at_k_grows_with_k_and_ends_at_the_yield(project: Project) -> None:
    found = overview(project)
    values = [share.value for _, share in found.curve]
    assert values == sorted(values)
    assert [size for size, _ in found.curve] == [1, 2, 3, 4]
    assert found.curve[-1][1].hits == pytest.approx(found.kept.hits)


def test_an_empty_project_has_no_figure_and_no_error(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        found = overview(project)
    assert (found.tasks, found.curve, found.models, found.errors) == (0, (), (), ())
    assert [step.tasks for step in found.funnel] == [0] * 7
    assert (found.kept.value, found.best, found.pipeline) == (None, None, None)


def test_what_people_say_counts_by_tool(project: Project) -> None:
    kept = [one for one in project.outcomes() if one.chosen]
    accepted, rejected = kept[0], kept[1]
    trace = project.run_view(rejected.chosen)[1].trace
    step = next(event.seq for event in trace.events if event.kind == "tool")
    project.curation.decide(
        [
            Decision(
                "said-0001",
                "accept",
                "ann",
                "curator",
                task_id=accepted.task_id,
                trace_id=accepted.chosen,
            ),
            Decision(
                "said-0002",
                "reject",
                "ann",
                "curator",
                task_id=rejected.task_id,
                trace_id=rejected.chosen,
                reason="wrong_tool_output",
                step=step,
            ),
        ]
    )
    found = overview(project)
    [tool] = found.tools
    assert (tool.name, tool.accepted.hits, tool.accepted.of, tool.blamed) == ("find", 1, 2, 1)
    assert found.own_blame == 0
    assert [one["n"] for one in found.pace] == [2]
    assert [one.decided for one in found.reviewers] == [2]
    assert found.reasons == {"wrong_tool_output": 1}
    assert {step.name: step.tasks for step in found.funnel}["accepted"] == 1
