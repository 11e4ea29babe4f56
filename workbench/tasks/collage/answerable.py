"""Questions to which a scene has a clear answer: one maker per family gives a form and its answer.

The meaning of the forms is in `questions`.  Truth and falsehood are drawn before the objects, so
that a yes/no question's words do not give its answer away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from workbench.records import AnswerType
from workbench.tasks.collage.catalogue import CATEGORIES, KINDS, confusable, is_a
from workbench.tasks.collage.geometry import ALONE, RELATIONS, TOWARDS, extreme, lies
from workbench.tasks.collage.knowledge import FACTS, has
from workbench.tasks.collage.scene import Scene, SceneObject

Form = dict[str, Any]
T = TypeVar("T")
_COUNT_WEIGHT = {0: 0.18, 1: 0.5, 2: 1.0, 3: 1.6, 4: 2.2, 5: 2.0}


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A question before it is worded."""

    form: Form
    answer: str
    answer_type: AnswerType
    choices: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


def pick(
    values: Sequence[T], rng: np.random.Generator, weights: Sequence[float] | None = None
) -> T:
    """One of several values, drawn at random.

    Args:
        values: the values; at least one.
        rng: decides which.
        weights: how likely each value is, relative to the others; all alike when None.
    """
    if weights is None:
        return values[int(rng.integers(len(values)))]
    point, total = float(rng.random()) * sum(weights), 0.0
    for value, weight in zip(values, weights, strict=True):
        total += weight
        if point < total:
            return value
    return values[-1]


def _yesno(truth: bool) -> str:
    return "yes" if truth else "no"


def _coin(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)


def among(scene: Scene, name: str) -> list[SceneObject] | None:
    """The objects that a name in a form stands for; None where an object's kind is debatable."""
    if name == "object":
        return list(scene.objects)
    if name not in KINDS:
        return [thing for thing in scene.objects if thing.category == name]
    if any(is_a(thing.category, name) is None for thing in scene.objects):
        return None
    return [thing for thing in scene.objects if is_a(thing.category, name)]


def unique(scene: Scene) -> list[SceneObject]:
    """The objects that are the only one of their category."""
    return [thing for thing in scene.objects if scene.count(thing.category) == 1]


def _by_count(drafts: Iterable[QuestionDraft], rng: np.random.Generator) -> QuestionDraft | None:
    """One draft with an integer answer; larger counts are preferred, since they are rarer."""
    by_answer: dict[int, list[QuestionDraft]] = {}
    for draft in drafts:
        by_answer.setdefault(int(draft.answer), []).append(draft)
    if not by_answer:
        return None
    counts = sorted(by_answer)
    return pick(by_answer[pick(counts, rng, [_COUNT_WEIGHT.get(n, 1.0) for n in counts])], rng)


def _absent(scene: Scene, rng: np.random.Generator, how: str) -> str | None:
    """A category that is not in the scene; None where there is none of that sort.

    Args:
        scene: the scene.
        rng: decides which.
        how: `random` for any, `popular` for a frequent one, `adversarial` for one of a kind that
            is in the scene.
    """
    names = [
        c
        for c in CATEGORIES
        if scene.count(c) == 0 and not any(confusable(c, o) for o in scene.categories)
    ]
    if how == "popular":
        names = [name for name in names if CATEGORIES[name].weight >= 3]
    if how == "adversarial":
        kinds = {kind for name in scene.categories for kind in CATEGORIES[name].kinds}
        names = [name for name in names if kinds & set(CATEGORIES[name].kinds)]
    return pick(names, rng) if names else None


def _count(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    def draft(name: str, number: int) -> QuestionDraft:
        return QuestionDraft({"op": "count", "a": name}, str(number), "integer")

    drafts = [draft(name, scene.count(name)) for name in scene.categories]
    missing = _absent(scene, rng, "random")
    if missing:
        drafts.append(draft(missing, 0))
    if rng.random() < 0.25:
        groups = [(kind, among(scene, kind)) for kind in KINDS]
        drafts = [draft(kind, len(group)) for kind, group in groups if group] or drafts
    return _by_count(drafts, rng)


def _exists(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    if _coin(rng):
        return QuestionDraft({"op": "exists", "a": pick(scene.categories, rng)}, "yes", "yesno")
    how = pick(("random", "popular", "adversarial"), rng)
    name = _absent(scene, rng, how)
    return (
        QuestionDraft({"op": "exists", "a": name}, "no", "yesno", meta={"negative": how})
        if name
        else None
    )


def _relation(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    truth = _coin(rng)
    drafts = [
        QuestionDraft(
            {"op": "relation", "a": x.category, "rel": rel, "b": y.category}, _yesno(truth), "yesno"
        )
        for x in unique(scene)
        for y in unique(scene)
        for rel in RELATIONS
        if x is not y and lies(scene, x, rel, y) is truth
    ]
    return pick(drafts, rng) if drafts else None


def _holds(first: int, second: int, cmp: str) -> bool:
    return {"more": first > second, "fewer": first < second, "same": first == second}[cmp]


def _compare(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    """A comparison of a sort that the scene has true and false ones of.

    So the words of the question do not give its answer away.
    """
    drafts: dict[str, dict[bool, list[QuestionDraft]]] = {}
    for first in scene.categories:
        for second in scene.categories:
            for cmp in ("more", "fewer", "same"):
                if first == second:
                    continue
                truth = _holds(scene.count(first), scene.count(second), cmp)
                form = {"op": "compare", "a": first, "b": second, "cmp": cmp}
                drafts.setdefault(cmp, {}).setdefault(truth, []).append(
                    QuestionDraft(form, _yesno(truth), "yesno")
                )
    fair = [both for both in drafts.values() if len(both) == 2]
    return pick(pick(fair, rng)[_coin(rng)], rng) if fair else None


def _extremes(scene: Scene, name: str, op: str) -> list[QuestionDraft]:
    things = among(scene, name) or []
    drafts = []
    for by in ALONE:
        answer = extreme(scene, things, by)
        if answer:
            drafts.append(QuestionDraft({"op": op, "among": name, "by": by}, answer, "phrase"))
    for other in unique(scene):
        rest = [thing for thing in things if thing is not other]
        for by in TOWARDS:
            answer = extreme(scene, rest, by, other)
            if answer:
                form = {"op": op, "among": name, "by": by, "b": other.category}
                drafts.append(QuestionDraft(form, answer, "phrase"))
    return drafts


def _spread(drafts: Sequence[QuestionDraft], rng: np.random.Generator) -> QuestionDraft | None:
    """One draft, its `by` or `rel` drawn first, so that each is asked about equally often."""
    groups: dict[str, list[QuestionDraft]] = {}
    for draft in drafts:
        groups.setdefault(str(draft.form.get("by", "rel")), []).append(draft)
    return pick(groups[pick(sorted(groups), rng)], rng) if groups else None


def _extreme(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    return _spread(_extremes(scene, "object", "extreme"), rng)


def _count_relation(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    drafts = []
    for name in (*scene.categories, *KINDS):
        things = among(scene, name) or []
        for other in unique(scene):
            rest = [thing for thing in things if thing is not other]
            for rel in RELATIONS:
                sides = [lies(scene, thing, rel, other) for thing in rest]
                if len(rest) >= 2 and None not in sides:
                    form = {"op": "count_relation", "a": name, "rel": rel, "b": other.category}
                    drafts.append(QuestionDraft(form, str(sides.count(True)), "integer"))
    return _by_count(drafts, rng)


def _category_of(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    drafts = []
    for kind in KINDS:
        drafts += _extremes(scene, kind, "category_of")
        things = among(scene, kind) or []
        for other in unique(scene):
            rest = [thing for thing in things if thing is not other]
            for rel in RELATIONS:
                sides = [lies(scene, thing, rel, other) for thing in rest]
                if None not in sides and sides.count(True) == 1:
                    form = {"op": "category_of", "among": kind, "rel": rel, "b": other.category}
                    drafts.append(QuestionDraft(form, rest[sides.index(True)].category, "phrase"))
    related = [draft for draft in drafts if "rel" in draft.form]
    return pick(related, rng) if related and _coin(rng) else _spread(drafts, rng)


def _knowledge(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    drafts: list[QuestionDraft] = []
    for fact, entry in FACTS.items():
        for name in entry.among:
            drafts += _of_fact(scene, fact, name, rng)
    ask = pick(("count", "exists", "which"), rng)
    drafts = [draft for draft in drafts if draft.form["ask"] == ask]
    if ask == "count":
        return _by_count(drafts, rng)
    weights = None
    if ask == "exists":
        truth = _yesno(_coin(rng))
        drafts = [draft for draft in drafts if draft.answer == truth]
        weights = [_commonness(draft.form["fact"]) for draft in drafts]
    return pick(drafts, rng, weights) if drafts else None


def _of_fact(
    scene: Scene, fact: str, name: str, rng: np.random.Generator
) -> Iterator[QuestionDraft]:
    """Questions about a fact of the things that a name stands for; a count of 0 is rare."""
    things = among(scene, name)
    if not things or any(has(fact, thing.category) is None for thing in things):
        return
    draft = partial(_fact_draft, fact, name)
    holders = [thing for thing in things if has(fact, thing.category)]
    yield draft("exists", _yesno(bool(holders)), "yesno")
    if holders or rng.random() < 0.05:
        yield draft("count", str(len(holders)), "integer")
    if len(holders) == 1 and len(things) >= 2:
        yield draft("which", holders[0].category, "phrase")


def _fact_draft(fact: str, name: str, ask: str, answer: str, kind: AnswerType) -> QuestionDraft:
    form = {"op": "knowledge", "ask": ask, "fact": fact, "among": name}
    return QuestionDraft(form, answer, kind)


def _commonness(fact: str) -> float:
    """How likely something with the fact is in a scene.

    With this weight the name of a fact does not give the answer `no` away.
    """
    total = sum(category.weight for category in CATEGORIES.values())
    return 1 - (1 - sum(CATEGORIES[name].weight for name in FACTS[fact].yes) / total) ** 4


def _options(scene: Scene, answer: str, rng: np.random.Generator) -> tuple[str, ...]:
    """The answer and three categories that cannot be argued to be it, shuffled.

    Most are in the picture or of the answer's kind, so that the options alone give little away.
    """
    kin = [
        name for name in CATEGORIES if set(CATEGORIES[name].kinds) & set(CATEGORIES[answer].kinds)
    ]
    pools = [list(scene.categories), kin or list(CATEGORIES), list(CATEGORIES)]
    options = [answer]
    for _ in range(1000):
        name = pick(pick(pools, rng, (0.4, 0.5, 0.1)), rng)
        if name not in options and not any(confusable(name, option) for option in options):
            options.append(name)
        if len(options) == 4:
            break
    return tuple(options[int(i)] for i in rng.permutation(4))


def _odd_one(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    """Which of four is in the picture, or is not."""
    absent = _coin(rng) and len(scene.categories) >= 3
    there = [scene.categories[int(i)] for i in rng.permutation(len(scene.categories))][
        : 3 if absent else 1
    ]
    missing: list[str] = []
    while len(missing) < 4 - len(there):
        name = _absent(scene, rng, pick(("random", "popular", "adversarial"), rng))
        if name and name not in missing:
            missing.append(name)
    answer = missing[0] if absent else there[0]
    options = [(*there, *missing)[int(i)] for i in rng.permutation(4)]
    inner = {"op": "absent" if absent else "present", "options": options}
    return QuestionDraft({"op": "choice", "of": inner}, answer, "choice", tuple(options))


def _choice(scene: Scene, rng: np.random.Generator) -> QuestionDraft | None:
    make = pick((_odd_one, _extreme, _category_of, _count), rng)
    draft = make(scene, rng)
    if draft is None or draft.answer_type == "choice":
        return draft
    if draft.answer_type == "integer":
        answer = int(draft.answer)
        low = max(0, answer - int(rng.integers(4)))
        options = tuple(str(low + i) for i in range(4))
    else:
        options = _options(scene, draft.answer, rng)
    return QuestionDraft({"op": "choice", "of": draft.form}, draft.answer, "choice", options)


MAKERS: dict[str, Callable[[Scene, np.random.Generator], QuestionDraft | None]] = {
    "count": _count,
    "exists": _exists,
    "relation": _relation,
    "compare": _compare,
    "extreme": _extreme,
    "count_relation": _count_relation,
    "category_of": _category_of,
    "knowledge": _knowledge,
    "choice": _choice,
}
