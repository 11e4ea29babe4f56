"""What to do next in a project: what is worth weighing, what it costs, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import InputError
from workbench.pipeline.planning import SECONDS, next_steps, saving
from workbench.records import Decision
from workbench.store import Project


def test_kept_runs_are_curated_unlabelled_questions_labelled_and_hopeless_ones_sampled(
    project: Project,
) -> None:
    outcomes = {one.task_id: one for one in project.outcomes()}
    plan = next_steps(project, minutes=60, programs=1000, more=5)
    by_action = {
        action: {one.task_id for one in (*plan.people, *plan.programs) if one.action == action}
        for action in ("curate", "label", "sample")
    }
    assert by_action["curate"] == {
        id for id, one in outcomes.items() if one.status in ("kept", "agreed")
    }
    assert by_action["label"] == {id for id, one in outcomes.items() if not one.labelled}
    assert by_action["sample"] == {
        id for id, one in outcomes.items() if one.labelled and not one.correct
    }
    assert plan.seconds == SECONDS
    assert not plan.measured
    assert plan.acceptance == "too few decisions yet: 0 of 30"
    for one in (*plan.people, *plan.programs):
        assert 0 < one.gain < 1
        assert one.why
    gains = [one.gain / one.cost for one in plan.people]
    assert gains == sorted(gains, reverse=True)


def test_what_was_decided_is_not_asked_again_and_its_time_counts(project: Project) -> None:
    task = next_steps(project, 60, 0, 5).people[0].task_id
    view = project.task_view(task)
    assert view.chosen is not None
    assert view.chosen.trace is not None
    decision = Decision(
        "test-000001", "accept", "ann", "curator", task_id=task, trace_id=view.chosen.trace.id,
        rationale_id=view.rationales[0].id, seconds=8.0,
    )  # fmt: skip
    project.curation.decide([decision])
    plan = next_steps(project, 60, 0, 5)
    assert task not in {one.task_id for one in plan.people if one.action == "curate"}
    assert (plan.seconds, plan.measured) == (8.0, True)
    assert len(next_steps(project, 0.5, 0, 5).people) == 3
    assert next_steps(project, 60, 0, 5).programs == ()
    assert len(next_steps(project, 0, 7, 5).programs) <= 1


def test_wrong_numbers_and_a_project_without_runs_are_told(
    project: Project, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="minutes and programs must be 0 or more"):
        next_steps(project, -1, 0, 5)
    with pytest.raises(InputError, match="the goal is a share above 0"):
        saving(project, 1.5)
    assert saving(project, 0.8) == "too few decisions yet: 0 of 30"
    with (
        Project.create(tmp_path / "empty") as empty,
        pytest.raises(InputError, match=r"no question was judged yet.*vpd run"),
    ):
        next_steps(empty, 10, 10, 5)


def test_the_command_prints_both_budgets_and_the_replay(project: Project) -> None:
    path = str(project.path)
    project.close()
    vpd = CliRunner()
    done = vpd.invoke(app, ["next", "--project", path, "--minutes", "1", "--top", "2"])
    assert done.exit_code == 0, done.output
    assert "weighed: " in done.output
    assert "a person, 1 minutes (a decision takes 20.00 s, a guess" in done.output
    assert "and 1 more; give --top" in done.output
    table = json.loads(vpd.invoke(app, ["next", "--project", path, "--json"]).output)
    assert set(table["candidates"]) == {"curate", "label", "sample"}
    replay = vpd.invoke(app, ["next", "--project", path, "--simulate"])
    assert "nothing can be replayed: too few decisions yet: 0 of 30" in replay.output
