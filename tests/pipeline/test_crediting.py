"""Credit of calls in a project: stored with the checks, written as lines, used as a filter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_project import finished_project
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import ProfileError
from workbench.evaluate.wrong_reasons.credit_weight import StepCredit
from workbench.pipeline.crediting import credited
from workbench.pipeline.snapshotting import SnapshotWish, preview
from workbench.recipes.ports import SnapshotRow
from workbench.records import Decision
from workbench.screen.credit import with_credit
from workbench.screen.steps import steps_of
from workbench.store import Project
from workbench.store.reading import checks
from workbench.study.checking import check


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Twelve questions on six pictures that went through the loop; kept runs were checked."""
    with Project.open(finished_project(tmp_path)) as made:
        check(made)
        yield made


def kept(project: Project) -> list[str]:
    return [one.chosen for one in project.outcomes() if one.chosen and one.status == "kept"]


def test_the_checks_say_what_each_call_of_a_kept_run_is_worth(project: Project) -> None:
    runs = list(credited(project, kept(project)))
    assert len(runs) == len(kept(project))
    for run in runs:
        (call,) = run.calls
        assert (call.tool, call.by) == ("find", "check")
        assert call.credit is not None
        assert 0 < call.credit <= 1
        assert run.credit == call.credit


def test_a_check_of_an_earlier_version_is_made_again(project: Project) -> None:
    trace = kept(project)[0]
    database = project.database
    database.transaction(
        lambda cursor: cursor.execute(
            "UPDATE trace_check SET calls = NULL WHERE trace_id = ?", [trace]
        )
    )
    assert checks.check_rows(database, [trace])[trace].calls is None
    (run,) = credited(project, [trace])
    assert run.credit is None
    assert check(project).new == 1
    assert checks.check_rows(database, [trace])[trace].calls


def mark(project: Project, trace: str) -> int:
    task, run = project.run_view(trace)
    assert run.trace is not None
    seq = next(event.seq for event in run.trace.events if event.kind == "tool")
    event = Decision(
        "mark-000001", "wrong_step", "ann", "curator", task_id=task.id, trace_id=trace, step=seq
    )
    project.curation.decide([event])
    return seq


def test_a_marked_step_is_worth_less_than_nothing_until_it_is_taken_back(project: Project) -> None:
    trace = kept(project)[0]
    seq = mark(project, trace)
    (run,) = credited(project, [trace])
    assert (run.first_wrong, run.author, run.credit) == (seq, "ann", -1.0)
    undo = Decision(
        "undo-0001", "undo", "ann", "curator", task_id=run.task.id, target="mark-000001"
    )
    project.curation.decide([undo])
    (run,) = credited(project, [trace])
    assert run.first_wrong is None
    assert run.credit is not None
    assert run.credit > 0


def test_too_little_credit_keeps_a_run_out_of_a_snapshot(project: Project) -> None:
    wish = {"accepted": "automatic", "bare": True, "flagged": True}
    plain = preview(project, SnapshotWish(**wish))
    trace = plain.examples[0].trace_id
    assert trace is not None
    mark(project, trace)
    draft = preview(project, SnapshotWish(**wish, least_credit=0.0))
    assert {e.trace_id for e in plain.examples} - {e.trace_id for e in draft.examples} == {trace}
    left = {row.reason: row.count for row in draft.left_out}
    assert left["its tool calls have less than 0.0 credit on average"] == 1
    labels = preview(project, SnapshotWish(**wish, least_credit=0.0, labels=True))
    (example,) = [e for e in labels.examples if e.task_id == plain.examples[0].task_id]
    assert (example.kind, example.rationale) == ("label", None)
    assert preview(project, SnapshotWish(**wish, least_credit=1.0)).examples == ()


def test_the_command_writes_a_label_for_each_step(project: Project, tmp_path: Path) -> None:
    trace = kept(project)[0]
    mark(project, trace)
    path = project.path
    project.close()
    vpd, out = CliRunner(), tmp_path / "steps.jsonl"
    done = vpd.invoke(app, ["steps", str(out), "--project", str(path)])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert f"{len(rows)} runs in" in done.output
    assert "1 with a person's" in done.output
    (marked,) = [row for row in rows if row["trace"] == trace]
    assert (marked["labels"], marked["credits"], marked["marked_by"]) == ([False], [-1.0], "ann")
    assert marked["completions"][0].startswith("<patch at 0 0 96 96>.find(object_name=")
    assert all(row["labels"] == [True] for row in rows if row["trace"] != trace)
    again = vpd.invoke(app, ["steps", str(out), "--project", str(path)])
    assert again.exit_code == 2
    assert "is there already; name a new file" in again.output
    only = tmp_path / "people.jsonl"
    vpd.invoke(app, ["steps", str(only), "--project", str(path), "--people"])
    assert [json.loads(line)["trace"] for line in only.read_text().splitlines()] == [trace]
    shown = vpd.invoke(app, ["show", trace, "--project", str(path)])
    assert "-1.00: the first wrong step, says ann" in shown.output


def test_without_checks_and_marks_the_command_says_what_to_do(tmp_path: Path) -> None:
    path = finished_project(tmp_path)
    done = CliRunner().invoke(app, ["steps", str(tmp_path / "s.jsonl"), "--project", str(path)])
    assert done.exit_code == 2
    assert "nothing is known of any step yet; check the kept runs (vpd check)" in done.output
    assert not (tmp_path / "s.jsonl").exists()


def test_step_says_what_a_call_is_worth(project: Project) -> None:
    trace = kept(project)[0]
    _, run = project.run_view(trace)
    assert run.trace is not None
    steps = steps_of(run.trace.events)
    (credit,) = credited(project, [trace])
    shown = with_credit(steps, credit)
    (fact,) = [fact for step in shown if step.kind == "tool" for fact in step.facts[-1:]]
    assert fact.startswith("credit +")
    assert fact.endswith("share of its changes that move the answer")
    assert with_credit(steps, None) == steps  # a draft that is not stored
    mark(project, trace)
    (credit,) = credited(project, [trace])
    shown = with_credit(steps, credit)
    assert any("credit -1.00: the first wrong step, says ann" in step.facts for step in shown)
    assert not any("credit" in fact for step in steps for fact in step.facts)


def test_credit_weighs_the_examples(project: Project) -> None:
    part = "workbench.evaluate.wrong_reasons.credit_weight:StepCredit"
    wish = {"accepted": "automatic", "bare": True, "flagged": True, "val": 0.0}
    plain = preview(project, SnapshotWish(**wish))
    first = plain.examples[0].trace_id
    assert first is not None
    mark(project, first)
    draft = preview(project, SnapshotWish(**wish, select=({"part": part},)))
    assert {e.trace_id for e in plain.examples} - {e.trace_id for e in draft.examples} == {first}
    runs = {run.trace.id: run.credit for run in credited(project, kept(project))}
    credits = [runs[e.trace_id] for e in draft.examples if e.trace_id is not None]
    mean = sum(one or 0.0 for one in credits) / len(credits)
    weights = [e.weight for e in draft.examples]
    assert weights == pytest.approx([(one or 0.0) / mean for one in credits])
    left = {row.reason for row in draft.left_out}
    assert "step_credit: its tool calls have too little credit" in left


def test_a_strange_setting_of_the_weights_is_told() -> None:
    with pytest.raises(ProfileError, match="step_credit needs least as a number from -1 to 1"):
        StepCredit(least=2)
    with pytest.raises(ProfileError, match="step_credit needs unknown as a number from 0 to 1"):
        StepCredit(unknown=-0.5)
    rows = [SnapshotRow("t", "2", None, credit=one) for one in (None, 0.0, 0.4, -1.0)]
    assert [one.weight for one in StepCredit().weigh(rows)] == [0.5, 0.0, 0.4, 0.0]
    assert [one.weight for one in StepCredit(0.5, 0.0).weigh(rows)] == [0.0] * 4
