"""The table: what stands in it, in which order, and how systems are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_rows import profile_file, task

from workbench.errors import InputError
from workbench.store import Evaluation, JobRow, Project
from workbench.store.reading import evaluations, lineage
from workbench.study.choosing import mean_over_seeds
from workbench.study.differences import differences
from workbench.study.results import results

DAY = datetime(2026, 1, 2)
QUESTIONS = 60


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p", str(profile_file(tmp_path))) as made:
        made.add_tasks(
            [
                task(at, family="count" if at % 2 else "exists", split="test")
                for at in range(QUESTIONS)
            ]
        )
        yield made


def put(project: Project, system: str, right: Sequence[bool], **changes: Any) -> Evaluation:
    """An evaluation whose questions came out so."""
    number = len(project.evaluations())
    row = Evaluation(
        id=f"e{number}",
        system=system,
        kind="student",
        mode="direct",
        part="part",
        model=f"m{number}",
        job=None,
        snapshot=None,
        benchmark="made",
        split="test",
        task_limit=None,
        questions=len(right),
        metric="accuracy",
        value=float(np.mean(right)),
        low=0.1,
        high=0.9,
        families={"count": {"value": 0.5, "of": 3, "low": 0, "high": 1}},
        latency={},
        cost={"tokens": 2.0, "calls": 0.0},
        details={},
        created_at=DAY + timedelta(seconds=number),
    )
    row = replace(row, **changes)
    held = {f"made/{at:05d}": ("x", float(one)) for at, one in enumerate(right)}
    evaluations.put(project.database, [row], {row.id: held})
    return row


def job(project: Project, id_: str, objective: str, seed: int, **settings: Any) -> str:
    held = {"objective": objective, "seed": seed, "lr": 0.1, **settings}
    kin = f"{objective} {held['lr']}"
    row = JobRow(
        id_,
        "",
        f"jobs/{id_}",
        "done",
        "snap",
        "bundled",
        objective,
        seed,
        held,
        kin,
        1,
        1,
        {},
        {},
        id_,
        DAY,
    )
    lineage.put_jobs(project.database, [row], {}, [])
    return id_


def drawn(share: float, seed: int) -> list[bool]:
    return list(np.random.default_rng(seed).random(QUESTIONS) < share)


def test_figures_under_several_ways_of_normalising_are_not_compared(project: Project) -> None:
    put(project, "base", drawn(0.3, 2), details={"normalise": "official"})
    assert results(project).rows[0].system == "base"
    put(project, "vpd", drawn(0.9, 1), details={"normalise": "always"})
    put(project, "earlier", drawn(0.9, 1))
    with pytest.raises(InputError, match=r"\(always: vpd; official: base\).*--normalise always"):
        results(project)


def test_rows_stand_in_order_and_are_compared_with_the_base(project: Project) -> None:
    put(project, "vpd seed 0", drawn(0.9, 1))
    put(project, "base", drawn(0.3, 2))
    put(project, "pipeline k=1", drawn(0.5, 3), kind="pipeline", mode="first", model=None)
    put(
        project,
        "pipeline pass@2",
        drawn(0.8, 4),
        kind="pipeline",
        mode="any",
        model=None,
        details={
            "passed": {
                str(k): {"value": v, "of": 60, "low": 0.1, "high": 0.9}
                for k, v in ((1, 0.4), (2, 0.8))
            }
        },
    )
    found = results(project)
    assert [row.system for row in found.rows] == [
        "pipeline k=1",
        "pipeline pass@2",
        "base",
        "vpd seed 0",
    ]
    assert found.baseline == "base"
    first, bound, base, vpd = found.rows
    assert bound.against is None, "it knows the label, so it is no system"
    assert base.against is None
    assert vpd.against is not None
    assert vpd.against.difference == pytest.approx(vpd.value - base.value)  # type: ignore[operator]
    assert vpd.against.low > 0
    assert first.against is not None
    assert vpd.against.p_holm == pytest.approx(2 * vpd.against.p), "the smaller of two p-values"
    assert [(point.k, point.gain, point.relative) for point in found.curve] == [
        (1, 0.0, 0.0),
        (2, pytest.approx(0.4), pytest.approx(1.0)),
    ]


def test_seeds_of_one_objective_are_one_row(project: Project) -> None:
    put(project, "base", drawn(0.3, 9))
    for seed in range(3):
        for objective, share in (("instruct", 0.4), ("vpd", 0.7)):
            made = job(project, f"{objective}{seed}", objective, seed)
            put(project, f"{objective} seed {seed}", drawn(share, seed), job=made)
    found = results(project, by="objective")
    assert [(row.system, row.seeds) for row in found.rows] == [
        ("base", 1),
        ("instruct", 3),
        ("vpd", 3),
    ]
    vpd = found.rows[-1]
    assert vpd.value == pytest.approx(np.mean([drawn(0.7, seed) for seed in range(3)]))
    assert vpd.low < vpd.value < vpd.high  # type: ignore[operator]
    assert results(project).rows[-1].seeds == 1


def test_a_setting_is_judged_by_the_mean_over_its_seeds(project: Project) -> None:
    rows = [put(project, "tried", drawn(share, seed)) for seed, share in enumerate((0.2, 0.6, 0.7))]
    value, low, high = mean_over_seeds(project, rows, "val")
    assert value == pytest.approx(np.mean([row.value for row in rows]))
    alone = mean_over_seeds(project, rows[:1], "val")
    assert alone == (rows[0].value, rows[0].low, rows[0].high)
    assert low < value < high
    assert high - low > 0.2, "seeds that differ by half widen the interval"
    with pytest.raises(InputError, match="no question of the split val has a label"):
        mean_over_seeds(project, [put(project, "open", drawn(0.5, 1), value=None)], "val")


def test_an_objective_trained_two_ways_says_in_what_they_differ(project: Project) -> None:
    for lr in (0.1, 0.5):
        put(project, "vpd seed 0", drawn(0.5, 1), job=job(project, f"j{lr}", "vpd", 0, lr=lr))
    assert {row.system for row in results(project, by="objective").rows} == {
        "vpd (lr 0.1)",
        "vpd (lr 0.5)",
    }
    assert {row.system for row in results(project).rows} == {"vpd seed 0", "vpd seed 0 (j0.5)"}


def test_direct_and_explained_students_are_two_systems(project: Project) -> None:
    made = job(project, "j", "vpd", 0)
    put(project, "vpd seed 0", drawn(0.5, 1), job=made)
    put(project, "vpd seed 0 explained", drawn(0.6, 2), job=made, mode="explain")
    assert [row.system for row in results(project, by="objective").rows] == ["vpd", "vpd explained"]


def test_one_model_evaluated_three_times_has_three_rows(project: Project) -> None:
    """Its weights are the same where its chat template was edited."""
    for share in (0.2, 0.6, 0.9):
        put(project, "one/model", drawn(share, 1), model="weights")
    named = {row.system: row.value for row in results(project).rows}
    assert named == {
        "one/model": pytest.approx(np.mean(drawn(0.2, 1))),
        "one/model (weights)": pytest.approx(np.mean(drawn(0.6, 1))),
        "one/model (e2)": pytest.approx(np.mean(drawn(0.9, 1))),
    }


def test_the_latest_pipeline_stands_for_earlier_ones(project: Project) -> None:
    for share in (0.2, 0.6):
        put(project, "pipeline k=1", drawn(share, 1), kind="pipeline", mode="first", model=None)
    (row,) = results(project).rows
    assert row.value == pytest.approx(np.mean(drawn(0.6, 1)))


def test_only_evaluations_on_the_same_questions_stand_together(project: Project) -> None:
    put(project, "base", drawn(0.3, 1))
    put(project, "base", drawn(0.3, 1), split="val")
    put(project, "base", drawn(0.3, 1)[:5], split="val", task_limit=5)
    assert [row.questions for row in results(project).rows] == [5]
    assert [row.questions for row in results(project, split="test").rows] == [60]
    with pytest.raises(
        InputError, match=r"nothing was evaluated there yet; there are: made test, made val"
    ):
        results(project, benchmark="gqa")


def test_a_metric_that_is_no_mean_keeps_its_own_interval(project: Project) -> None:
    put(project, "a", drawn(0.5, 1), metric="roc_auc", value=0.83, low=0.7, high=0.9)
    (row,) = results(project).rows
    assert (row.value, row.low, row.high, row.note) == (
        0.83,
        0.7,
        0.9,
        "differences and families are of right answers",
    )


def test_what_is_not_there_is_said(project: Project) -> None:
    with pytest.raises(InputError, match="nothing was evaluated there yet; run: vpd evaluate"):
        results(project)
    put(project, "base", drawn(0.5, 1))
    with pytest.raises(InputError, match="no system is called 'gpt'; there are: base"):
        results(project, baseline="gpt")
    with pytest.raises(InputError, match="by system or by objective, found 'name'"):
        results(project, by="name")  # type: ignore[arg-type]


def test_arms_of_a_study_are_rows_and_other_jobs_stay_out(project: Project) -> None:
    put(project, "base", drawn(0.3, 9))
    for seed in range(2):
        for objective, share in (("instruct", 0.4), ("vpd", 0.8), ("other", 0.5)):
            put(
                project,
                f"{objective} seed {seed}",
                drawn(share, seed),
                job=job(project, f"{objective}{seed}", objective, seed),
            )
    arms = {f"vpd{seed}": ["with boxes"] for seed in range(2)} | {
        f"instruct{seed}": ["labels", "labels for as long"] for seed in range(2)
    }
    table = results(project, arms=arms)
    assert {row.system: row.seeds for row in table.rows} == {
        "base": 1,
        "labels": 2,
        "labels for as long": 2,
        "with boxes": 2,
    }
    pairs = [("with boxes", "labels"), ("with boxes", "nobody")]
    whole, *families = differences(project, table, pairs)
    assert (whole.system, whole.other, whole.family, whole.of) == ("with boxes", "labels", "", 60)
    expected = np.mean([drawn(0.8, at) for at in range(2)]) - np.mean(
        [drawn(0.4, at) for at in range(2)]
    )
    assert whole.difference == pytest.approx(expected)
    assert whole.low < whole.difference < whole.high
    assert [(one.family, one.of) for one in families] == [("count", 30), ("exists", 30)]
    assert np.mean([one.difference for one in families]) == pytest.approx(expected)
