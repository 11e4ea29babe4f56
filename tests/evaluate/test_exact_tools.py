"""Exact answers of forms and questions, programs on other scenes, and whose error a wrong answer
is.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from exact_runs import case, program, scene, task, traced

from workbench.evaluate.wrong_reasons.blame import Attribution, ErrorShares, attribute, count
from workbench.evaluate.wrong_reasons.exact_tools import read_question, right, scene_of, undecided
from workbench.evaluate.wrong_reasons.new_scenes import answer, form_of, others
from workbench.evaluate.wrong_reasons.transfer import Elsewhere, elsewhere
from workbench.records import Failure
from workbench.tasks.bundled import Collages
from workbench.tasks.collage.scene import make_scene

PARK = scene("dog", "dog", "cat", "car")
COUNT = 'return formatting_answer(len(patch.find("dog")))'
HOW_MANY = task("How many dogs are there?", "2", {"op": "count", "a": "dog"})


def test_the_forms_of_the_bundled_questions_have_the_bundled_answers() -> None:
    source = Collages()
    scenes = {one.id: one for one in source.scenes("test")}
    wrong = [
        one.id
        for one in source.tasks("test")
        if (form := form_of(one)) is None
        or answer(scenes[one.meta["scene"]], form) not in one.answers
    ]
    assert wrong == []


@pytest.mark.parametrize("number", [0, 2, 3, 5, 9])
def test_other_scenes_answer_the_question_in_several_ways(number: int) -> None:
    asked = list(Collages().tasks("test"))[number]
    form = form_of(asked)
    found = others(asked, 6)
    assert found == others(asked, 6)
    assert len(found) == 6
    assert form is not None
    assert all(answer(drawn, form) == said for drawn, said in found)
    assert len({said for _, said in found}) > 1


def test_a_question_without_a_form_has_no_other_scenes() -> None:
    assert others(task("What is on the table?", "a cup"), 6) == []


@pytest.mark.parametrize(
    ("question", "form"),
    [
        (
            "Are there as many oranges as giraffes?",
            {"op": "compare", "a": "orange", "b": "giraffe", "cmp": "same"},
        ),
        (
            "Is the hat to the left of the pair of scissors?",
            {"op": "relation", "a": "hat", "b": "scissors", "rel": "left"},
        ),
        (
            "How many dogs are above the car?",
            {"op": "count_relation", "a": "dog", "b": "car", "rel": "above"},
        ),
        (
            "What is the largest thing? Options: cat, dog.",
            {"op": "extreme", "by": "largest", "among": "object"},
        ),
        (
            "What animal is nearest to the car?",
            {"op": "extreme", "among": "animal", "by": "nearest", "b": "car"},
        ),
        (
            "Which vehicle is right of the dog?",
            {"op": "category_of", "among": "vehicle", "b": "dog", "rel": "right"},
        ),
        (
            "Is there an object that has wheels?",
            {"op": "knowledge", "ask": "exists", "fact": "wheels", "among": "object"},
        ),
        (
            "How many animals can fly?",
            {"op": "knowledge", "ask": "count", "fact": "fly", "among": "animal"},
        ),
        ("Is the sky left of the sea?", None),
        ("What is this?", None),
    ],
)
def test_plain_questions_are_read_as_forms(question: str, form: dict[str, str] | None) -> None:
    assert read_question(question) == form


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Are there more dogs than cats?", "yes"),
        ("Is the cat left of the car?", "yes"),
        ("How many vehicles are right of the cat?", "1"),
        ("Is there a cat?", "yes"),
        ("How many dogs?", "2"),
    ],
)
def test_exact_tools_answer_questions_about_the_whole_scene(question: str, said: str) -> None:
    body = f'return formatting_answer(patch.visual_question_answering("{question}"))'
    trace = traced(HOW_MANY, program(body, HOW_MANY), PARK)
    assert trace.answer == said


@pytest.mark.parametrize(
    "body",
    [
        'return formatting_answer(patch.visual_question_answering("Who is the owner?"))',
        'return formatting_answer(patch.visual_question_answering("Is there a means of transport?"))',
        'return formatting_answer(patch.exists("hullabaloo"))',
        'return formatting_answer(len(patch.find("hullabaloo")))',
    ],
)
def test_what_exact_tools_cannot_know_is_undecided(body: str) -> None:
    assert undecided(traced(HOW_MANY, program(body, HOW_MANY), PARK))


def test_a_crash_of_the_program_is_decided() -> None:
    trace = traced(HOW_MANY, program('return patch.find("dog")[7].label', HOW_MANY), PARK)
    assert not undecided(trace)
    assert not right(HOW_MANY, trace)


def test_a_right_program_is_right_elsewhere_and_a_lucky_one_is_not() -> None:
    lucky = 'return formatting_answer(len(patch.find("dog")) + len(patch.find("zebra")))'
    bodies = (COUNT, 'return "2"', lucky, 'return patch.visual_question_answering("Who?")')
    known = list(elsewhere([(HOW_MANY, program(body, HOW_MANY)) for body in bodies]))
    assert [one.verdict for one in known[:2]] == [True, False]
    assert known[0] == Elsewhere(12, 0, 0)
    assert known[3] == Elsewhere(0, 0, 12)
    assert known[3].verdict is None


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((12, 0, 0), True),
        ((6, 0, 6), True),
        ((5, 0, 7), None),
        ((9, 3, 0), None),
        ((8, 4, 0), False),
    ],
)
def test_what_is_wrong_now_and_then_is_neither(
    counts: tuple[int, int, int], verdict: bool | None
) -> None:
    assert Elsewhere(*counts).verdict is verdict


def drawn_task() -> object:
    """A bundled scene's question, and its answer."""
    park = make_scene("train", 3)
    name = park.objects[0].category
    form = {"op": "count", "a": name}
    return task(
        f"How many {name}?",
        str(park.count(name)),
        form,
        meta={"scene": "train-00003", "form": form},
    )


def test_an_error_is_the_programs_or_the_tools() -> None:
    of = drawn_task()
    name = of.meta["form"]["a"]  # type: ignore[attr-defined]
    counting, wrong, free = (
        program(body, of)  # type: ignore[arg-type]
        for body in (
            f'return len(patch.find("{name}"))',
            'return "77"',
            'return patch.visual_question_answering("Why?")',
        )
    )
    run = case(HOW_MANY, COUNT, PARK).trace
    good, bad = replace(run, answer=of.answers[0]), replace(run, answer="99")  # type: ignore[attr-defined]
    broken = replace(
        bad, answer=None, failure=Failure("tool_error", "the detector knows no such name")
    )
    rows = [
        (counting, good),
        (counting, bad),
        (counting, broken),
        (wrong, bad),
        (wrong, good),
        (free, good),
    ]
    blamed = list(attribute([(of, made, trace) for made, trace in rows]))  # type: ignore[misc]
    assert blamed == ["right", "tool", "tool", "program", "lucky", "undecided"]


def test_what_has_no_scene_or_no_label_is_left_out() -> None:
    photo = replace(HOW_MANY, meta={})
    assert scene_of(photo) is None
    assert scene_of(replace(photo, meta={"scene": "../../etc-1"})) is None
    free = replace(HOW_MANY, answers=())
    run = case(HOW_MANY, COUNT, PARK)
    assert list(attribute([(one, run.program, run.trace) for one in (photo, free)])) == [None, None]


def test_figures_have_denominators_and_survive_json() -> None:
    pairs = [
        ("count", "right"),
        ("count", "tool"),
        ("exists", "program"),
        ("count", "program"),
        ("", None),
        ("", "lucky"),
    ]
    found = count(pairs)  # type: ignore[arg-type]
    assert found.all == ErrorShares(1, 1, 2, 1, 0)
    assert (found.all.program_share.hits, found.all.program_share.of) == (2, 3)
    assert (found.all.tool_share.hits, found.all.lucky_share.of, found.left_out) == (1, 2, 1)
    assert list(found.families) == ["", "count", "exists"]
    assert Attribution.from_json(found.to_json()) == found
