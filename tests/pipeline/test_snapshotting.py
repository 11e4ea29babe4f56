"""What enters a snapshot, what is left out and why, and that no evaluation picture comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from workbench.errors import InputError, SnapshotError
from workbench.pipeline.snapshotting import (
    Preview,
    SnapshotWish,
    answer_to_teach,
    folder_of,
    preview,
    take,
)
from workbench.records import AnswerType, Decision, Task
from workbench.snapshot import Snapshot
from workbench.store import Project
from workbench.store.reading import checks, snapshots
from workbench.store.reading.checks import CheckRow
from workbench.store.reading.snapshots import Target

Decide = Callable[..., Decision]


@pytest.fixture
def decide(project: Project) -> Decide:
    """Ann (or another) says something of a task's kept trace."""
    count = iter(range(10**6))

    def say(kind: str, task_id: str, author: str = "ann", **more: Any) -> Decision:
        view = project.task_view(task_id)
        assert view.chosen is not None
        assert view.chosen.trace is not None
        about: dict[str, Any] = {"trace_id": view.chosen.trace.id}
        if kind in ("accept", "adjudicate"):
            about["rationale_id"] = view.rationales[0].id
        event = Decision(
            f"test-{next(count):06d}",
            kind,
            author,
            **{"role": "curator", "task_id": task_id, **about, **more},
        )  # type: ignore[arg-type]
        return project.curation.decide([event])[0]

    return say


def kept(project: Project, split: str = "train") -> list[str]:
    """Labelled tasks with a kept trace."""
    return [task.id for task, _ in project.browse(f"status:kept split:{split}").rows]


def reasons(found: Preview) -> dict[str, int]:
    return {row.reason: row.count for row in found.left_out}


def test_nothing_enters_before_somebody_decided(project: Project) -> None:
    with pytest.raises(
        SnapshotError,
        match=r"nothing fits, .*8 left out: nobody has decided on it yet.*vpd snapshot --auto",
    ):
        take(project, SnapshotWish())
    assert snapshots.snapshot_rows(project.database) == []


def test_what_people_accepted_enters(project: Project, decide: Decide) -> None:
    first, second, third, *_ = kept(project)
    decide("accept", first, guideline="g1")
    decide("reject", second, reason="bad_gold")
    decide("skip", third)
    snapshot = take(project, SnapshotWish(), "mine")
    (example,) = snapshot.examples()
    view = project.task_view(first)
    assert view.chosen is not None
    assert view.chosen.trace is not None
    assert (example.task_id, example.kind, example.reviewers, example.guideline) == (
        first,
        "person",
        ("ann",),
        "g1",
    )
    assert (example.trace_id, example.program) == (view.chosen.trace.id, view.chosen.program.source)
    assert example.rationale == view.rationales[0].text
    assert (example.answer, example.width) == (view.task.answers[0], 96)
    left = {row.reason: row.count for row in snapshot.manifest.content.left_out}
    assert left["rejected: the gold answer is wrong"] == 1
    assert left["skipped by its reviewer"] == 1
    assert sum(left.values()) == 12 - 1
    assert {part["role"] for part in snapshot.manifest.content.parts} == {
        "sampler",
        "executor",
        "writer",
    }


def test_what_was_taken_back_does_not(project: Project, decide: Decide) -> None:
    first, second, *_ = kept(project)
    decide("accept", first)
    event = decide("accept", second)
    project.curation.decide(
        [Decision("undo-0001", "undo", "ann", "curator", task_id=second, target=event.id)]
    )
    assert [row.task_id for row in take(project, SnapshotWish()).examples()] == [first]


def test_disagreement_waits_for_adjudication(project: Project, decide: Decide) -> None:
    first, *_ = kept(project)
    from dataclasses import replace

    project.curation.set_settings(replace(project.curation.settings(), overlap=2), "root")
    decide("accept", first)
    assert reasons(preview(project, SnapshotWish()))["another reviewer has to decide too"] == 1
    decide("reject", first, "ben", reason="wrong_reason")
    assert reasons(preview(project, SnapshotWish()))["its reviewers disagree"] == 1
    decide("adjudicate", first, "eve", role="adjudicator", ruling="accept")
    (example,) = take(project, SnapshotWish()).examples()
    assert example.task_id == first
    assert set(example.reviewers) == {"ann", "eve"}


def test_an_edited_rationale_is_what_is_taught(project: Project, decide: Decide) -> None:
    first, *_ = kept(project)
    view = project.task_view(first)
    assert view.chosen is not None
    assert view.chosen.trace is not None
    old = view.rationales[0]
    edit = Decision(
        "edit-00001",
        "edit",
        "ann",
        "curator",
        task_id=first,
        trace_id=old.trace_id,
        rationale_id=old.id,
    )
    new = project.curation.edit_rationale(edit, f"Look closely. {old.text}")
    decide("accept", first, rationale_id=new.id)
    (example,) = take(project, SnapshotWish()).examples()
    assert example.rationale == f"Look closely. {old.text}"
    assert example.edited
    assert example.rationale_id == new.id


def test_automatic_takes_what_the_verifier_kept(project: Project, decide: Decide) -> None:
    decide("reject", kept(project)[0], reason="wrong_reason")
    found = preview(project, SnapshotWish(accepted="automatic"))
    assert [example.task_id for example in found.examples] == kept(project)
    assert {example.kind for example in found.examples} == {"automatic"}
    assert reasons(found)["kept by agreement alone, without a label"] == 1


def test_both_lets_people_overrule_the_verifier(project: Project, decide: Decide) -> None:
    first, second, *rest = kept(project)
    decide("reject", first, reason="wrong_reason")
    decide("accept", second)
    found = preview(project, SnapshotWish(accepted="both"))
    assert {example.task_id: example.kind for example in found.examples} == {
        second: "person",
        **dict.fromkeys(rest, "automatic"),
    }


def test_labels_bring_in_what_has_no_target(project: Project, decide: Decide) -> None:
    first, second, third, *_ = kept(project)
    decide("accept", first)
    decide("reject", second, reason="unfaithful")
    decide("reject", third, reason="ambiguous")
    found = {
        example.task_id: example for example in preview(project, SnapshotWish(labels=True)).examples
    }
    assert found[second].kind == "label"
    assert found[second].rationale is None
    assert found[second].answer == project.tasks([second])[0].answers[0]
    assert third not in found, "an ambiguous question teaches nothing"
    assert all(example.answers for example in found.values()), (
        "and without a label there is nothing to teach"
    )


def test_agreed_traces_enter_when_asked_for(project: Project) -> None:
    found = preview(project, SnapshotWish(accepted="automatic", agreed=True))
    (agreed,) = [example for example in found.examples if not example.answers]
    view = project.task_view(agreed.task_id)
    assert view.chosen is not None
    assert view.chosen.trace is not None
    assert agreed.answer == view.chosen.trace.answer


def test_a_query_narrows_it(project: Project) -> None:
    found = preview(project, SnapshotWish(accepted="automatic", text="family:count"))
    assert {example.family for example in found.examples} == {"count"}
    with pytest.raises(InputError):
        preview(project, SnapshotWish(text="nosuchtoken:x"))


def test_an_accepted_answer_other_than_gold_is_taught_with_its_rationale(project: Project) -> None:
    views = [project.task_view(task_id) for task_id in kept(project)]
    view, run_ = next(
        (view, run)
        for view in views
        for run in view.runs
        if run.trace and run.trace.ok and not run.verdict.correct  # type: ignore[union-attr]
    )
    task_id = view.task.id
    assert run_.trace is not None
    project.curation.decide(
        [
            Decision(
                "accept-001", "accept", "ann", "curator", task_id=task_id, trace_id=run_.trace.id
            )
        ]
    )
    (example,) = preview(project, SnapshotWish()).examples
    assert example.answer == run_.trace.answer != view.task.answers[0]
    assert example.answers == view.task.answers


@pytest.mark.parametrize(
    ("answer_type", "choices", "gold", "answer", "taught"),
    [
        ("integer", (), "3", "three", "3"),
        ("integer", (), "3", "2", "2"),
        ("yesno", (), "yes", "True", "yes"),
        ("phrase", (), "dog", "The dog.", "dog"),
        ("choice", ("cat", "dog"), "dog", "(b)", "dog"),
        ("choice", ("cat", "dog"), "dog", "cat", "cat"),
    ],
)
def test_the_label_is_taught_where_an_unjudged_answer_says_the_same(
    answer_type: AnswerType, choices: tuple[str, ...], gold: str, answer: str, taught: str
) -> None:
    task = Task("a/1", "a", "train", "p.png", "Which?", (gold,), answer_type, choices)
    target = Target(
        task_id=task.id,
        state="accepted",
        reason=None,
        waiting=False,
        trace_id="t",
        program_id="p",
        rationale_id=None,
        answer=answer,
        right=None,
        program=None,
        rationale=None,
        faithful=None,
        bare=None,
        flagged=False,
        edited=False,
        reviewers=("ann",),
        guideline=None,
        parts=(),
    )
    assert answer_to_teach(task, target) == taught


def test_bare_rationales_and_flagged_runs_stay_out_unless_asked_for(
    project: Project, decide: Decide
) -> None:
    bare, flagged, *others = kept(project)
    everything = SnapshotWish(accepted="automatic", bare=True, flagged=True)
    before = {example.task_id for example in preview(project, everything).examples}
    assert {bare, flagged} <= before
    chosen = {one.task_id: str(one.chosen) for one in project.outcomes()}
    project.database.transaction(
        lambda cursor: cursor.execute("UPDATE rationale SET bare = (trace_id = ?)", [chosen[bare]])
    )
    checks.add(
        project.database,
        [CheckRow("k", chosen[flagged], flagged, 0.9, ("foreign",), (("foreign", 1.0, "Why."),))],
    )
    plain = preview(project, SnapshotWish(accepted="automatic"))
    assert {bare, flagged}.isdisjoint(example.task_id for example in plain.examples)
    assert set(others) <= {example.task_id for example in plain.examples}
    assert reasons(plain)["its rationale says no more than the answer (asked for with bare)"] == 1
    why = "its trace may be right for the wrong reason (asked for with flagged)"
    assert reasons(plain)[why] == 1
    for wish, one in ((SnapshotWish("automatic", bare=True), bare),
                      (SnapshotWish("automatic", flagged=True), flagged)):  # fmt: skip
        assert one in {example.task_id for example in preview(project, wish).examples}
    for one in (bare, flagged):
        decide("accept", one)
    accepted = preview(project, SnapshotWish())
    assert {example.task_id for example in accepted.examples} == {bare, flagged}


# --- evaluation sets


def test_evaluation_splits_stay_out_unless_named(project: Project) -> None:
    train = preview(project, SnapshotWish(accepted="automatic"))
    assert {example.task_split for example in train.examples} == {"train"}
    assert reasons(train)["it is of an evaluation set (name its split to train on it)"] == 4
    assert train.leakage["splits"] == ["test"]
    test = preview(project, SnapshotWish(accepted="automatic", splits=("test",)))
    assert {example.task_split for example in test.examples} == {"test"}
    assert test.leakage["splits"] == []


def copy_into_test(project: Project, task_id: str, exact: bool, tmp_path: Path) -> str:
    """Ask about a training picture (or a copy of it in another size and format) in the test split
    too.
    """
    digest = project.tasks([task_id])[0].image
    if not exact:
        copy = project.images.open(digest).resize((144, 144), Image.Resampling.BICUBIC)
        copy.save(tmp_path / "copy.jpg", quality=80)
        digest = project.images.add(tmp_path / "copy.jpg")
    project.add_tasks([Task("leak/1", "other", "test", digest, "What is this?", ("x",))])
    return project.tasks([task_id])[0].image


@pytest.mark.parametrize(
    ("exact", "why"),
    [
        (True, "an evaluation set has the same picture"),
        (False, "its picture looks like one of an evaluation set"),
    ],
)
def test_pictures_of_evaluation_sets_are_left_out(
    project: Project, tmp_path: Path, exact: bool, why: str
) -> None:
    first = kept(project)[0]
    image = copy_into_test(project, first, exact, tmp_path)
    found = preview(project, SnapshotWish(accepted="automatic"))
    assert image not in {example.image for example in found.examples}
    assert reasons(found)[why] >= 1
    assert (found.leakage["same"], found.leakage["near"]) == ((1, 0) if exact else (0, 1))
    with pytest.raises(
        InputError, match=r"pictures are in an evaluation set too .*leakage leave-out"
    ):
        preview(project, SnapshotWish(accepted="automatic", leakage="stop"))
    stays = preview(project, SnapshotWish(accepted="automatic", leakage="keep"))
    assert image in {example.image for example in stays.examples}
    assert stays.leakage["action"] == "keep"


def test_a_source_can_be_held_out(project: Project) -> None:
    found = preview(project, SnapshotWish(accepted="automatic", evaluation_sources=("squares",)))
    assert found.examples == ()
    assert reasons(found) == {"it is of an evaluation set (name its split to train on it)": 12}


# --- pictures


def test_a_lost_picture_leaves_its_questions_out(project: Project) -> None:
    before = preview(project, SnapshotWish(accepted="automatic"))
    image = before.examples[0].image
    path = project.images.path(image)
    assert path is not None
    path.unlink()
    found = preview(project, SnapshotWish(accepted="automatic"))
    assert image not in {example.image for example in found.examples}
    assert reasons(found)["its picture is missing or cannot be read"] == sum(
        e.image == image for e in before.examples
    )


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(val=st.floats(0, 0.99), seed=st.integers(0, 99))
def test_no_picture_is_on_both_sides(project: Project, val: float, seed: int) -> None:
    everything: dict[str, Any] = {
        "splits": ("train", "test"),
        "bare": True,
        "flagged": True,
        "agreed": True,
    }
    wanted = SnapshotWish(accepted="automatic", val=val, seed=seed, **everything)
    snapshot = take(project, wanted)
    train, held = (
        {example.image for example in snapshot.examples(side)} for side in ("train", "val")
    )  # type: ignore[arg-type]
    assert not train & held
    assert len(train | held) == 6
    assert take(project, wanted).hash == snapshot.hash


# --- the store


def test_the_same_state_gives_the_same_snapshot(project: Project, decide: Decide) -> None:
    first, second, *_ = kept(project)
    decide("accept", first)
    one = take(project, SnapshotWish())
    decide("note", second, text="a nice one")
    assert take(project, SnapshotWish(), "named later").hash == one.hash, (
        "a note changes nothing of it"
    )
    decide("accept", second)
    assert take(project, SnapshotWish()).hash != one.hash
    assert len(snapshots.snapshot_rows(project.database)) == 2
    assert snapshots.find(project.database, "named later").hash == one.hash


def test_the_store_knows_what_is_in_it(project: Project) -> None:
    snapshot = take(project, SnapshotWish(accepted="automatic"), "auto")
    rows = project.database.rows("SELECT * FROM snapshot_row ORDER BY task_id")
    assert [(row["task_id"], row["trace_id"], row["side"]) for row in rows] == sorted(
        (example.task_id, example.trace_id, example.split) for example in snapshot.examples()
    )
    (taken,) = snapshots.snapshot_rows(project.database)
    assert taken.counts == json.loads(json.dumps(snapshot.manifest.content.counts))
    assert taken.filter["accepted"] == "automatic"
    assert folder_of(project, "auto") == folder_of(project, snapshot.hash[:6]) == snapshot.path


def test_an_unknown_snapshot_lists_them(project: Project) -> None:
    with pytest.raises(InputError, match=r"'x' names no snapshot; take one with: vpd snapshot"):
        folder_of(project, "x")
    take(project, SnapshotWish(accepted="automatic"), "auto")
    with pytest.raises(InputError, match=r"'x' names no snapshot; there are: auto"):
        folder_of(project, "x")


def test_the_manifest_names_the_last_decision(project: Project, decide: Decide) -> None:
    event = decide("accept", kept(project)[0])
    manifest = Snapshot.open(take(project, SnapshotWish()).path).manifest
    assert manifest.as_of == event.id
    assert datetime.fromisoformat(manifest.created_at)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"accepted": "all"}, "accepted must be one of person, automatic, both, found 'all'"),
        ({"leakage": "no"}, "leakage must be one of leave-out, stop, keep, found 'no'"),
        ({"val": 1.0}, "cannot be taken: val must be a number from 0 to below 1, found 1.0"),
        ({"near": -1}, "near must be a whole number from 0 to 32, found -1"),
        ({"splits": "train"}, "splits must be a list, every item text, found 'train'"),
        ({"val": 1, "near": 33}, "2 errors: near must be .*, found 33; val must be .*, found 1"),
    ],
)
def test_a_wrong_wish_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        SnapshotWish(**given)
