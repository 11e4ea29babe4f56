"""Signs of a wrong reason, each on a run that shows it and on one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from exact_runs import case, scene, task

from workbench.api import STANDARD
from workbench.evaluate.wrong_reasons.counterfactual import Worlds, shake
from workbench.evaluate.wrong_reasons.suspicion import (
    CHECKS,
    WEIGHTS,
    CheckFinding,
    findings,
    suspicion,
)
from workbench.evidence import FLAGGED

PARK = scene("dog", "dog", "cat", "car")
COUNT = 'return formatting_answer(len(patch.find("dog")))'
CAT = 'cat = patch.find("cat")[0]\n'
FIRST = 'dogs = patch.find("dog")\nreturn formatting_answer(dogs[0].horizontal_center < dogs[1].horizontal_center)'
HOW_MANY = task("How many dogs are there?", "2")
LEFT = task("Is the cat left of the car?", "yes")


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    with Worlds(STANDARD.values(), workers=1) as made:
        yield made


def found(worlds: Worlds, *given: object) -> dict[str, CheckFinding]:
    made = case(*given)  # type: ignore[arg-type]
    (effects,) = shake(worlds, [(made.task, made.program, made.trace)])
    return {one.check: one for one in findings(made, effects)}


def test_nothing_speaks_against_a_right_program(worlds: Worlds) -> None:
    assert (
        found(
            worlds,
            HOW_MANY,
            COUNT,
            PARK,
            COUNT,
            'return patch.visual_question_answering("How many dogs?")',
        )
        == {}
    )


@pytest.mark.parametrize(
    ("check", "of", "body", "text"),
    [
        ("untooled", HOW_MANY, 'return "2"', "No tool was asked"),
        ("independent", HOW_MANY, 'patch.find("dog")\nreturn "2"', "Whatever the tools say"),
        ("idle", HOW_MANY, f"{CAT}{COUNT}", 'does not depend on what came of find("cat")'),
        ("order", task("Is a dog there?", "yes"), FIRST, 'in which find("dog") lists'),
        (
            "foreign",
            HOW_MANY,
            'return formatting_answer(1 + len(patch.find("cat")))',
            '"cat", which the question',
        ),
        (
            "unasked",
            HOW_MANY,
            'return formatting_answer(1 + len(patch.find("cat")))',
            'names "dogs"; the program never',
        ),
        (
            "concept",
            LEFT,
            'return formatting_answer(len(patch.find("cat")) <= len(patch.find("car")))',
            "left and right",
        ),
        (
            "concept",
            task("Are there more dogs than cats?", "yes"),
            'patch.find("dog")\nreturn "no" if patch.visual_question_answering("Are there as many dogs as cats?") == "yes" else "yes"',
            "asks whether numbers are equal",
        ),
        (
            "side",
            LEFT,
            f'{CAT}car = patch.find("car")[0]\nreturn formatting_answer(cat.width < 600 and car.left >= 0)',
            "mirrored, the picture gives the same answer",
        ),
        (
            "side",
            task("Are there cats and a car?", "yes"),
            f'{CAT}car = patch.find("car")[0]\nreturn formatting_answer(cat.left < car.left)',
            "the question is not about left and right",
        ),
    ],
)
def test_each_sign_is_seen_and_said(
    worlds: Worlds, check: str, of: object, body: str, text: str
) -> None:
    signs = found(worlds, of, body, PARK)
    assert text in signs[check].text
    assert signs[check].score > 0


def test_other_programs_that_answer_otherwise_are_counted(worlds: Worlds) -> None:
    signs = found(worlds, HOW_MANY, COUNT, PARK, 'return "3"', 'return "two"', "return crash")
    assert (signs["apart"].score, signs["apart"].text[:6]) == (0.5, "1 of 2")


def test_a_word_of_the_question_that_only_others_use(worlds: Worlds) -> None:
    of = task("How many furry dogs are there?", "2")
    other = 'return formatting_answer(len([d for d in patch.find("dog") if d.verify_property("dog", "furry")]))'
    signs = found(worlds, of, COUNT, PARK, other, COUNT)
    assert (
        signs["unasked"].text
        == '1 of 2 other programs have the question\'s word "furry", this one not.'
    )


def test_a_rationale_that_is_not_supported_counts(worlds: Worlds) -> None:
    made = case(HOW_MANY, COUNT, PARK)
    (effects,) = shake(worlds, [(made.task, made.program, made.trace)])
    (sign,) = findings(replace(made, issues=('The number "7" is not in the trace.',)), effects)
    assert (sign.check, sign.text) == (
        "unfaithful",
        'The rationale: The number "7" is not in the trace.',
    )


def test_a_run_that_does_not_repeat_is_not_said_to_depend_on_nothing(worlds: Worlds) -> None:
    made = case(HOW_MANY, COUNT, PARK)
    (effects,) = shake(worlds, [(made.task, made.program, replace(made.trace, answer="5"))])
    assert not effects.repeats
    assert {"independent", "idle", "side", "order"}.isdisjoint(
        one.check for one in findings(made, effects)
    )


def test_long_calls_are_cut(worlds: Worlds) -> None:
    options = [f"thing {at:070d}" for at in range(9)]
    body = f"patch.best_text_match({['dog', *options]})\n{COUNT}"
    signs = found(worlds, HOW_MANY, body, PARK)
    assert 60 < len(signs["idle"].text) < 200


def test_suspicion_grows_with_every_sign_and_stays_below_one() -> None:
    assert set(WEIGHTS) == set(CHECKS)
    signs = [CheckFinding(check, 1.0, "") for check in CHECKS]
    steps = [suspicion(signs[:n]) for n in range(len(signs) + 1)]
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert steps[3] > steps[2] > steps[1]
    assert steps[-1] <= 1
    assert (
        suspicion([CheckFinding("independent", 1.0, "")])
        >= FLAGGED
        > suspicion([CheckFinding("apart", 1.0, "")])
    )
