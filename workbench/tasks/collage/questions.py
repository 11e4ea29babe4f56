"""Questions about a scene with exact answers, each with the logical form it was made from.

    tasks = ask(scene, phrasing="train", rng=numpy.random.default_rng(0))

`Task.meta` holds {"scene": id, "phrasing": "train"|"test", "template": n, "form": {...}}.  A form
is a dict of plain values.  A *name* in a form is a category (`dog`, a key of
`catalogue.CATEGORIES`), a kind (`animal`, `vehicle`, `fruit`, `food`, `tool`, `musical instrument`:
the objects whose category `catalogue.is_a` the kind) or `object` (everything).
`catalogue.members(name)` gives its categories. Positions are centres of boxes in pixels, y
downwards; sizes are areas of boxes; distances are Euclidean between centres.  A b stands for
exactly one object of the scene, except in `compare`.

    op              keys                    answer
    count           a: name                 number of objects of a
    exists          a: name                 yes if there is at least one a
    relation        a, b: category; rel     yes if a's centre lies `rel` of b's (both unique)
    compare         a, b: name; cmp         yes if count(a) `cmp` count(b)
    extreme         among: "object";        category of the object that is `by`, b itself excluded
                    by[; b]
    count_relation  a: name; rel;           number of a's whose centre lies `rel` of b's (b
                    b: category             excluded)
    category_of     among: kind; rel, b     category of the only `among` object that lies `rel`
                                            of b
    category_of     among: kind; by[; b]    category of the `among` object that is `by`, b
                                            excluded
    knowledge       ask: count|exists|      count: number of `among` objects with the fact;
                    which; fact;            exists: yes or no; which: category of the only object
                    among: name             with it
    choice          of: form                answer of the inner form, as one of `Task.choices`
    present         options: 4 categories   (inside choice only) the only option in the picture
    absent          options: 4 categories   (inside choice only) the only option that is not

    rel   left | right | above | below
    cmp   more | fewer | same
    by    leftmost | rightmost | topmost | bottommost | largest | smallest,
          or with b: nearest | farthest
    fact  fly | eaten | wheels | water | legs | cut | music | electricity | passengers | eggs |
          sport | tree | drink  (knowledge.FACTS; knowledge.has(fact, category) -> True | False |
          None)

Task.answer_type: yesno ("yes"/"no"), integer (digits "0".."7"), phrase (a category), choice (text
of an option). A choice's inner form is one of count, extreme, category_of, present, absent.
Task.family is the outer op: count exists relation compare extreme count_relation category_of
knowledge choice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.english import a, one, plural, the
from workbench.records import Task
from workbench.tasks.collage.answerable import MAKERS, Form, pick
from workbench.tasks.collage.knowledge import FACTS
from workbench.tasks.collage.phrasings import OBJECT, PHRASINGS, SUPERLATIVES, TEMPLATES
from workbench.tasks.collage.phrasings import RELATIONS as RELATION_WORDS
from workbench.tasks.collage.scene import Scene

FAMILIES = tuple(MAKERS)
"""Every family of questions."""


def _noun(name: str, phrasing: str) -> str:
    return {"object": OBJECT[phrasing], "food": "food item"}.get(name, name)


def _key(form: Form) -> str:
    op = form["op"]
    if op in ("present", "absent"):
        return f"choice/{op}"
    if op in ("extreme", "category_of") and "by" in form:
        return "superlative"
    if op == "compare":
        return f"{op}/{form['cmp']}"
    return f"{op}/{form['ask']}" if op == "knowledge" else str(op)


def word(form: Form, phrasing: str, rng: np.random.Generator) -> tuple[str, str]:
    """A form in words: the question, and which wording it is (`<key>/<number>`).

    Args:
        form: what the question asks.
        phrasing: `train` or `test`.
        rng: decides the wording.

    Raises:
        ValueError: there is no such phrasing.
    """
    if phrasing not in PHRASINGS:
        raise ValueError(
            f"no phrasing is called '{phrasing}'; expected one of {', '.join(PHRASINGS)}"
        )
    if form["op"] == "choice":
        return word(form["of"], phrasing, rng)
    key = _key(form)
    number = int(rng.integers(len(TEMPLATES[phrasing][key])))
    slots: dict[str, str] = {}
    for slot in ("a", "b"):
        if slot in form:
            noun = _noun(form[slot], phrasing)
            slots |= {
                slot: one(noun),
                f"a_{slot}": a(noun),
                f"the_{slot}": the(noun),
                f"many_{slot}": plural(noun),
            }
    if "among" in form:
        noun = _noun(form["among"], phrasing)
        slots |= {"noun": noun, "a_noun": a(noun), "nouns": plural(noun)}
    if "rel" in form:
        slots["rel"] = pick(RELATION_WORDS[phrasing][form["rel"]], rng)
    if "fact" in form:
        fact = FACTS[form["fact"]]
        slots["does"], slots["can"] = fact.train if phrasing == "train" else fact.test
    if key == "superlative":
        phrase, predicate = SUPERLATIVES[phrasing][form["by"]]
        slots |= {"np": phrase.format(**slots), "pred": predicate.format(**slots)}
    return TEMPLATES[phrasing][key][number].format(**slots), f"{key}/{number}"


def image_name(scene: Scene) -> str:
    """Where a scene's picture lies, relative to `data/collages`."""
    return f"images/{scene.split}/{scene.id}.webp"


def ask(
    scene: Scene,
    *,
    phrasing: str,
    rng: np.random.Generator,
    families: Sequence[str] = FAMILIES,
    first: int = 0,
) -> list[Task]:
    """At most one question of each family; families without a clear question are left out.

    Args:
        scene: the scene that the questions are about.
        phrasing: `train` or `test`.
        rng: decides questions and wordings; the same state gives the same tasks.
        families: names out of `FAMILIES`; a name that stands twice may give two (perhaps equal)
            questions.
        first: number of the first task; ids are `collages/<scene>/<number>`.

    Raises:
        ValueError: there is no such phrasing or family.
    """
    tasks: list[Task] = []
    for family in families:
        if family not in MAKERS:
            raise ValueError(
                f"no family is called '{family}'; expected one of {', '.join(FAMILIES)}"
            )
        draft = MAKERS[family](scene, rng)
        if draft is None:
            continue
        question, template = word(draft.form, phrasing, rng)
        tasks.append(
            Task(
                id=f"collages/{scene.id}/{first + len(tasks)}",
                source="collages",
                split=scene.split,
                image=image_name(scene),
                question=question,
                answers=(draft.answer,),
                answer_type=draft.answer_type,
                choices=draft.choices,
                family=family,
                meta={
                    "scene": scene.id,
                    "phrasing": phrasing,
                    "template": template,
                    "form": draft.form,
                    **draft.meta,
                },
            )
        )
    return tasks
