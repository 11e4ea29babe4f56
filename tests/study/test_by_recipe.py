"""Plans that put published methods beside the plain way of teaching the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from finished_project import finished_project

from workbench.catalogue import recipes
from workbench.errors import InputError
from workbench.pipeline.selecting import Weighed
from workbench.pipeline.snapshotting import SnapshotWish, take
from workbench.snapshot import Snapshot
from workbench.store import Project
from workbench.store.project import PROFILE
from workbench.study import by_recipe
from workbench.study.by_recipe import PORTS, with_recipes
from workbench.study.distillation import jobs_of
from workbench.study.plan import StudyPlan

TEACHER = {"part": "checkpoint", "path": "bundled"}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path), read_only=False) as opened:
        yield opened


@pytest.fixture
def plan(project: Project) -> StudyPlan:
    wish = SnapshotWish(accepted="automatic", labels=True, bare=True, flagged=True, val=0)
    return StudyPlan(snapshot=str(take(project, wish).path), settings={"steps": 3}, seeds=2)


def test_each_method_is_an_arm_on_the_same_rows_and_steps(
    project: Project, plan: StudyPlan
) -> None:
    made = with_recipes(project, plan, ["switch_kd", "quant_bits"], TEACHER)
    assert [arm.name for arm in made.arm] == ["vpd", "switch_kd", "quant_bits"]
    plain, switch, bits = (jobs_of(project, made, arm) for arm in made.arm)
    assert {job.snapshot for job in (*plain, *switch, *bits)} == {plain[0].snapshot}
    assert {job.steps for job in (*plain, *switch, *bits)} == {3}
    assert [job.seed for job in switch] == [0, 1]
    assert (switch[0].objective, dict(switch[0].teacher)) == ("switch_kd", TEACHER)
    assert (bits[0].objective, dict(bits[0].transform)) == ("vpd", {"part": "quant_bits"})
    assert made.arm[1].beside == ("vpd",)


def test_a_study_teaches_the_base_of_the_student_that_answers(
    project: Project, plan: StudyPlan
) -> None:
    own = re.sub(r"student +=.*", "", (project.path / PROFILE).read_text())
    answers = 'student = { part = "transformers", checkpoint = "distilled" }\n'
    (project.path / PROFILE).write_text(answers + own)
    made = with_recipes(project, plan, ["quant_bits"])
    jobs = [job for arm in made.arm for job in jobs_of(project, made, arm)]
    assert {(job.student, job.method) for job in jobs} == {("small", "full")}


def test_what_was_chosen_for_the_plain_way_counts_for_its_methods(
    project: Project, plan: StudyPlan
) -> None:
    chosen = replace(plan, chosen={"vpd": {"lr": 0.5, "arguments.weight": 3.0}})
    made = with_recipes(project, chosen, ["mutual_dml", "quant_bits"])
    plain, loss, bits = (jobs_of(project, made, arm)[0] for arm in made.arm)
    assert plain.lr == loss.lr == bits.lr == 0.5
    assert dict(plain.arguments) == dict(bits.arguments) == {"weight": 3.0}
    assert dict(loss.curriculum) == {"part": "vpd", "weight": 3.0}
    assert not loss.arguments


def test_equal_compute_gives_each_method_a_control_of_its_own(
    project: Project, plan: StudyPlan
) -> None:
    made = with_recipes(project, plan, ["mutual_dml"], equal_compute=True)
    assert [arm.name for arm in made.arm] == ["vpd", "mutual_dml", "vpd as long as mutual_dml"]
    assert (made.arm[2].like, made.arm[2].as_long_as) == ("vpd", "mutual_dml")


def test_a_grade_stands_for_its_methods_that_can_be_compared(
    project: Project, plan: StudyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_recipe, "_selected", lambda *_: [])
    made = with_recipes(project, plan, ["A"], TEACHER)
    wanted = {
        one.card.name
        for one in recipes()
        if one.card.grade == "A" and one.card.port in PORTS and one.card.port != "selector"
    }
    assert {arm.name for arm in made.arm[1:]} == wanted
    assert wanted >= {"switch_kd", "aux_embed", "dual_head", "lelp"}


def test_a_selector_stands_beside_its_own_weights_by_chance(
    project: Project, plan: StudyPlan
) -> None:
    made = with_recipes(project, plan, ["mcts_difficulty"])
    assert [arm.name for arm in made.arm] == [
        "vpd",
        "mcts_difficulty",
        "mcts_difficulty by chance",
    ]
    assert made.arm[1].beside == ("vpd", "mcts_difficulty by chance")
    own, chance = (Snapshot.open(Path(arm.snapshot)).examples() for arm in made.arm[1:])
    assert sorted(row.weight for row in own) == sorted(row.weight for row in chance)
    assert {row.id: row.weight for row in own} != {row.id: row.weight for row in chance}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("switch_kd", "needs a teacher; name one with --teacher"),
        ("code_grounded", "enters as synthesizer"),
        ("nonsense", "no recipe and no grade is called 'nonsense'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    project: Project, plan: StudyPlan, name: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        with_recipes(project, plan, [name])


def test_a_selector_that_selects_nothing_is_refused(
    project: Project, plan: StudyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_recipe, "weigh", lambda _, __, rows: Weighed(tuple(rows), {}))
    with pytest.raises(InputError, match="gives the same weight to all"):
        with_recipes(project, plan, ["parity_gap"])
