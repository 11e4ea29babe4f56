"""Other scenes for a collage's question, and the exact answer of its logical form in each of them.

A question about a collage carries its logical form (`tasks.collage.questions`).  The form has an
exact answer in any scene, so scenes can be drawn for it: the layout of a generated collage with its
things renamed, so that what the question is about is there.  Nothing is painted; exact tools need
no pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
"""Number of layouts that scenes are drawn from."""
_FIRST = 50_000
"""Index of the first layout, far behind those of the bundled pictures."""
_TRIES = 60
"""Most scenes that are drawn for each one that is returned."""
_ABOUT = 0.65
"""Share of the things that the question is about."""
_EVERYTHING = tuple(CATEGORIES)


def form_of(task: Task) -> Form | None:
    """The form of a collage's question without its outer `choice`; None where there is none."""
    form = task.meta.get("form") if task.source == "collages" else None
    if isinstance(form, Mapping) and form.get("op") == "choice":
        form = form.get("of")
    return form if isinstance(form, Mapping) and "op" in form else None


def answer(scene: Scene, form: Form) -> str | None:
    """The exact answer of a form (without `choice`) in a scene; None where it has no clear one."""
    return _ANSWERS[form["op"]](scene, form)


def _odd_one(scene: Scene, form: Form) -> str | None:
    present = form["op"] == "present"
    fits = [option for option in form["options"] if bool(scene.count(option)) is present]
    return fits[0] if len(fits) == 1 else None


def _compare(scene: Scene, form: Form) -> str | None:
    first, second = among(scene, form["a"]), among(scene, form["b"])
    if first is None or second is None:
        return None
    a, b = len(first), len(second)
    return _yesno({"more": a > b, "fewer": a < b, "same": a == b}[form["cmp"]])


def _count(scene: Scene, form: Form) -> str | None:
    things = _things(scene, form)
    return None if things is None else str(len(things))


def _exists(scene: Scene, form: Form) -> str | None:
    things = _things(scene, form)
    return None if things is None else _yesno(bool(things))


def _knowledge(scene: Scene, form: Form) -> str | None:
    things = _things(scene, form)
    if things is None:
        return None
    truths = [has(form["fact"], thing.category) for thing in things]
    if None in truths:
        return None
    if form["ask"] == "count":
        return str(truths.count(True))
    if form["ask"] == "exists":
        return _yesno(True in truths)
    return _single(things, truths)


def _extreme(scene: Scene, form: Form) -> str | None:
    things = _things(scene, form)
    other = _only(scene, form["b"]) if "b" in form else None
    if things is None or ("b" in form and other is None):
        return None
    return extreme(scene, [thing for thing in things if thing is not other], form["by"], other)


def _relation(scene: Scene, form: Form) -> str | None:
    _, sides = _sides(scene, form) or ([], [])
    return _yesno(bool(sides[0])) if len(sides) == 1 else None


def _count_relation(scene: Scene, form: Form) -> str | None:
    things_and_sides = _sides(scene, form)
    return None if things_and_sides is None else str(things_and_sides[1].count(True))


def _category_of(scene: Scene, form: Form) -> str | None:
    return _extreme(scene, form) if "by" in form else _single(*(_sides(scene, form) or ([], [])))


_ANSWERS: Mapping[str, Callable[[Scene, Form], str | None]] = {
    "present": _odd_one,
    "absent": _odd_one,
    "compare": _compare,
    "count": _count,
    "exists": _exists,
    "knowledge": _knowledge,
    "extreme": _extreme,
    "relation": _relation,
    "count_relation": _count_relation,
    "category_of": _category_of,
}


def _things(scene: Scene, form: Form) -> list[SceneObject] | None:
    """What a form is about; None where an object's kind is debatable."""
    return among(scene, form["a"] if "a" in form else form["among"])


def _sides(scene: Scene, form: Form) -> tuple[list[SceneObject], list[bool | None]] | None:
    """What a form is about, `b` itself excluded, and whether each thing lies on the form's side of
    `b`; None where that is not clear for all of them.
    """
    things, other = _things(scene, form), _only(scene, form["b"])
    if things is None or other is None:
        return None
    rest = [thing for thing in things if thing is not other]
    sides = [lies(scene, thing, form["rel"], other) for thing in rest]
    return None if None in sides else (rest, sides)


def _single(things: Sequence[SceneObject], truths: Sequence[bool | None]) -> str | None:
    """The category of the only thing for which something is true; None where there is not one."""
    return things[truths.index(True)].category if truths.count(True) == 1 else None


def _yesno(truth: bool) -> str:
    return "yes" if truth else "no"


def _only(scene: Scene, category: str) -> SceneObject | None:
    things = [thing for thing in scene.objects if thing.category == category]
    return things[0] if len(things) == 1 else None


def others(task: Task, count: int) -> list[tuple[Scene, str]]:
    """Scenes in which a question has a clear answer, each with that answer.

    The answers are as evenly spread as the draws allow.  The same task gives the same scenes.
    Fewer than `count` come back where clear ones are rare; none for a task without a form.
    """
    form = form_of(task)
    if form is None:
        return []
    rng = np.random.default_rng([23, *task.id.encode()])
    by_answer: dict[str, list[Scene]] = {}
    for _ in range(_TRIES * count):
        scene = _with_other_things(_layout(int(rng.integers(LAYOUTS))), form, task.choices, rng)
        gold = answer(scene, form)
        if gold is not None and (task.answer_type != "choice" or gold in task.choices):
            by_answer.setdefault(gold, []).append(scene)
        if sum(min(len(scenes), -(-count // 2)) for scenes in by_answer.values()) >= 2 * count:
            break
    picks: list[tuple[Scene, str]] = []
    uses: Counter[str] = Counter()
    while len(picks) < count:
        free = [gold for gold, scenes in by_answer.items() if uses[gold] < len(scenes)]
        if not free:
            break
        gold = min(free, key=lambda one: (uses[one], one))
        picks.append((by_answer[gold][uses[gold]], gold))
        uses[gold] += 1
    return [(replace(scene, id=f"other-{at}"), gold) for at, (scene, gold) in enumerate(picks)]


@lru_cache(maxsize=LAYOUTS)
def _layout(number: int) -> Scene:
    return make_scene("train", _FIRST + number)


def _with_other_things(
    scene: Scene, form: Form, choices: Sequence[str], rng: np.random.Generator
) -> Scene:
    """The scene with other things in the same places, most of them things that the form is about.

    What the form needs exactly one of stands there once.
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
    """Categories that the question is about; at most four for each of its words."""
    groups = [members(form[key]) for key in ("a", "b", "among") if key in form]
    groups += [(name,) for name in (*form.get("options", ()), *choices) if name in CATEGORIES]
    if "fact" in form:
        groups.append(tuple(sorted(FACTS[form["fact"]].yes)))
    return [group[int(at)] for group in groups for at in rng.permutation(len(group))[:4]]
