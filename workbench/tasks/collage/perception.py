"""Questions about what is where, which teach a student to look before it reasons.

Boxes are `ymin xmin ymax xmax` on the 0-999 grid; things are listed from left to right by the
centres of their boxes (ties from top to bottom).

    family  question                                answer
    name    What is in the picture?                 dog, dog, car
    locate  Where is the dog?                       120 300 480 510
            Where are the dogs?                     120 300 480 510, 130 620 470 800
    list    List every object with its box.         dog 120 300 480 510, car 400 610 700 990
    at      What is at 120 300 480 510?             dog
    exists  Is there a dog?                         yes
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.boxes import grid_text
from workbench.english import plural, the
from workbench.records import AnswerType, Task
from workbench.tasks.collage.answerable import MAKERS, pick
from workbench.tasks.collage.questions import image_name, word
from workbench.tasks.collage.scene import Scene, SceneObject

FAMILIES = ("name", "locate", "list", "at", "exists")

WORDINGS: dict[str, tuple[str, ...]] = {
    "name": ("What is in the picture?", "Name every object in the picture.", "What do you see?"),
    "locate": ("Where is {the}?", "Give the box of {the}.", "Locate {the}."),
    "locate_all": ("Where are the {many}?", "Give the boxes of the {many}.", "Locate the {many}."),
    "list": (
        "List every object with its box.",
        "Give each object and its box, from left to right.",
        "What is in the picture, and where?",
    ),
    "at": ("What is at {box}?", "Name the object at {box}.", "Which object has the box {box}?"),
}
"""Wordings by family."""


def left_to_right(scene: Scene) -> list[SceneObject]:
    """The scene's objects by the centres of their boxes, from left to right."""
    return sorted(scene.objects, key=lambda thing: (*thing.box.center, thing.category))


def _box(scene: Scene, thing: SceneObject) -> str:
    return grid_text(thing.box, scene.width, scene.height)


def _ask(scene: Scene, family: str, rng: np.random.Generator) -> tuple[str, str, AnswerType]:
    """Question, answer and answer type."""
    things = left_to_right(scene)
    if family == "exists":
        draft = None
        while draft is None:
            draft = MAKERS["exists"](scene, rng)
        return word(draft.form, "train", rng)[0], draft.answer, "yesno"
    if family == "name":
        return pick(WORDINGS["name"], rng), ", ".join(thing.category for thing in things), "open"
    if family == "list":
        answer = ", ".join(f"{thing.category} {_box(scene, thing)}" for thing in things)
        return pick(WORDINGS["list"], rng), answer, "open"
    thing = pick(things, rng)
    if family == "at":
        return pick(WORDINGS["at"], rng).format(box=_box(scene, thing)), thing.category, "phrase"
    if family != "locate":
        raise ValueError(f"no family is called '{family}'; expected one of {', '.join(FAMILIES)}")
    alike = [other for other in things if other.category == thing.category]
    key = "locate" if len(alike) == 1 else "locate_all"
    question = pick(WORDINGS[key], rng).format(the=the(thing.category), many=plural(thing.category))
    return question, ", ".join(_box(scene, other) for other in alike), "open"


def perceive(
    scene: Scene, *, rng: np.random.Generator, families: Sequence[str] = FAMILIES, first: int = 0
) -> list[Task]:
    """One question of each family, in that order; ids are `collages/<scene>/p<number>`.

    Args:
        scene: the scene that the questions are about.
        rng: decides things and wordings; the same state gives the same questions.
        families: names out of `FAMILIES`.
        first: number of the first question.

    Raises:
        ValueError: there is no such family.
    """
    tasks = []
    for number, family in enumerate(families, start=first):
        question, answer, answer_type = _ask(scene, family, rng)
        tasks.append(
            Task(
                id=f"collages/{scene.id}/p{number}",
                source="collages",
                split=scene.split,
                image=image_name(scene),
                question=question,
                answers=(answer,),
                answer_type=answer_type,
                family=family,
                meta={"scene": scene.id, "perception": True},
            )
        )
    return tasks
