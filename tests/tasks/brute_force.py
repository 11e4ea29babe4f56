"""Answers derived again from a scene, by other means than the code that asks: plain loops over
boxes.
"""

from __future__ import annotations

from typing import Any

from workbench.tasks.collage.catalogue import CATEGORIES
from workbench.tasks.collage.knowledge import FACTS
from workbench.tasks.collage.scene import Scene, SceneObject


def things(scene: Scene, name: str) -> list[SceneObject]:
    """The objects a name in a form stands for; fails when an object's kind is debatable."""
    if name == "object":
        return list(scene.objects)
    if name in CATEGORIES:
        return [o for o in scene.objects if o.category == name]
    for o in scene.objects:
        assert name not in CATEGORIES[o.category].unsure, (name, o.category)
    return [o for o in scene.objects if name in CATEGORIES[o.category].kinds]


def only(scene: Scene, name: str) -> SceneObject:
    """The one object of a category; fails when there are none or several."""
    [found] = [o for o in scene.objects if o.category == name]
    return found


def middle(o: SceneObject) -> tuple[float, float]:
    return (o.box.x0 + o.box.x1) / 2, (o.box.y0 + o.box.y1) / 2


def beyond(scene: Scene, o: SceneObject, rel: str, p: SceneObject) -> bool:
    """Whether o lies rel of p; fails when the centres are too close for an honest question."""
    (x, y), (u, v) = middle(o), middle(p)
    gap, size = (x - u, scene.width) if rel in ("left", "right") else (y - v, scene.height)
    assert abs(gap) > 0.08 * size
    return gap < 0 if rel in ("left", "above") else gap > 0


def furthest(scene: Scene, group: list[SceneObject], by: str, b: str | None) -> str:
    """The category of the extreme object; fails when another category comes close."""
    if b is not None:
        p = only(scene, b)
        group = [o for o in group if o is not p]
    spans = {
        "leftmost": lambda o: middle(o)[0],
        "rightmost": lambda o: -middle(o)[0],
        "topmost": lambda o: middle(o)[1],
        "bottommost": lambda o: -middle(o)[1],
        "largest": lambda o: -(o.box.x1 - o.box.x0) * (o.box.y1 - o.box.y0),
        "smallest": lambda o: (o.box.x1 - o.box.x0) * (o.box.y1 - o.box.y0),
        "nearest": lambda o: (
            sum((c - d) ** 2 for c, d in zip(middle(o), middle(p), strict=True)) ** 0.5
        ),
        "farthest": lambda o: (
            -(sum((c - d) ** 2 for c, d in zip(middle(o), middle(p), strict=True)) ** 0.5)
        ),
    }
    ranked = sorted(group, key=spans[by])
    rival = next(o for o in ranked if o.category != ranked[0].category)
    first, second = abs(spans[by](ranked[0])), abs(spans[by](rival))
    if by in ("largest", "smallest", "nearest", "farthest"):
        least = 1.3 if by in ("largest", "smallest") else 1.25
        assert max(first, second) >= least * min(first, second) * 0.999999
    else:
        assert abs(first - second) > 0.08 * (
            scene.width if by in ("leftmost", "rightmost") else scene.height
        )
    return ranked[0].category


def answer(scene: Scene, form: dict[str, Any]) -> str:
    """The answer of a form, by brute force."""
    op = form["op"]
    if op == "count":
        return str(len(things(scene, form["a"])))
    if op == "exists":
        return "yes" if things(scene, form["a"]) else "no"
    if op == "relation":
        return (
            "yes"
            if beyond(scene, only(scene, form["a"]), form["rel"], only(scene, form["b"]))
            else "no"
        )
    if op == "compare":
        m, n = len(things(scene, form["a"])), len(things(scene, form["b"]))
        return "yes" if {"more": m > n, "fewer": n > m, "same": m == n}[form["cmp"]] else "no"
    if "by" in form:
        return furthest(scene, things(scene, form["among"]), form["by"], form.get("b"))
    if op in ("count_relation", "category_of"):
        p = only(scene, form["b"])
        group = [
            o for o in things(scene, form["a" if op == "count_relation" else "among"]) if o is not p
        ]
        found = [o.category for o in group if beyond(scene, o, form["rel"], p)]
        if op == "count_relation":
            return str(len(found))
        assert len(found) == 1
        return found[0]
    if op == "knowledge":
        group = things(scene, form["among"])
        fact = FACTS[form["fact"]]
        assert not any(o.category in fact.unsure for o in group)
        found = [o.category for o in group if o.category in fact.yes]
        if form["ask"] == "which":
            assert len(found) == 1
            return found[0]
        return str(len(found)) if form["ask"] == "count" else ("yes" if found else "no")
    if op == "choice":
        return answer(scene, form["of"])
    present = {o.category for o in scene.objects}
    assert op in ("present", "absent")
    [found_option] = [
        option for option in form["options"] if (option in present) is (op == "present")
    ]
    return str(found_option)
