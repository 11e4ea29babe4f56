"""Preference pairs: who prefers what, people before verdicts, one side for each picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.errors import SnapshotError
from workbench.pipeline.pairing import MOST_EACH
from workbench.pipeline.snapshotting import SnapshotWish, preview, take
from workbench.records import Decision
from workbench.snapshot import Pair, Snapshot
from workbench.store import Project, Run

EVERY = SnapshotWish(accepted="both", pairs=True, bare=True)
PEOPLE = SnapshotWish(accepted="person", pairs=True)


Decide = Callable[..., Decision]


@pytest.fixture
def decide(project: Project) -> Decide:
    """Ann (or another) says something of a run."""
    count = iter(range(10**6))

    def say(kind: str, run: Run, author: str = "ann", **more: Any) -> Decision:
        assert run.trace is not None
        about: dict[str, Any] = {"trace_id": run.trace.id}
        if kind in ("accept", "adjudicate"):
            view = project.task_view(run.program.task_id)
            about["rationale_id"] = next(
                (one.id for one in view.rationales if one.trace_id == run.trace.id), None
            )
        event = Decision(
            f"test-{next(count):06d}",
            kind,
            author,
            **{"role": "curator", "task_id": run.program.task_id, **about, **more},
        )  # type: ignore[arg-type]
        return project.curation.decide([event])[0]

    return say


def pairs(project: Project, wish: SnapshotWish = EVERY) -> list[Pair]:
    return list(preview(project, wish).pairs)


def mixed(project: Project) -> tuple[str, list[Run], list[Run]]:
    """A labelled training question with right and wrong programs, and these."""
    for row in project.browse("split:train").rows:
        view = project.task_view(row[0].id)
        right = [run for run in view.runs if run.verdict and run.verdict.correct]
        wrong = [
            run
            for run in view.runs
            if run.verdict and not run.verdict.correct and run.trace and run.trace.ok
        ]
        texts = {run.program.source for run in right}
        if view.task.labelled and right and any(w.program.source not in texts for w in wrong):
            return view.task.id, right, wrong
    raise AssertionError("the project has no such question")


def test_right_programs_stand_against_wrong_ones_of_their_question(project: Project) -> None:
    made = [pair for pair in pairs(project) if pair.kind == "program"]
    assert made
    verdict = {
        run.program.id: run.verdict
        for task, _ in project.browse("", limit=50).rows
        for run in project.task_view(task.id).runs
    }
    for pair in made:
        assert (pair.origin, pair.reviewers) == ("verdict", ())
        good, bad = verdict[pair.chosen_id], verdict[pair.rejected_id]
        assert good is not None
        assert good.correct
        assert bad is not None
        assert not bad.correct
        assert good.task_id == bad.task_id == pair.task_id
        assert pair.chosen != pair.rejected
        assert pair.task_split == "train"
        assert pair.prompt.endswith(f"# {pair.question}\n")
        assert "def find(" in pair.prompt
    for task in {pair.task_id for pair in made}:
        assert sum(pair.task_id == task for pair in made) <= MOST_EACH
    told = [pair for pair in pairs(project) if pair.kind == "rationale"]
    assert told
    for pair in told:  # the kept run's rationale against one that tells a wrong run
        view = project.task_view(pair.task_id)
        assert view.chosen is not None
        assert view.chosen.trace is not None
        assert pair.chosen_trace == view.chosen.trace.id
        wrong = {r.trace.id for r in view.runs if r.trace and r.verdict and not r.verdict.correct}
        assert pair.rejected_trace in wrong
        assert (pair.origin, pair.prompt) == ("verdict", "")
    left = {row.reason: row.count for row in preview(project, EVERY).left_out}
    assert any(reason.startswith("no pair: ") for reason in left)


def test_a_persons_word_outranks_the_verdict(project: Project, decide: Decide) -> None:
    task, right, wrong = mixed(project)
    text = right[0].program.source
    same = [run for run in right if run.program.source == text]
    for run in same:  # what one person rejects is no longer right, whatever its answer
        decide("reject", run, f"bob{run.program.index}", reason="wrong_reason")
    made = [pair for pair in pairs(project) if pair.task_id == task]
    assert text not in {pair.chosen for pair in made}
    decide("accept", wrong[0], "eva")
    made = [pair for pair in pairs(project) if pair.task_id == task]
    assert made[0].chosen_id == wrong[0].program.id
    assert made[0].origin == "person"
    assert "eva" in made[0].reviewers
    assert "accepted by eva" in made[0].why
    only = pairs(project, PEOPLE)
    assert {pair.task_id for pair in only} == {task}
    assert all(pair.reviewers for pair in only)


def test_people_who_contradict_each_other_make_no_pair_and_an_adjudicator_settles_it(
    project: Project, decide: Decide
) -> None:
    task, right, _ = mixed(project)
    run = right[0]
    decide("accept", run, "ann")
    decide("reject", run, "bob", reason="wrong_program")
    ids = {i for p in pairs(project) if p.task_id == task for i in (p.chosen_id, p.rejected_id)}
    assert run.program.id not in ids
    decide("adjudicate", run, "joy", role="adjudicator", ruling="accept")
    chosen = {p.chosen_id: p for p in pairs(project) if p.task_id == task}
    assert run.program.id in chosen
    assert "joy" in chosen[run.program.id].reviewers


def test_a_marked_step_speaks_against_the_run_and_taken_back_it_does_not(
    project: Project, decide: Decide
) -> None:
    task, right, _ = mixed(project)
    run = right[0]
    mark = decide("wrong_step", run, "ann", step=1)
    assert run.program.id not in {p.chosen_id for p in pairs(project) if p.task_id == task}
    project.curation.decide(
        [Decision("undo-0001", "undo", "ann", "curator", task_id=task, target=mark.id)]
    )
    assert pairs(project, PEOPLE) == []


def test_of_a_question_that_people_call_bad_nothing_is_taken(
    project: Project, decide: Decide
) -> None:
    task, right, _ = mixed(project)
    decide("reject", right[0], reason="ambiguous")
    draft = preview(project, EVERY)
    assert task not in {pair.task_id for pair in draft.pairs}
    assert "no pair: rejected: ambiguous question" in {row.reason for row in draft.left_out}


def test_an_edit_is_preferred_to_what_it_replaces(project: Project, decide: Decide) -> None:
    _, right, _ = mixed(project)
    run = next(run for run in right if run.verdict and run.verdict.chosen)
    assert run.trace is not None
    view = project.task_view(run.program.task_id)
    (rationale,) = [one for one in view.rationales if one.trace_id == run.trace.id]
    wording = f"The picture was counted. {rationale.text}"
    event = Decision(
        "edit-000001", "edit", "ann", "curator", task_id=view.task.id, rationale_id=rationale.id
    )
    edit = project.curation.edit_rationale(event, wording)
    (pair,) = pairs(project, PEOPLE)
    assert (pair.kind, pair.origin, pair.reviewers) == ("rationale", "edit", ("ann",))
    assert (pair.chosen, pair.rejected) == (wording, rationale.text)
    assert (pair.chosen_id, pair.rejected_id) == (edit.id, rationale.id)
    assert (pair.prompt, pair.chosen_trace) == ("", run.trace.id)


def test_an_unfaithful_rationale_stands_against_a_faithful_one(
    project: Project, decide: Decide
) -> None:
    _, right, _ = mixed(project)
    run = next(run for run in right if run.verdict and run.verdict.chosen)
    view = project.task_view(run.program.task_id)
    assert run.trace is not None
    (old,) = [one for one in view.rationales if one.trace_id == run.trace.id]
    wrong = "There is a blue dog at 1 2 3 4. " + old.text
    event = Decision(
        "edit-000001", "edit", "ann", "curator", task_id=view.task.id, rationale_id=old.id
    )
    edit = project.curation.edit_rationale(event, wrong)
    assert edit.issues
    undo = Decision(
        "undo-0001", "undo", "ann", "curator", task_id=view.task.id, target="edit-000001"
    )
    project.curation.decide([undo])

    def against() -> Pair:
        return next(p for p in pairs(project) if p.rejected == wrong)

    assert (against().chosen, against().origin, against().reviewers) == (old.text, "check", ())
    assert "not supported by the trace" in against().why
    decide("accept", run, "eva", rationale_id=old.id)
    assert (against().chosen, against().origin) == (old.text, "person")
    assert against().reviewers == ("eva",)


def test_a_snapshot_keeps_its_pairs_and_a_picture_is_on_one_side(project: Project) -> None:
    wish = SnapshotWish(accepted="both", pairs=True, bare=True, labels=True, val=0.5)
    snapshot = take(project, wish)
    again = Snapshot.open(snapshot.path)
    made = again.pairs()
    assert sorted(made, key=repr) == sorted(preview(project, wish).pairs, key=repr)
    assert again.manifest.content.pairs is not None
    assert again.manifest.content.pairs["count"] == len(made)
    assert again.problems() == []
    side: dict[str, str] = {}
    for row in (*made, *again.examples()):
        assert side.setdefault(row.image, row.split) == row.split
    assert {pair.split for pair in made} == {"train", "val"}
    assert again.pairs("train") + again.pairs("val") == made
    assert all(again.images.path(pair.image) is not None for pair in made)
    assert take(project, wish).hash == snapshot.hash
    (again.path / "pairs.parquet").write_bytes(b"something else")
    with pytest.raises(SnapshotError, match=r"pairs\.parquet was changed after it was written"):
        Snapshot.open(snapshot.path)


def test_without_pairs_a_snapshot_is_what_it_was(project: Project) -> None:
    snapshot = take(project, SnapshotWish(accepted="automatic", bare=True))
    assert snapshot.pairs() == []
    text = (snapshot.path / "manifest.json").read_text()
    assert '"pairs": [' in text  # of leaking pictures
    assert "pairs.parquet" not in text
    assert '"repaired"' not in text
