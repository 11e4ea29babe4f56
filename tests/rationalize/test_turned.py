"""Slips of every kind in real rationales: nearly all are caught, and no clean text is flagged."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from reference_runs import reference_runs
from shapes import SHAPES, thing
from world import run

from workbench.rationalize.check.directions import denies, pointings
from workbench.rationalize.check.faithful import check
from workbench.rationalize.slips import KINDS, slips
from workbench.rationalize.template import TemplateWriter

LEAST = {"left out": 0.95}
"""Least share of the slips of a kind that is caught, where it is not 97 in 100."""


@cache
def table() -> tuple[Counter[str], Counter[str], list[str], int]:
    """Slips and caught ones by kind; clean texts that were flagged; texts with unchecked claims."""
    made: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    flagged: list[str] = []
    unchecked = 0
    rows = [*reference_runs(count=2, phrasing="train"), *reference_runs(count=1, seed=11)]
    for row in rows:
        rationale = TemplateWriter().write([row])[0]
        flagged += [f"{rationale.text} {rationale.issues}"] if rationale.issues else []
        unchecked += bool(rationale.unchecked)
        for kind, wrong in slips(rationale.text):
            made[kind] += 1
            caught[kind] += bool(check(wrong, *row).issues)
    made["clean"] = len(rows)
    print(f"\n{'slip':<10}{'made':>6}{'caught':>8}")
    for kind in (*KINDS, "clean"):
        print(f"{kind:<10}{made[kind]:>6}{caught[kind] if kind != 'clean' else len(flagged):>8}")
    print(f"rationales with an unchecked claim: {unchecked}")
    return made, caught, flagged, unchecked


@pytest.mark.parametrize("kind", KINDS)
def test_slips_are_caught(kind: str) -> None:
    made, caught, _, _ = table()
    assert made[kind] >= 20
    assert caught[kind] >= LEAST.get(kind, 0.97) * made[kind]


def test_no_clean_rationale_is_flagged() -> None:
    made, _, flagged, unchecked = table()
    assert flagged == []
    assert unchecked <= 0.03 * made["clean"]


LEFT = """
bus = image_patch.find("bus")[0]
dogs = [dog for dog in image_patch.find("dog") if dog.horizontal_center < bus.horizontal_center]
return formatting_answer(len(dogs))
"""
TWO = [thing("bus", 300, 200), thing("dog", 20, 300), thing("dog", 500, 310)]


@pytest.mark.parametrize(
    ("sentence", "right"),
    [
        ("The dog at 625 31 749 156 is left of the bus.", True),
        ("The dog at 625 31 749 156 is right of the bus.", False),
        ("The dog at 625 31 749 156 is not left of the bus.", False),
        ("The dog at 645 781 770 906 is not left of the bus.", True),
        ("The dog at 645 781 770 906 is left of the bus.", False),
        # the same fact from the other side, and in other words
        ("The bus is right of the dog at 625 31 749 156.", True),
        ("The bus is left of the dog at 625 31 749 156.", False),
        ("The dog at 645 781 770 906 is right of the bus.", True),
        ("Both dogs are left of the bus.", False),
    ],
)
def test_a_side_is_held_against_the_comparison_that_was_made(sentence: str, right: bool) -> None:
    task, program, trace = run(LEFT, TWO, "How many dogs are left of the bus?")
    boxes = {name: _grid(place) for name, place in (("625 31 749 156", 1), ("645 781 770 906", 2))}
    for written, real in boxes.items():
        sentence = sentence.replace(written, real)
    text = f"There is 1 bus. There are 2 dogs. {sentence} Thus, there is 1 dog left of the bus."
    wrong = [issue for issue in check(text, task, program, trace).issues if "not what" in issue]
    assert bool(wrong) is not right


def _grid(place: int) -> str:
    from workbench.boxes import grid_text

    return grid_text(TWO[place].box, 640, 480)


def test_what_no_fact_speaks_of_is_unchecked_and_no_issue() -> None:
    task, program, trace = run(LEFT, TWO, "How many dogs are left of the bus?")
    text = TemplateWriter().write([(task, program, trace)])[0].text
    more = text.replace("Thus,", "The bus is larger than the dogs. Thus,")
    checked = check(more, task, program, trace)
    assert checked.issues == ()
    assert checked.unchecked == ("The bus is larger than the dogs.",)
    assert check(text, task, program, trace).unchecked == ()


@pytest.mark.parametrize(
    ("text", "negative"),
    [
        ("it is red", False),
        ("it is not red", True),
        ("none of them is red", True),
        ("none of them is not red", False),
        ("a notable cat cannot fly", True),
        ("the knot is noted", False),
    ],
)
def test_two_negations_affirm(text: str, negative: bool) -> None:
    assert denies(text) is negative


@pytest.mark.parametrize(
    ("text", "axis", "way"),
    [
        ("the dog is left of the cat", "across", -1),
        ("the topmost dog", "up", 1),
        ("the dog is closer to the camera than the cat", "depth", -1),
        ("of the 2 dogs, it is the nearer to the cat", "distance", -1),
        ("what is left over", "", 0),
        ("the right answer", "", 0),
        ("the almost red dog", "", 0),
    ],
)
def test_words_that_point_one_way(text: str, axis: str, way: int) -> None:
    assert [(one.axis, one.way) for one in pointings(text)] == ([(axis, way)] if way else [])


def test_every_shape_stays_clean() -> None:
    for shape in SHAPES:
        if shape.name != "failed":
            row = run(
                shape.body, shape.things, shape.question, dict(shape.says), choices=shape.choices
            )
            assert TemplateWriter().write([row])[0].issues == (), shape.name
