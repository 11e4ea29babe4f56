"""What a picture shows, told in the sentences of rationales."""

from __future__ import annotations

import re

import numpy as np

from workbench.boxes_in_text import boxes_in, without_box_lists
from workbench.english import singular
from workbench.making.small_words import known_words
from workbench.making.telling import told_pairs
from workbench.prompts import RATIONALE_SUFFIX
from workbench.tasks.collage.catalogue import members
from workbench.tasks.collage.pictures import make_scene

TOLD = [
    (scene, prompt.removesuffix(RATIONALE_SUFFIX), text)
    for number, scene in enumerate(make_scene("train", number) for number in range(60))
    for prompt, text in told_pairs(scene, np.random.default_rng(number))
]


def test_each_number_and_each_box_is_that_of_the_things() -> None:
    checked = 0
    for scene, _, text in TOLD:
        for number, noun, boxes in re.findall(
            r"There (?:is|are) (\d+) ([a-z ]+) in the image(?:, at ([\d ,and]+))?\.", text
        ):
            name = singular(noun).removesuffix(" item").removeprefix("piece of ")
            there = [
                thing.box
                for thing in scene.objects
                if name in ("object", thing.category) or thing.category in members(name)
            ]
            assert int(number) == len(there), text
            if boxes:
                found = {box.pixels(scene.width, scene.height).center for box in boxes_in(boxes)}
                assert len(found) == len(there)
                checked += 1
    assert checked > 40


def test_what_is_not_there_is_said_to_be_none() -> None:
    no = [(text, question) for _, question, text in TOLD if "There is no " in text]
    assert no
    assert all(text.endswith(("answer is no.", "answer is 0.")) for text, _ in no)


def test_all_is_told_thing_by_thing() -> None:
    for scene, _, text in TOLD:
        if "objects in the image" in text:
            named = without_box_lists(text)
            assert all(thing.category in named for thing in scene.objects)
            assert text.count("Thus, the answer is ") == 1


def test_the_student_need_not_spell_what_it_tells() -> None:
    words = set(known_words())
    told = {word for _, _, text in TOLD for word in re.findall(r"[A-Za-z]+", text)}
    assert told <= words
