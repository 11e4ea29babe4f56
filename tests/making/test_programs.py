"""Reference programs, run by plain Python on tools that know the scene."""

import re

import numpy as np
import pytest

from workbench.boxes import Box, to_lower_left
from workbench.making.paraphrases import SUPERLATIVES as OWN_SUPERLATIVES
from workbench.making.paraphrases import TEMPLATES as OWN
from workbench.making.paraphrases import paraphrase
from workbench.making.predicates import questions_of
from workbench.making.program_habits import variable
from workbench.making.programs import references, usable
from workbench.making.wordings import CLAUSES, FRAMES, framed
from workbench.tasks.collage.catalogue import CATEGORIES, members
from workbench.tasks.collage.knowledge import FACTS, has
from workbench.tasks.collage.phrasings import SUPERLATIVES, TEMPLATES
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


def word_runs(text, length=4):
    """Words in a row of a template, those with a slot among them left out."""
    words = re.findall(r"[a-z'{}_]+", text.lower())
    runs = zip(*(words[at:] for at in range(length)), strict=False)
    return {run for run in runs if not any("{" in word for word in run)}


def test_no_wording_of_ours_has_four_words_in_a_row_of_a_test_wording():
    theirs = [text for texts in TEMPLATES["test"].values() for text in texts]
    theirs += [text for pair in SUPERLATIVES["test"].values() for text in pair]
    taken = set().union(*map(word_runs, theirs))
    assert len(taken) > 100
    ours = [text for texts in OWN.values() for text in texts]
    ours += [text for pairs in OWN_SUPERLATIVES.values() for pair in pairs for text in pair]
    ours += [frame for frames in FRAMES.values() for frame in frames]
    ours += [clause for clauses in CLAUSES.values() for _, clause in clauses]
    assert [text for text in ours if word_runs(text) & taken] == []


def test_where_finding_answers_a_question_few_references_ask_it_whole():
    for family in set(FAMILIES) - {"knowledge"}:
        asking = looking = 0.0
        for _, _, found in questions(family):
            for reference in found:
                looked = {"find", "exists"} & reference.tools or "for option" in reference.source
                looking += reference.weight if looked else 0
                asking += 0 if looked else reference.weight
        assert 0 < asking < 0.05 * looking, family


def test_a_clause_meets_many_frames():
    rng = np.random.default_rng(0)
    for key in CLAUSES:
        assert len({framed(key, rng) for _ in range(200)}) > 25, key
        assert key in OWN
    assert framed("choice/present", rng) == ""
