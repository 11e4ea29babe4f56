"""What changed tool results do to a program's answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from exact_runs import case, scene, task

from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.evaluate.wrong_reasons.counterfactual import Shaken, Worlds, shake
from workbench.evaluate.wrong_reasons.perturb import calls_of, changes, variants
from workbench.evaluate.wrong_reasons.suspicion import Case
from workbench.records import Region, Value

PARK = scene("dog", "dog", "cat", "car")
COUNT = task("How many dogs are there?", "2")


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    with Worlds(STANDARD.values(), workers=1) as made:
        yield made


def shaken(worlds: Worlds, *cases: Case) -> list[Shaken]:
    return list(shake(worlds, ((one.task, one.program, one.trace) for one in cases)))


def moved(found: Shaken, name: str) -> set[str]:
    return {effect.moved for effect in found.effects if effect.change.name == name}


def test_a_count_depends_on_what_was_found(worlds: Worlds) -> None:
    (found,) = shaken(worlds, case(COUNT, 'return formatting_answer(len(patch.find("dog")))', PARK))
    assert found.repeats
    assert found.idle() == []
    assert moved(found, "fewer") == moved(found, "more") == moved(found, "emptied") == {"answer"}
    assert moved(found, "reversed") == {"same"}


def test_a_constant_answer_depends_on_nothing(worlds: Worlds) -> None:
    body = 'dogs = patch.find("dog")\ncats = patch.find("cat")\nreturn "2"'
    (found,) = shaken(worlds, case(COUNT, body, PARK))
    assert [call.words for call in found.idle()] == ['find("dog")', 'find("cat")']


def test_a_crash_is_no_dependence(worlds: Worlds) -> None:
    body = 'cat = patch.find("cat")[0]\nreturn formatting_answer(len(patch.find("dog")))'
    (found,) = shaken(worlds, case(COUNT, body, PARK))
    assert "crash" in moved(found, "emptied")
    assert [call.words for call in found.idle()] == ['find("cat")']


def test_the_mirrored_picture_turns_left_and_right_round(worlds: Worlds) -> None:
    of = task("Is the cat left of the car?", "yes")
    body = (
        'cat = patch.find("cat")[0]\ncar = patch.find("car")[0]\n'
        "return formatting_answer(cat.horizontal_center < car.horizontal_center)"
    )
    (found,) = shaken(worlds, case(of, body, PARK))
    assert (found.mirrored("across"), found.mirrored("down")) == ("answer", "same")


def test_a_run_that_is_led_to_a_new_question_was_moved(worlds: Worlds) -> None:
    of = task("What is furthest to the left?", "dog")
    body = (
        'things = patch.find("object")\nbest = min(things, key=lambda thing: thing.horizontal_center)\n'
        'return formatting_answer(best.visual_question_answering("What is this?"))'
    )
    (found,) = shaken(worlds, case(of, body, PARK))
    assert found.idle() == []
    assert "asks" in {effect.moved for effect in found.effects}


def test_calls_without_a_picture_stay_in_their_own_world(worlds: Worlds) -> None:
    ask = 'return formatting_answer(llm_query("Can a dog fly? Answer yes or no."))'
    of = task("Can it fly?", "no")
    both = shaken(worlds, case(of, ask, PARK), case(of, f'patch.find("dog")\n{ask}', PARK))
    assert all(found.repeats for found in both)
    assert [moved(found, "flipped") for found in both] == [{"answer"}, {"answer"}]
    assert [call.tool for call in both[1].idle()] == ["find"]


def test_a_program_without_calls_has_one_world(worlds: Worlds) -> None:
    (found,) = shaken(worlds, case(COUNT, 'return "2"', PARK))
    assert (found.calls, found.repeats, found.effects) == ((), True, ())


def test_an_answered_loop_is_changed_site_by_site_and_all_at_once(worlds: Worlds) -> None:
    of = task("How many things have four legs?", "3")
    body = (
        'count = 0\nfor thing in patch.find("object"):\n'
        '    if thing.verify_property("object", "has four legs"):\n        count += 1\nreturn formatting_answer(count)'
    )
    made = case(of, body, PARK)
    (found,) = shaken(worlds, made)
    sites = {call.site for call in found.calls}
    assert (len(found.calls), len(sites)) == (5, 2)
    assert found.idle() == []
    assert [effect.change.name for effect in found.effects].count("all") == 1


def test_calls_are_rebuilt_from_the_events() -> None:
    made = case(COUNT, 'return formatting_answer(patch.find("dog")[0].exists("cat"))', PARK)
    find, exists = calls_of(made.task, made.trace)
    dogs = [thing.box for thing in PARK.objects if thing.category == "dog"]
    assert isinstance(find.result, list)
    assert sorted(item.box for item in find.result) == sorted(
        Box(*map(int, box.as_tuple())) for box in dogs
    )
    assert exists.arguments["patch"] == find.result[0]
    assert (exists.arguments["object_name"], exists.result) == ("cat", False)


DOG = Region("picture", 640, 480, Box(10, 20, 110, 70), "dog", 0.9)


@pytest.mark.parametrize(
    ("result", "changed"),
    [
        (True, [("flipped", False)]),
        (2, [("more", 3), ("less", 1)]),
        (0, [("more", 1)]),
        ("Yes", [("flipped", "no")]),
        ("0", [("more", "1")]),
        ("red", [("replaced", "blue")]),
        (None, []),
        ({"a": 1}, []),
    ],
)
def test_how_each_kind_of_result_is_changed(
    result: Value, changed: list[tuple[str, Value]]
) -> None:
    assert list(variants(result, COUNT, ["red", "blue"], set(), (640, 480))) == changed


def test_a_list_is_made_as_long_as_another_one() -> None:
    lengths = [
        len(v) for name, v in variants([DOG], COUNT, [], {1, 3}, (640, 480)) if name == "as many"
    ]  # type: ignore[arg-type]
    assert lengths == [3]


def test_a_long_run_has_a_bounded_number_of_worlds() -> None:
    body = 'for at in range(60):\n    patch.exists("dog")\n    patch.crop(0, 0, 100 + at, 100).exists("dog")\nreturn "2"'
    made = case(COUNT, body, PARK)
    assert len(list(changes(made.task, calls_of(made.task, made.trace), (640, 480)))) < 40
