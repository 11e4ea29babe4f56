"""What a picture shows, told as rationales tell it: lessons for the base of a small student.

They are said by the sentences of the template writer (`rationalize.say`), over what is exactly
there, so that a student knows how a rationale speaks before it learns what one argues.  Nothing is
compared, chosen or reasoned about here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.english import a, plural
from workbench.making.base_student import Pair
from workbench.prompts import RATIONALE_SUFFIX
from workbench.rationalize.claims.claims import Found, NamedPatch, Patch, StoryEntry, VisualAnswer
from workbench.rationalize.say.tell import Teller
from workbench.tasks.collage.answerable import pick
from workbench.tasks.collage.catalogue import CATEGORIES, KINDS, members
from workbench.tasks.collage.perception import WORDINGS, left_to_right
from workbench.tasks.collage.scene import Scene

THERE = ("Is there {a}?", "Are there any {many} here?", "Does the picture show {a}?")
"""Wordings of whether something is there."""
NUMBER = ("How many {many} are there?", "Count the {many}.", "What is the number of {many}?")
"""Wordings of how many there are."""
BOTH = ("Are there both {many} and {others}?", "Do you see {a} and {another}?")
"""Wordings of whether two things are there."""
WHAT = "What is this?"
"""What is asked about one thing."""
OBJECT = "object"
"""The noun of all things."""


def told_pairs(scene: Scene, rng: np.random.Generator) -> list[Pair]:
    """Two pairs of prompt and rationale about a picture: about one thing, and about two or all.

    Args:
        scene: what is there.
        rng: decides what is asked for, and in which words.
    """
    one, first, second = (_noun(scene, rng) for _ in range(3))
    if first == second or rng.random() < 0.5:
        return [_about_one(scene, one, rng), _about_all(scene, rng)]
    return [_about_one(scene, one, rng), _about_two(scene, first, second, rng)]


def _noun(scene: Scene, rng: np.random.Generator) -> str:
    """Something to ask for: more often than not it is there."""
    if rng.random() < 0.7:
        there = pick(scene.objects, rng).category
        kinds = [kind for kind in KINDS if there in members(kind)]
        return pick(kinds, rng) if kinds and rng.random() < 0.3 else there
    return pick(sorted(CATEGORIES), rng)


def _patches(scene: Scene, noun: str) -> tuple[Patch, ...]:
    """What a noun names in a scene, from left to right."""
    return tuple(
        Patch(thing.box, scene.width, scene.height)
        for thing in left_to_right(scene)
        if noun == OBJECT or thing.category in members(noun)
    )


def _text(claims: Sequence[Found | VisualAnswer], answer: str) -> str:
    entries = [StoryEntry(claim, set(), set()) for claim in claims]
    sentences = [sentence.text for sentence in Teller(entries).sentences()]
    return " ".join([*sentences, f"Thus, the answer is {answer}."])


def _claim(noun: str, patches: tuple[Patch, ...]) -> Found:
    return Found(noun, patches, None, len(patches))


def _about_one(scene: Scene, noun: str, rng: np.random.Generator) -> Pair:
    patches = _patches(scene, noun)
    if rng.random() < 0.5:
        wording, answer = pick(NUMBER, rng), str(len(patches))
    else:
        wording, answer = pick(THERE, rng), "yes" if patches else "no"
    question = wording.format(a=a(noun), many=plural(noun))
    return question + RATIONALE_SUFFIX, _text([_claim(noun, patches)], answer)


def _about_two(scene: Scene, first: str, second: str, rng: np.random.Generator) -> Pair:
    there = [_patches(scene, noun) for noun in (first, second)]
    question = pick(BOTH, rng).format(
        many=plural(first),
        others=plural(second),
        a=a(first),
        another=a(second),
    )
    claims = [_claim(noun, patches) for noun, patches in zip((first, second), there, strict=True)]
    return question + RATIONALE_SUFFIX, _text(claims, "yes" if all(there) else "no")


def _about_all(scene: Scene, rng: np.random.Generator) -> Pair:
    things = left_to_right(scene)
    patches = _patches(scene, OBJECT)
    named = [
        VisualAnswer(WHAT, thing.category, NamedPatch(patch, OBJECT))
        for thing, patch in zip(things, patches, strict=True)
    ]
    answer = ", ".join(thing.category for thing in things)
    question = pick(WORDINGS["name"], rng) + RATIONALE_SUFFIX
    return question, _text([_claim(OBJECT, patches), *named], answer)
