"""Plans whose arms are published methods, each beside the plain way of teaching the same rows.

A method of loss or of transform is one arm more on the same snapshot.  A selector is an arm on a
snapshot with its weights, and a second one on which the same weights, and rows that are left out,
fall on other rows by chance: what is gained over that is the selector's choice, not fewer rows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.catalogue import Recipe, recipes
from workbench.errors import InputError
from workbench.pipeline.selecting import weigh
from workbench.snapshot import Example, Snapshot
from workbench.store import Project
from workbench.study.derived import derive
from workbench.study.plan import Arm, StudyPlan, merged
from workbench.study.variants import snapshot_folder

PORTS = ("objective", "selector", "transform")
"""Places in the loop of the methods that such a study can compare."""


def with_recipes(
    project: Project,
    plan: StudyPlan,
    names: Sequence[str],
    teacher: Mapping[str, Any] | None = None,
    equal_compute: bool = False,
) -> StudyPlan:
    """A plan of the first arm that explains and of one arm, or two, for each method.

    Args:
        project: has the snapshot, and keeps those with a selector's weights.
        plan: says what is taught and how; its other arms are left out.
        names: of methods, or grades, which stand for all methods that can be compared so.
        teacher: the part that teaches, and its arguments, for methods that need one.
        equal_compute: add, for each method, the plain way for as long as the method takes.

    Raises:
        InputError: there is no such method, it is used otherwise, it needs a teacher, or a
            selector gives the same weight to all rows.
    """
    plain = plan.first(explains=True)
    arms = [plain]
    for one in _chosen(names):
        settings = _settings(one, teacher)
        if one.card.port == "selector":
            arms += _selected(project, plan, plain, one.card.name)
        elif one.card.port == "objective":
            arms.append(_beside(plan, one.card.name, settings, one.card.name))
        else:
            settings["transform"] = {"part": one.card.name}
            arms.append(_beside(plan, one.card.name, settings))
    if equal_compute:
        arms += [
            Arm(f"{plain.name} as long as {arm.name}", like=plain.name, as_long_as=arm.name)
            for arm in arms[1:]
            if not arm.like
        ]
    return replace(plan, arm=tuple(arms))


def _chosen(names: Sequence[str]) -> list[Recipe]:
    """The methods of some names and grades, in the order of the catalogue."""
    present = recipes()
    usable = {one.card.name: one for one in present if one.card.port in PORTS}
    chosen: dict[str, None] = {}
    for name in names:
        graded = [one.card.name for one in usable.values() if one.card.grade == name]
        if not graded and name not in usable:
            others = {one.card.name: one.card for one in present}
            if name in others:
                raise InputError(
                    f"'{name}' enters as {others[name].port}, and a study of recipes compares "
                    f"{', '.join(PORTS)}; use it as its card says: vpd recipes show {name}"
                )
            raise InputError(
                f"no recipe and no grade is called '{name}'; there are A, B, C and "
                f"{', '.join(usable)}"
            )
        chosen |= dict.fromkeys(graded or [name])
    return [one for name, one in usable.items() if name in chosen]


def _settings(one: Recipe, teacher: Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings of the jobs of a method, beside those of the plain arm."""
    if "teacher" not in one.card.needs:
        return {}
    if teacher is None:
        raise InputError(
            f"'{one.card.name}' needs a teacher; name one with --teacher: a job, a folder, a hub "
            "id, or a registered teacher"
        )
    return {"teacher": dict(teacher)}


def _beside(plan: StudyPlan, name: str, settings: Mapping[str, Any], objective: str = "") -> Arm:
    """An arm that differs from the plain one in its method alone: what was chosen for it counts.

    Args:
        plan: has the plain arm, and what was chosen for it.
        name: of the new arm.
        settings: of the method.
        objective: of the method, if it is a loss: then the plain way is what it is asked by.
    """
    plain = plan.first(explains=True)
    whole = merged(plain.settings, plan.chosen.get(plain.name, {}))
    if objective and (arguments := whole.pop("arguments", None)):
        whole["curriculum"] = {"part": plan.objective(plain), **arguments}
    return Arm(
        name,
        objective=objective or plan.objective(plain),
        snapshot=plain.snapshot,
        settings={**whole, **settings},
        beside=(plain.name,),
    )


def _selected(project: Project, plan: StudyPlan, plain: Arm, name: str) -> list[Arm]:
    """The arms of a selector: its own weights, and the same weights by chance."""
    source = Snapshot.open(snapshot_folder(project, plan, plain))
    rows = source.examples()
    weighed = weigh(project, [{"part": name}], rows)
    by_chance = _shuffled(rows, weighed.examples)
    if len({row.weight for row in by_chance}) == 1 and len(by_chance) == len(rows):
        raise InputError(
            f"'{name}' gives the same weight to all {len(rows)} rows of this snapshot, so that "
            "there is nothing to compare; leave it out"
        )
    control = f"{name} by chance"
    arms = []
    for title, examples in ((name, weighed.examples), (control, by_chance)):
        mark = {"selector": name, "by_chance": title == control}
        snapshot = derive(
            project, source, examples, mark, f"{title} of {source.manifest.hash[:12]}"
        )
        arms.append(replace(_beside(plan, title, {}), snapshot=str(snapshot.path)))
    return [replace(arms[0], beside=(plain.name, control)), arms[1]]


def _shuffled(rows: Sequence[Example], weighed: Sequence[Example]) -> list[Example]:
    """Rows with the weights of others, and as many left out, by chance; the held-out side stays.

    Args:
        rows: of the snapshot.
        weighed: the rows that stay, with their weights.
    """
    weights = {one.id: one.weight for one in weighed}
    train = [row for row in rows if row.split == "train"]
    lots = [weights.get(row.id) for row in train]
    random.Random(0).shuffle(lots)
    of = dict(zip((row.id for row in train), lots, strict=True))
    return [
        row if row.split != "train" else replace(row, weight=weight)
        for row in rows
        if (weight := of.get(row.id, 1.0)) is not None
    ]
