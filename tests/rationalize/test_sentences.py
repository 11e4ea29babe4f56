"""Every form of sentence with every noun, held against rules written apart from the generator."""

from __future__ import annotations

import pytest
from english_rules import faults
from reference_runs import reference_runs
from shapes import thing
from world import PICTURE, runs

from workbench.rationalize.claims.clauses import Predicate, capital, predicate_of
from workbench.rationalize.claims.grammar import base, conjugated, counted, is_third, third
from workbench.rationalize.claims.statements import about_picture, about_thing, statement
from workbench.rationalize.template import TemplateWriter
from workbench.records import Task
from workbench.tasks.collage.catalogue import CATEGORIES, KINDS
from workbench.tasks.collage.knowledge import FACTS

NOUNS = (*CATEGORIES, *KINDS, "object", "person", "skis", "bread", "teddy bear", "knife", "mouse")
OF_EACH_KIND = (
    "apple", "bus", "dog", "knife", "mouse", "person", "scissors", "sheep", "skis", "teddy bear",
)  # fmt: skip
"""Nouns whose plural, article or number each is made another way."""
VERBS = ("be", "have", "lay", "hatch", "fly", "go", "carry", "can", "cannot", "roll", "do", "pass")
QUESTIONS = (
    "Is there {a}?", "Are there any {many}?", "Do you see {a}?", "Are there more {many} than dogs?",
    "Are there as many {many} as dogs?", "Are there fewer {many} than dogs?", "Can {a} fly?",
    "Is the {one} left of the dog?", "Does {a} lay eggs?", "Does {a} lays eggs?", "Has {a} wheels?",
    "Does {a} hatches from an egg?", "Are all {many} red?", "Is it true that {a} can fly?",
)  # fmt: skip
OPEN = (
    "How many {many} are there?", "How many {many} are left of the dog?", "What is the {one}?",
    "What color is the {one}?", "Which {one} is left of the dog?", "What is the largest {one}?",
)  # fmt: skip


def words(noun: str) -> dict[str, str]:
    from workbench.english import a, one, plural

    return {"a": a(noun), "one": one(noun), "many": plural(noun)}


@pytest.mark.parametrize("question", QUESTIONS)
def test_yes_no_questions_with_every_noun(question: str) -> None:
    said = 0
    for noun in NOUNS:
        sentence = statement(question.format(**words(noun)), [noun])
        for truth in (True, False):
            if sentence is not None:
                text = capital(sentence.say(truth))
                assert list(faults(text)) == [], text
                said += 1
    assert said or "all" in question


@pytest.mark.parametrize("question", OPEN)
@pytest.mark.parametrize("answer", ["0", "1", "3", "apple", "sheep", "scissors", "red"])
def test_open_questions_with_every_noun(question: str, answer: str) -> None:
    for noun in NOUNS:
        for text in (
            about_picture(question.format(**words(noun)), answer, [noun]),
            f"the {words(noun)['one']} {about_thing('What is this?', answer, noun) or 'is red'}",
        ):
            if (text and not answer.isdigit()) or text[:1].isdigit():
                assert list(faults(capital(text))) == [], text


@pytest.mark.parametrize(
    "noun",
    [
        pytest.param(noun, marks=[] if noun in OF_EACH_KIND else pytest.mark.slow)
        for noun in dict.fromkeys((*OF_EACH_KIND, *NOUNS))
    ],
)
def test_every_shape_of_rationale_with_every_noun(noun: str) -> None:
    things = [thing(noun, 40 + 150 * at, 60 + 60 * at, 60 + 9 * at) for at in range(3)]
    things.append(thing("dog", 500, 380))
    name = noun.replace('"', "")
    bodies = (
        f'return formatting_answer(len(image_patch.find("{name}")))',
        f'xs = image_patch.find("{name}")\n'
        "return formatting_answer(max(xs, key=lambda x: x.width * x.height)"
        '.visual_question_answering("What is this?"))',
        f'xs = image_patch.find("{name}")\ndog = image_patch.find("dog")[0]\n'
        "return formatting_answer(len([x for x in xs if x.left < dog.left]))",
        f'xs = image_patch.find("{name}")\ndog = image_patch.find("dog")[0]\n'
        "return formatting_answer(len([x for x in xs if x.left > dog.left]))",
        f'xs = image_patch.find("{name}")\nds = image_patch.find("dog")\n'
        "return formatting_answer(len(xs) > len(ds))",
        f'xs = image_patch.find("{name}")\nds = image_patch.find("dog")\n'
        "return formatting_answer(len(xs) == len(ds))",
        f'return formatting_answer(image_patch.exists("{name}"))',
        f'xs = image_patch.find("{name}")\n'
        "return formatting_answer(xs[0].left < image_patch.find('dog')[0].left)",
        f'xs = image_patch.find("{name}")\n'
        f'return formatting_answer(len([x for x in xs if x.verify_property("{name}", "red")]))',
    )
    task = Task("w/1", "world", "test", PICTURE, "What is it?", (), "open")
    for row in runs(bodies, things, task):
        if row[2].ok:
            text = TemplateWriter().write([row])[0].text
            assert list(faults(text)) == [], text


@pytest.mark.parametrize("scenes", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_rationales_of_real_programs_of_every_family(scenes: int) -> None:
    marked = []
    for row in (
        *reference_runs(count=scenes, seed=21),
        *reference_runs(count=scenes, phrasing="train"),
    ):
        text = TemplateWriter().write([row])[0].text
        marked += [f"{fault}: {text}" for fault in faults(text)]
    assert marked == []


def test_verbs_have_their_forms() -> None:
    for verb in VERBS:
        for many in (True, False):
            for truth in (True, False):
                text = capital(f"{'they' if many else 'it'} {conjugated(verb, many, truth)} one")
                assert list(faults(text)) == [], text
    for verb in (
        "lay",
        "hatch",
        "fly",
        "go",
        "carry",
        "roll",
        "pass",
        "fizz",
        "mix",
        "have",
        "live",
    ):
        assert base(third(verb)) == verb
        assert base(verb) == verb
        assert is_third(third(verb))
    assert counted(1, "food") == "1 food item"
    assert counted(2, "scissors") == "2 pairs of scissors"


def test_facts_are_predicates_in_every_number() -> None:
    for fact in FACTS.values():
        for wording in (fact.train[0], fact.test[0]):
            predicate = predicate_of(wording)
            for many in (True, False):
                for truth in (True, False):
                    text = f"the {'dogs' if many else 'dog'} {predicate.say(many, truth)}"
                    assert list(faults(capital(text))) == [], text


@pytest.mark.parametrize(
    "text",
    [
        "There is an as many oranges as giraffes in the image.",
        "There is no more animals than mushrooms in the image.",
        "A giraffe does not hatches from an egg.",
        "4 cups are left of the toilet. Thus, 4 cups are left of the toilet.",
        "There are 1 dog in the image.",
        "There is 3 dogs in the image.",
        "There are 3 dog in the image.",
        "There is a apple in the image.",
        "The dogs at 1 2 3 4 and 5 6 7 8 is red.",
        "there is 1 dog.",
        "There is no dogs in the image.",
        "The object that can fly can fly.",
        "Neither of the 2 dogs is not red.",
    ],
)
def test_the_rules_mark_what_is_wrong(text: str) -> None:
    assert list(faults(text)) != []


def test_a_predicate_hangs_behind_its_noun() -> None:
    text = capital(f"there is 1 dog {Predicate('have', 'wheels').hang(False, False)}")
    assert text == "There is 1 dog that does not have wheels."
