"""Selectors: what their formulas give, and what they do to a snapshot and to a step's loss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from finished_project import finished_project

from workbench.errors import InputError, ProfileError, SnapshotError
from workbench.pipeline import selecting
from workbench.pipeline.snapshotting import SnapshotWish, preview, take
from workbench.recipes.ports import SnapshotRow
from workbench.recipes.selector.parity_gap import ParityGap
from workbench.recipes.selector.perplexity_weight import PerplexityWeight
from workbench.recipes.selector.reward_weight import RewardWeight
from workbench.records import PartRef, Prediction
from workbench.snapshot import Example, Snapshot
from workbench.store import Project
from workbench.train.objective import Vpd, weighted

STUDENT = PartRef("student", "another")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path)) as opened:
        yield opened


def row(teacher: bool | None, student: bool | None, label: str = "3") -> SnapshotRow:
    return SnapshotRow("q", label, None, teacher, student)


@pytest.mark.parametrize(
    ("teacher", "student", "weight"),
    [(True, False, 1), (True, True, 0), (False, True, 0), (False, False, 0)],
)
def test_parity_gap_keeps_one_of_four_cells(teacher: bool, student: bool, weight: int) -> None:
    (one,) = ParityGap().weigh([row(teacher, student)])
    assert one.weight == weight
    assert bool(one.reason) == (weight == 0)


def test_parity_gap_takes_no_row_without_label_or_answers() -> None:
    rows = [row(True, False, " "), row(None, False), row(True, None)]
    weights = ParityGap().weigh(rows)
    assert [one.weight for one in weights] == [0, 0, 0]
    assert [one.reason for one in weights] == [
        "parity_gap: it has no label",
        "parity_gap: the teacher has not answered it",
        "parity_gap: the student has not answered it",
    ]


def test_perplexity_weights_by_hand() -> None:
    """Perplexities 1, 2 and 5: their mean is 8/3, so that u = (11/8, 14/8, 23/8) for alpha 1."""
    losses = [0.0, math.log(2), math.log(5)]
    expected = [11 / 16, 14 / 16, 23 / 16]  # u over its mean, which is 2
    assert PerplexityWeight(alpha=1, lam=1e9).weights(losses) == pytest.approx(expected, abs=1e-6)
    halved = [(1 + one) / 2 for one in expected]
    assert PerplexityWeight(alpha=1, lam=1).weights(losses) == pytest.approx(halved, abs=1e-12)


@pytest.mark.parametrize(("alpha", "lam"), [(0, 1), (3, 0)])
def test_without_alpha_or_lam_it_is_plain_cross_entropy(alpha: float, lam: float) -> None:
    assert PerplexityWeight(alpha, lam).weights([0.1, 2.0, 7.0]) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("losses", [[0.5, 1.0, 9.0], [800.0, 2.0], [3.0]])
def test_perplexity_weights_average_1_and_grow_with_the_loss(losses: list[float]) -> None:
    weights = PerplexityWeight(2.0, 0.5).weights(losses)
    assert sum(weights) / len(weights) == pytest.approx(1)
    assert sorted(weights) == [weight for _, weight in sorted(zip(losses, weights))]


def test_a_row_without_a_finite_loss_is_left_out_with_the_reason() -> None:
    rows = [SnapshotRow("a", "3", None, nats=nats) for nats in ((), (math.nan,), (1.0, 3.0))]
    weights = PerplexityWeight().weigh(rows)
    assert [one.weight for one in weights] == [0, 0, 1]
    assert weights[0].reason == "perplexity_weight: the student gives no loss on it"


@pytest.mark.parametrize("alpha", [-1, True, "much", math.inf])
def test_perplexity_weight_refuses_what_is_no_number_from_0(alpha: object) -> None:
    with pytest.raises(ProfileError, match="needs alpha as a number from 0 on, found"):
        PerplexityWeight(alpha=alpha)  # type: ignore[arg-type]


def rewarded(*scores: float, credit: float | None = None) -> SnapshotRow:
    return SnapshotRow("a", "3", None, programs=tuple(("", one) for one in scores), credit=credit)


def test_reward_weights_by_hand() -> None:
    """Rewards 0, 1/2 and 1: mean 1/2, spread sqrt(1/6), z = (-a, 0, a) with a = sqrt(3/2)."""
    a = math.sqrt(1.5)
    powers = [math.exp(-2 * a), 1.0, math.exp(2 * a)]
    expected = [3 * one / sum(powers) for one in powers]
    rows = [rewarded(0), rewarded(1, 0), rewarded(1, 1, 1)]
    weights = [one.weight for one in RewardWeight(beta=2).weigh(rows)]
    assert weights == pytest.approx(expected, abs=1e-12)
    assert [one.weight for one in RewardWeight(beta=0).weigh(rows)] == [1, 1, 1]
    assert RewardWeight(beta=900).weights([0.0, 1.0]) == pytest.approx([0, 2])
    assert RewardWeight().weights([0.3, 0.3]) == pytest.approx([1, 1])


def test_a_row_without_a_reward_is_left_out_with_the_reason() -> None:
    rows = [rewarded(), rewarded(1, credit=0.5), rewarded(0, credit=-0.5)]
    weights = RewardWeight().weigh(rows)
    assert (weights[0].weight, weights[0].reason) == (
        0,
        "reward_weight: it has no reward by programs",
    )
    assert weights[1].weight > 1 > weights[2].weight > 0
    by_credit = RewardWeight(reward="credit").weigh(rows)
    assert [bool(one.weight) for one in by_credit] == [False, True, True]
    with pytest.raises(ProfileError, match="one of programs, credit, found 'stars'"):
        RewardWeight(reward="stars")
    with pytest.raises(ProfileError, match="beta as a number from 0 on"):
        RewardWeight(beta=-1)


def test_rewards_weigh_a_snapshot(project: Project) -> None:
    examples = taken_with(project, {"part": "reward_weight", "beta": 0.5})
    assert sum(one.weight for one in examples) / len(examples) == pytest.approx(1)


def taken_with(project: Project, table: dict[str, object]) -> Sequence[Example]:
    """The training side of a snapshot with a selector."""
    return take(project, with_selector(table)).examples("train")


def answer_all(project: Project, answers: dict[str, str]) -> None:
    """The profile's student answers these questions."""
    (run,) = [project.start_run(project.scope(), selecting_all(), "predict")]
    project.set_part(run, "student", STUDENT)
    project.add_predictions(
        [
            Prediction(
                f"p-{task}", task, text, "", float(text in right(project, task)), 0.0, STUDENT
            )
            for task, text in answers.items()
        ]
    )
    project.end_run(run, 0)


def selecting_all():  # type: ignore[no-untyped-def]
    from workbench.store.records.scope import Selection

    return Selection()


def right(project: Project, task_id: str) -> Sequence[str]:
    (task,) = project.tasks([task_id])
    return task.answers


AUTOMATIC = SnapshotWish(accepted="automatic", bare=True, flagged=True, val=0.3)


def with_selector(*tables: dict[str, object]) -> SnapshotWish:
    return SnapshotWish(
        accepted="automatic", bare=True, flagged=True, val=0.3, select=tuple(tables)
    )


def test_a_snapshot_holds_the_gap_and_says_why_not_the_rest(project: Project) -> None:
    plain = preview(project, AUTOMATIC)
    train = [one for one in plain.examples if one.split == "train"]
    held_out = [one for one in plain.examples if one.split == "val"]
    assert len(train) >= 2
    assert held_out
    knows, lacks = train[0], train[1]
    answer_all(
        project,
        {knows.task_id: knows.answer, lacks.task_id: "zebra"},
    )
    snapshot = take(project, with_selector({"part": "parity_gap"}))
    rows = snapshot.examples()
    assert [one.task_id for one in rows if one.split == "train"] == [lacks.task_id]
    assert {one.id for one in rows if one.split == "val"} == {one.id for one in held_out}
    reasons = {one.reason: one.count for one in snapshot.manifest.content.left_out}
    assert reasons["parity_gap: the student answers it right already"] == 1
    unanswered = reasons.get("parity_gap: the student has not answered it", 0)
    assert unanswered == len(train) - 2
    assert snapshot.manifest.content.filter["select"] == [
        {"role": "selector", "name": "parity_gap", "version": "1", "arguments": {}}
    ]


def test_a_snapshot_without_a_row_to_train_on_is_refused_in_words(project: Project) -> None:
    with pytest.raises(
        SnapshotError,
        match=r"leave no row to train on \(.*the student answers it right already.*vpd run",
    ):
        take(project, with_selector({"part": "parity_gap"}))


def test_a_selector_that_there_is_not_lists_those_there_are(project: Project) -> None:
    with pytest.raises(ProfileError, match="no selector is called 'parity'; registered are: mcts"):
        preview(project, with_selector({"part": "parity"}))
    with pytest.raises(InputError, match="its name under 'part'"):
        preview(project, with_selector({"name": "parity_gap"}))


def test_weights_come_back_from_the_folder_and_leave_plain_hashes_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = take(project, AUTOMATIC)
    assert plain.manifest.content.format == 1
    assert "select" not in plain.manifest.content.filter
    nats = iter(range(100))
    monkeypatch.setattr(
        selecting, "_nats", lambda _, examples, watch: [(float(next(nats)),) for _ in examples]
    )
    snapshot = take(project, with_selector({"part": "perplexity_weight", "alpha": 2.0}))
    again = Snapshot.open(snapshot.path)
    assert again.problems() == []
    assert again.manifest.content.format == 2
    weights = [one.weight for one in again.examples("train")]
    expected = PerplexityWeight(alpha=2.0).weights([float(at) for at in range(len(weights))])
    assert sorted(weights) == pytest.approx(sorted(expected))
    assert {one.weight for one in again.examples("val")} == {1.0}
    assert Snapshot.open(plain.path).problems() == []


def test_the_weight_of_an_example_multiplies_its_lessons(project: Project) -> None:
    example = next(one for one in preview(project, AUTOMATIC).examples if one.rationale)
    lessons = Vpd(weight=0.5).lessons(example)
    assert [one.weight for one in weighted(lessons, 3.0)] == [3.0, 1.5]
    assert weighted(lessons, 1.0) is lessons
