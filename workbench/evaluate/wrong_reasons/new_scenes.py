"""Is a program right, or only its answer?  It is run on other scenes with exact tools, where its
question has answers.

A question about a collage carries its logical form (`tasks.questions`).  The form has an exact
answer in any scene, so scenes can be drawn for it: the layout of a generated collage with its
things renamed, so that what the question is about is there.  Nothing is painted; exact tools need
no pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.records import Task
from workbench.tasks.collage.answerable import among
from workbench.tasks.collage.catalogue import CATEGORIES, members
from workbench.tasks.collage.geometry import extreme, lies
from workbench.tasks.collage.knowledge import FACTS, has
from workbench.tasks.collage.scene import Scene, SceneObject, make_scene

Form = Mapping[str, Any]

LAYOUTS = 150
"""Layouts that scenes are drawn from; far behind those of the bundled pictures."""
_FIRST = 50_000
_TRIES = 60
"""Scenes drawn for each one that is wanted."""
_ABOUT = 0.65
"""Share of the things that the question is about."""
_EVERYTHING = tuple(CATEGORIES)


def form_of(task: Task) -> Form | None:
    """The logical form that a collage's question was made from, the outer `choice` taken off; None
    without one.
    """
    form = task.meta.get("form") if task.source == "collages" else None
    if isinstance(form, Mapping) and form.get("op") == "choice":
        form = form.get("of")
    return form if isinstance(form, Mapping) and "op" in form else None


def answer(scene: Scene, form: Form) -> str | None:
    """The exact answer of a form (without `choice`) in a scene; None where it has no clear one."""
    op = form["op"]
    if op in ("present", "absent"):
        fits = [
            option for option in form["options"] if bool(scene.count(option)) is (op == "present")
        ]
        return fits[0] if len(fits) == 1 else None
    if op == "compare":
        first, second = among(scene, form["a"]), among(scene, form["b"])
        if first is None or second is None:
            return None
        a, b = len(first), len(second)
        return _yesno({"more": a > b, "fewer": a < b, "same": a == b}[form["cmp"]])
    things = among(scene, form["a"] if "a" in form else form["among"])
    if things is None:
        return None
    if op == "count":
        return str(len(things))
    if op == "exists":
        return _yesno(bool(things))
    if op == "knowledge":
        return _known(things, form)
    other = _only(scene, form["b"]) if "b" in form else None
    if "b" in form and other is None:
        return None
    rest = [thing for thing in things if thing is not other]
    if "by" in form:
        return extreme(scene, rest, form["by"], other)
    assert other is not None
    sides = [lies(scene, thing, form["rel"], other) for thing in rest]
    if None in sides:
        return None
    if op == "relation":
        return _yesno(bool(sides[0])) if len(sides) == 1 else None
    if op == "count_relation":
        return str(sides.count(True))
    return rest[sides.index(True)].category if sides.count(True) == 1 else None


def _yesno(truth: bool) -> str:
    return "yes" if truth else "no"


def _only(scene: Scene, category: str) -> SceneObject | None:
    found = [thing for thing in scene.objects if thing.category == category]
    return found[0] if len(found) == 1 else None


def _known(things: Sequence[SceneObject], form: Form) -> str | None:
    truths = [has(form["fact"], thing.category) for thing in things]
    if None in truths:
        return None
    if form["ask"] == "count":
        return str(truths.count(True))
    if form["ask"] == "exists":
        return _yesno(True in truths)
    return things[truths.index(True)].category if truths.count(True) == 1 else None


def others(task: Task, count: int) -> list[tuple[Scene, str]]:
    """Scenes in which the task's question has a clear answer, with the answers; as different ones
    as can be had.

    The same task gives the same scenes.  Fewer than `count` come back where clear ones are rare;
    none for a task without a form.
    """
    form = form_of(task)
    if form is None:
        return []
    rng = np.random.default_rng([23, *task.id.encode()])
    drawn: dict[str, list[Scene]] = {}
    for _ in range(_TRIES * count):
        scene = _renamed(_layout(int(rng.integers(LAYOUTS))), form, task.choices, rng)
        said = answer(scene, form)
        if said is not None and (task.answer_type != "choice" or said in task.choices):
            drawn.setdefault(said, []).append(scene)
        if sum(min(len(scenes), -(-count // 2)) for scenes in drawn.values()) >= 2 * count:
            break
    chosen: list[tuple[Scene, str]] = []
    taken: Counter[str] = Counter()
    while len(chosen) < count:
        free = [said for said, scenes in drawn.items() if taken[said] < len(scenes)]
        if not free:
            break
        said = min(free, key=lambda one: (taken[one], one))
        chosen.append((drawn[said][taken[said]], said))
        taken[said] += 1
    return [(replace(scene, id=f"other-{at}"), said) for at, (scene, said) in enumerate(chosen)]


@lru_cache(maxsize=LAYOUTS)
def _layout(number: int) -> Scene:
    return make_scene("train", _FIRST + number)


def _renamed(scene: Scene, form: Form, choices: Sequence[str], rng: np.random.Generator) -> Scene:
    """The scene with other things in the same places: what the form takes one of, and most of what
    it is about.
    """
    pool = _pool(form, choices, rng)
    single = {str(form["b"])} if "b" in form and form["op"] != "compare" else set()
    if form["op"] == "relation":
        single.add(str(form["a"]))
    names = sorted(single)
    while len(names) < len(scene.objects):
        among_them = pool if rng.random() < _ABOUT else _EVERYTHING
        name = among_them[int(rng.integers(len(among_them)))]
        if name not in single:
            names.append(name)
    order = rng.permutation(len(names))[: len(scene.objects)]
    objects = [
        replace(thing, category=names[int(at)])
        for thing, at in zip(scene.objects, order, strict=False)
    ]
    return replace(scene, objects=tuple(objects))


def _pool(form: Form, choices: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Categories that the question is about, of a wide word a few."""
    groups = [members(form[key]) for key in ("a", "b", "among") if key in form]
    groups += [(name,) for name in (*form.get("options", ()), *choices) if name in CATEGORIES]
    if "fact" in form:
        groups.append(tuple(sorted(FACTS[form["fact"]].yes)))
    return [group[int(at)] for group in groups for at in rng.permutation(len(group))[:4]]
