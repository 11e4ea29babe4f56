"""Reference programs, run by plain Python on tools that know the scene."""

import re

import numpy as np
import pytest

from workbench.boxes import Box, to_lower_left
from workbench.making.paraphrases import TEMPLATES as OWN
from workbench.making.paraphrases import paraphrase
from workbench.making.predicates import questions_of
from workbench.making.programs import references, usable, variable
from workbench.tasks.collage.catalogue import CATEGORIES, members
from workbench.tasks.collage.knowledge import FACTS, has
from workbench.tasks.collage.phrasings import TEMPLATES
from workbench.tasks.collage.questions import FAMILIES, ask
from workbench.tasks.collage.scene import make_scene
from workbench.verify.answers import score

SCENES = 150


class Patch:
    """A patch of a scene whose tools are always right."""

    def __init__(self, scene, thing=None):
        box = thing.box if thing else Box(0, 0, scene.width, scene.height)
        self._scene, self._thing = scene, thing
        self.left, self.lower, self.right, self.upper = to_lower_left(box, scene.height)
        self.width, self.height = box.width, box.height
        self.horizontal_center, self.vertical_center = (
            (self.left + self.right) / 2,
            (self.lower + self.upper) / 2,
        )

    def find(self, name):
        return [
            Patch(self._scene, thing)
            for thing in self._scene.objects
            if thing.category in members(name)
        ]

    def exists(self, name):
        return bool(self.find(name))

    def visual_question_answering(self, question):
        if match := re.fullmatch(r"Is there an? (.+)\?", question):
            return "yes" if self.exists(match[1]) else "no"
        assert self._thing, f"only a detected object can be asked {question!r}"
        return self._thing.category

    def verify_property(self, name, predicate):
        fact = next(fact for fact, entry in FACTS.items() if entry.train[0] == predicate)
        return bool(has(fact, self._thing.category))

    def best_text_match(self, options, prefix=None):
        return next(
            (option for option in options if self._thing and option == self._thing.category),
            options[0],
        )


def llm_query(question):
    for fact, entry in FACTS.items():
        for form in questions_of(entry.train[0]):
            for category in CATEGORIES:
                if question == form.format(name=category) + " Answer yes or no.":
                    return "yes" if has(fact, category) else "no"
    raise AssertionError(f"nobody can answer {question!r}")


def formatting_answer(value):
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def distance(a, b):
    across = max(a.left, b.left) - min(a.right, b.right)
    up = max(a.lower, b.lower) - min(a.upper, b.upper)
    return (max(across, 0) ** 2 + max(up, 0) ** 2) ** 0.5


def run(source, scene):
    names = {
        "ImagePatch": Patch,
        "llm_query": llm_query,
        "formatting_answer": formatting_answer,
        "distance": distance,
        "print": lambda text: None,
    }
    exec(compile(source, "program", "exec"), names)
    return names["execute_command"](scene)


def questions(family, seed=3):
    rng = np.random.default_rng(seed)
    for index in range(SCENES):
        scene = make_scene("val", index)
        for task in ask(scene, phrasing="train", rng=rng, families=[family]):
            form = task.meta["form"]
            inner = form["of"] if form["op"] == "choice" else form
            predicate = FACTS[inner["fact"]].train[0] if "fact" in inner else ""
            yield scene, task, references(form, predicate, task.choices, rng)


@pytest.mark.parametrize("family", FAMILIES)
def test_exact_programs_answer_every_question_rightly(family):
    tried = 0
    for scene, task, found in questions(family):
        for reference in found:
            if reference.exact:
                answer = run(reference.source, scene)
                assert score(task, answer).score == 1.0, (
                    f"{task.question} {task.answers} {answer}\n{reference.source}"
                )
                tried += 1
    assert tried > SCENES


@pytest.mark.parametrize("family", FAMILIES)
def test_programs_are_short_and_name_the_tools_that_they_call(family):
    for _, _, found in questions(family):
        for reference in found:
            compile(reference.source, "program", "exec")
            assert len(reference.source) < 700
            assert reference.tools == {
                name for name in reference.tools if f"{name}(" in reference.source
            }
            assert "formatting_answer(" in reference.source


def test_every_form_can_be_answered_by_asking_alone():
    for family in FAMILIES:
        for _, _, found in questions(family):
            assert usable(found, ["visual_question_answering", "best_text_match"])


def test_no_paraphrase_is_a_test_wording():
    theirs = {text for texts in TEMPLATES["test"].values() for text in texts}
    assert not theirs & {text for texts in OWN.values() for text in texts}


def test_every_form_can_be_paraphrased():
    rng = np.random.default_rng(0)
    for family in FAMILIES:
        for _, task, _ in questions(family):
            text, predicate = paraphrase(task.meta["form"], rng)
            assert "{" not in text
            assert bool(predicate) == (family == "knowledge")


def test_a_plural_never_takes_the_name_of_its_singular():
    for noun in (*CATEGORIES, "animal", "food", "sheep", "object"):
        assert variable(noun).isidentifier()
        assert variable(noun, many=True).isidentifier()
        assert variable(noun) != variable(noun, many=True)
