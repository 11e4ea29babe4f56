"""How right the checks are, measured on a few known programs."""

from __future__ import annotations

import json

import pytest
from exact_runs import Case, program, task, traced

from workbench.api import STANDARD
from workbench.evaluate.wrong_reasons.counterfactual import Worlds
from workbench.evaluate.wrong_reasons.measure_checks import CheckMeasures, measure
from workbench.tasks.collage.scene import make_scene


def cases() -> list[Case]:
    """Two pictures: a right program that counts, and one that is right by chance."""
    found = []
    for number, body in (
        (3, 'things = patch.find("{0}")\nreturn len(things)'),
        (5, 'patch.find("{0}")\nreturn "{1}"'),
    ):
        drawn = make_scene("train", number)
        name = drawn.objects[0].category
        form, many = {"op": "count", "a": name}, str(drawn.count(name))
        meta = {"scene": f"train-{number:05d}", "form": form}
        of = task(f"How many {name} are there?", many, form, meta=meta, image=f"picture {number}")
        made = program(body.format(name, many), of)
        found.append(Case(of, made, traced(of, made, drawn)))
    return found


@pytest.fixture(scope="module")
def figures() -> CheckMeasures:
    told: list[tuple[str, int, int]] = []
    with Worlds(STANDARD.values(), workers=1) as worlds:
        found = measure(cases(), worlds, lambda *step: told.append(step))
    assert {stage for stage, _, _ in told} == {"judge", "mutants", "check"}
    assert all(done <= of for _, done, of in told)
    return found


def test_the_lucky_program_is_the_flagged_one(figures: CheckMeasures) -> None:
    natural = figures.sets["natural"]["suspicion"]
    assert (natural.precision.hits, natural.precision.of) == (1, 1)
    assert (natural.recall.hits, natural.recall.of, natural.alarms.hits, natural.alarms.of) == (
        1,
        1,
        0,
        1,
    )
    assert natural.auc is not None
    assert natural.auc[0] == 1.0
    assert figures.undecided == 0


def test_mutants_are_counted_by_kind_and_constants_can_be_left_out(figures: CheckMeasures) -> None:
    mutants = figures.sets["mutants"]["suspicion"].recall.of
    assert mutants == sum(share.of for share in figures.edits.values()) > 0
    constants = figures.edits["constant answer"].of
    assert figures.sets["mutants without constants"]["suspicion"].recall.of == mutants - constants


def test_the_figures_survive_json(figures: CheckMeasures) -> None:
    assert CheckMeasures.from_json(json.loads(json.dumps(figures.to_json()))) == figures


def test_nothing_to_measure_gives_empty_figures() -> None:
    with Worlds(STANDARD.values(), workers=1) as worlds:
        found = measure([], worlds)
    assert found.sets["natural"]["suspicion"].recall.of == 0
