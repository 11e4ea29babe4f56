"""Snapshots that a study makes for itself: noisy rationales, a few labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from finished_project import finished_project

from workbench.boxes_in_text import boxes_in
from workbench.errors import InputError
from workbench.pipeline.snapshotting import SnapshotWish, take
from workbench.records import PartRef, Program
from workbench.snapshot import Example, Snapshot
from workbench.snapshot.example import task_of
from workbench.store import Project
from workbench.store.reading import snapshots
from workbench.study.derived import derive
from workbench.study.limited import Winner, choice, limited
from workbench.study.noise import corrupt
from workbench.study.plan import StudyPlan
from workbench.study.variants import with_labels, with_noise

TOLD = (
    "There are 2 dogs at 100 200 300 400 and 500 200 700 300. The dog at 100 200 300 400 is left of "
    "the cat. Thus, the answer is 2."
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path), read_only=False) as opened:
        yield opened


@pytest.fixture
def source(project: Project) -> Snapshot:
    wish = SnapshotWish(accepted="automatic", labels=True, bare=True, flagged=True, val=0)
    return take(project, wish)


def told(project: Project, source: Snapshot) -> Snapshot:
    """The snapshot with a rationale of two sentences in every row, one picture held out."""
    held_out = source.examples()[0].image
    rows = [
        replace(
            row,
            split="val" if row.image == held_out else "train",
            rationale=TOLD,
            boxes=boxes_in(TOLD),
            rationale_id=f"r{at}",
        )
        for at, row in enumerate(source.examples())
    ]
    return derive(project, source, rows, {"told": True}, "told")


def test_a_share_of_the_training_rationales_is_wrong_and_no_answer(
    project: Project, source: Snapshot
) -> None:
    clean = told(project, source)
    before = {row.task_id: row for row in clean.examples()}
    train = [row for row in clean.examples() if row.split == "train"]
    wrong: list[set[str]] = []
    for share in (0.25, 0.5):
        noisy = corrupt(project, clean, share)
        changed = [row for row in noisy.examples() if row.rationale != TOLD]
        assert len(changed) == round(share * len(train))
        assert all(row.split == "train" for row in changed)
        mark = noisy.manifest.content.filter["study"]
        assert (mark["corrupted"], mark["of"]) == (len(changed), clean.hash)
        assert noisy.manifest.name.startswith("CORRUPTED")
        for row in noisy.examples():
            same = replace(row, rationale=TOLD, boxes=before[row.task_id].boxes)
            assert same == before[row.task_id]
        for row in changed:
            assert row.rationale is not None
            assert row.rationale.endswith("Thus, the answer is 2.")
            assert row.boxes == boxes_in(row.rationale)
        wrong.append({row.task_id for row in changed})
    assert wrong[0] < wrong[1]
    assert {len(boxes_in(row.rationale or "")) for row in changed} == {3}
    assert len({row.rationale for row in changed}) > 1  # boxes and reasons take turns
    assert corrupt(project, clean, 0) is clean
    with pytest.raises(InputError, match="a share from 0 to below 1"):
        corrupt(project, clean, 1.5)


def test_a_rationale_that_says_nothing_cannot_be_made_wrong(
    project: Project, source: Snapshot
) -> None:
    rows = [replace(row, rationale="Thus, the answer is 2.") for row in source.examples()]
    with pytest.raises(InputError, match="0 can be"):
        corrupt(project, derive(project, source, rows, {}, "bare"), 0.5)


def test_snapshots_of_a_study_are_never_the_newest(project: Project, source: Snapshot) -> None:
    told(project, source)
    assert [row.hash for row in snapshots.snapshot_rows(project.database)] == [source.hash]


def taught(snapshot: Snapshot, labels: set[str]) -> dict[str, Example]:
    """The training rows whose label is hidden, by question."""
    return {row.task_id: row for row in snapshot.examples("train") if row.task_id not in labels}


def test_a_hidden_label_decides_nothing(project: Project, source: Snapshot) -> None:
    made = limited(project, source, 2, ("vote", "agreement", "checks"))
    alone = made[None].snapshot.examples("train")
    labels = {row.task_id for row in alone}
    assert len(labels) == 2
    assert {
        row.task_id for row in limited(project, source, 1, ())[None].snapshot.examples("train")
    } < labels
    gold = {row.task_id: row for row in source.examples()}
    outcomes = {one.task_id: one for one in project.outcomes()}
    vote = taught(made["vote"].snapshot, labels)
    for task, row in vote.items():
        one = outcomes[task]
        winner = next(run for run in one.runs if run.index == one.vote)
        assert row.answers == ()
        assert row.answer == winner.answer
    wrong = [task for task, row in vote.items() if row.answer not in gold[task].answers]
    assert wrong, "the programs err on some question"
    assert made["vote"].right == len(vote) - len(wrong)
    agreed = taught(made["agreement"].snapshot, labels)
    checked = taught(made["checks"].snapshot, labels)
    assert set(checked) <= set(agreed) <= set(vote)
    assert len(agreed) < len(vote)
    for rule in made.values():
        assert {row.task_id for row in rule.snapshot.examples("train")} >= labels
        assert not rule.snapshot.problems()


def win(row: Example, answer: str, agreement: float) -> Winner:
    """A run that wins its vote with an answer."""
    task = replace(task_of(row), answers=())
    program = Program("p", row.task_id, 0, "return 1", -1.0, 5, 0, PartRef("sampler", "made"))
    trace = SimpleNamespace(id="t", answer=answer, evidence=None)
    rationale = SimpleNamespace(id="r", text="It is so.", issues=(), bare=False)
    return Winner(task, program, trace, rationale, agreement, 0.0, 5)  # type: ignore[arg-type]


def test_a_critic_takes_what_looks_like_right_answers(source: Snapshot) -> None:
    first = source.examples()[0]
    rows = [replace(first, task_id=f"q{at}", image=f"i{at}") for at in range(40)]
    winners = {
        row.task_id: win(row, first.answer if at % 2 else "elephant", 1.0 if at % 2 else 0.4)
        for at, row in enumerate(rows)
    }
    chosen = choice("critic", rows[:20], rows[20:], winners, "trained_critic")
    assert chosen
    assert {row.task_id for row in chosen} <= {f"q{at}" for at in range(21, 40, 2)}
    with pytest.raises(InputError, match="take more labels"):
        choice("critic", rows[:2], rows[2:], winners, "trained_critic")


def test_arms_say_what_they_learn_from(project: Project, source: Snapshot) -> None:
    clean = told(project, source)
    plan = StudyPlan(snapshot=str(clean.path), chosen={"vpd": {"lr": 0.5}})
    noisy = with_noise(project, plan, [0, 0.5])
    assert [arm.name for arm in noisy.arm] == ["instruct", "vpd, 0 % wrong", "vpd, 50 % wrong"]
    assert noisy.settings_of(noisy.arm[2])["lr"] == 0.5
    assert "wrong on purpose" in noisy.arm[2].note
    with pytest.raises(InputError, match="60 labels of"):
        with_labels(project, plan, [60])
