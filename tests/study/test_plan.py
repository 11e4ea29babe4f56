"""Plans of studies: which arms stand on which, and whose settings count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.errors import EngineError, InputError
from workbench.study.choosing import ChosenSettings, Trial
from workbench.study.distillation import TrainedArm, equal_steps
from workbench.study.plan import STANDARD, Arm, Choosing, StudyPlan, combinations, merged


def test_settings_come_from_the_study_then_the_arm_then_the_choice() -> None:
    arms = (
        Arm("a", settings={"lr": 1e-3, "arguments": {"weight": 1}}),
        Arm("b", like="a", settings={"batch": 8}, as_long_as="c"),
        Arm("c", objective="instruct", snapshot="other"),
    )
    plan = StudyPlan("all", 2, {"lr": 1e-4, "lora": {"r": 4}}, arms)
    assert plan.settings_of(arms[0]) == {
        "lr": 1e-3,
        "lora": {"r": 4},
        "arguments": {"weight": 1},
        "objective": "vpd",
    }
    assert plan.settings_of(arms[1])["lr"] == 1e-3
    assert [plan.snapshot_of(arm) for arm in arms] == ["all", "all", "other"]
    chosen = {"a": {"arguments.weight": 3, "lora.r": 2}}
    later = StudyPlan("all", 2, {"lr": 1e-4, "lora": {"r": 4}}, arms, Choosing(), chosen)
    for arm in arms[:2]:
        assert later.settings_of(arm)["arguments"] == {"weight": 3}
        assert later.settings_of(arm)["lora"] == {"r": 2}
        assert later.settings_of(arm, chosen=False)["arguments"] == {"weight": 1}
    assert later.settings_of(arms[2]) == {
        "lr": 1e-4,
        "lora": {"r": 4},
        "objective": "instruct",
    }


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ((), "an arm or more"),
        ((Arm("a"), Arm("a")), "two arms are called 'a'"),
        ((Arm("a", like="b"),), "no such other arm"),
        ((Arm("a", like="a"),), "no such other arm"),
        ((Arm("a"), Arm("b", as_long_as="a")), "say with `like`"),
        (
            (Arm("a"), Arm("b", like="a"), Arm("c", like="a", as_long_as="b")),
            "stands on an arm itself",
        ),
    ],
)
def test_arms_that_make_no_sense_are_refused(arms: tuple[Arm, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        StudyPlan(arm=arms)


def test_the_arm_of_equal_compute_prolongs_the_first_control() -> None:
    plan = StudyPlan().with_equal_compute()
    assert plan.arm[:2] == STANDARD
    assert (plan.arm[2].like, plan.arm[2].as_long_as) == ("instruct", "vpd")
    with pytest.raises(InputError, match="needs an arm with rationales"):
        StudyPlan(arm=(STANDARD[0],)).with_equal_compute()


def test_steps_grow_with_the_time_of_a_step() -> None:
    short = TrainedArm("instruct", "instruct", "s", 100, (20.0, 99.0), 0.1, ())
    long = TrainedArm("vpd", "vpd", "s", 100, (35.0, 1.0), 0.25, ())
    steps, note = equal_steps(short, long)
    assert steps == 250
    assert "a late one of 'instruct' took 0.100 s, and 100 of 'vpd' 0.250 s each" in note
    # whoever came first has looked at the pictures for the other one too
    assert equal_steps(replace(short, seconds=(90.0, 99.0)), long) == (steps, note)
    for arms in (
        (replace(short, step_seconds=0.0), long),
        (short, replace(long, step_seconds=0.0)),
    ):
        with pytest.raises(EngineError, match="says nothing"):
            equal_steps(*arms)


def test_a_grid_is_every_combination_in_order() -> None:
    tries = list(combinations({"lr": [1, 2]}, {"arguments.weight": [3, 4]}))
    assert tries[:2] == [{"lr": 1, "arguments.weight": 3}, {"lr": 1, "arguments.weight": 4}]
    assert len(tries) == 4
    assert list(combinations({}, {})) == [{}]
    with pytest.raises(InputError, match="expected a list of values"):
        list(combinations({"lr": []}))


def test_tables_are_changed_key_by_key() -> None:
    before = {"lora": {"r": 8, "alpha": 16}}
    assert merged(before, {"lora.r": 2}) == {"lora": {"r": 2, "alpha": 16}}
    assert merged(before, {"lora": {"alpha": 1}}) == {"lora": {"r": 8, "alpha": 1}}
    assert before == {"lora": {"r": 8, "alpha": 16}}


def test_the_highest_accuracy_wins_and_of_equal_ones_the_first() -> None:
    def trial(arm: str, lr: float, accuracy: float) -> Trial:
        return Trial(arm, {"lr": lr}, accuracy, 0, 1, 10, 1, 1.0, ("job",), (accuracy,))

    trials = (trial("a", 1, 0.5), trial("a", 2, 0.6), trial("a", 3, 0.6), trial("b", 1, 0.1))
    assert ChosenSettings("val", trials).chosen == {"a": {"lr": 2}, "b": {"lr": 1}}
