"""Wrong programs made of right ones."""

from __future__ import annotations

import ast

import pytest

from workbench.evaluate.wrong_reasons.mutate import mutants

FILTERED = """def execute_command(image):
    patch = ImagePatch(image)
    car = patch.find("car")[0]
    dogs = [dog for dog in patch.find("dog") if dog.left < car.left]
    best = max(dogs, key=lambda dog: dog.width)
    if len(dogs) > len(patch.find("cat")):
        return patch.visual_question_answering("Is it left of the car?")
    return formatting_answer(len(dogs))
"""


def of_kind(kind: str, source: str = FILTERED) -> list[str]:
    return [mutant for name, mutant in mutants(source, "2", ["zebra"]) if name == kind]


@pytest.mark.parametrize(
    ("kind", "count", "piece"),
    [
        ("constant answer", 2, "return '2'"),
        ("dropped filter", 2, "[dog for dog in patch.find('dog')]"),
        ("flipped comparison", 2, "dog.left > car.left"),
        ("half a comparison", 1, "len(dogs) > 0"),
        ("other extreme", 1, "min(dogs"),
        ("other direction", 3, "dog.lower < car.left"),
        ("other element", 1, "patch.find('car')[-1]"),
        ("other word", 1, "Is it right of the car?"),
        ("swapped name", 3, "patch.find('zebra')[0]"),
    ],
)
def test_each_kind_edits_one_place_at_a_time(kind: str, count: int, piece: str) -> None:
    made = of_kind(kind)
    assert len(made) == count
    assert any(piece in mutant for mutant in made)
    for mutant in made:
        ast.parse(mutant)


def test_no_mutant_comes_twice_or_is_the_program_itself() -> None:
    made = [mutant for _, mutant in mutants(FILTERED, "2", ["zebra", "zebra", "dog"])]
    assert len(made) == len(set(made))
    assert ast.unparse(ast.parse(FILTERED)) not in {mutant.strip() for mutant in made}


@pytest.mark.parametrize("source", ["def f(:\n", "x = " + "(" * 2000 + "1", "\0", ""])
def test_what_cannot_be_read_has_no_mutants(source: str) -> None:
    assert list(mutants(source, "2", ["zebra"])) == []
