"""Which relations hold in a scene, and whether they hold clearly enough to ask about them.

Functions give None where the margins are too small for an honest question.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.tasks.collage.scene import Scene, SceneObject

RELATIONS = ("left", "right", "above", "below")
ALONE = ("leftmost", "rightmost", "topmost", "bottommost", "largest", "smallest")
"""Extremes that need no other object."""
TOWARDS = ("nearest", "farthest")
"""Extremes measured from another object."""
CLEAR = 0.08
"""Centres must differ by this share of the picture's width or height."""
AREA_RATIO = 1.3
"""The largest object must have this many times the area of the next category's largest."""
DISTANCE_RATIO = 1.25
"""The second nearest category must be this many times as far away as the nearest."""


def offset(scene: Scene, thing: SceneObject, rel: str, other: SceneObject) -> float:
    """How far one thing lies in a direction from another, as a share of the picture's size.

    Args:
        scene: the scene of both things.
        thing: the thing in question.
        rel: the direction, one of `RELATIONS`.
        other: where the distance begins.

    Returns:
        A negative number where `thing` lies on the other side.
    """
    (x, y), (u, v) = thing.box.center, other.box.center
    across, down = (x - u) / scene.width, (y - v) / scene.height
    return {"left": -across, "right": across, "above": -down, "below": down}[rel]


def lies(scene: Scene, thing: SceneObject, rel: str, other: SceneObject) -> bool | None:
    """Whether one thing lies in a direction from another; None within the margin.

    Args:
        scene: the scene of both things.
        thing: the thing in question.
        rel: the direction, one of `RELATIONS`.
        other: the thing that the direction begins at.
    """
    amount = offset(scene, thing, rel, other)
    return amount > 0 if abs(amount) > CLEAR else None


def distance(thing: SceneObject, other: SceneObject) -> float:
    """Distance between centres, pixels."""
    (x, y), (u, v) = thing.box.center, other.box.center
    return float(((x - u) ** 2 + (y - v) ** 2) ** 0.5)


def _score(scene: Scene, thing: SceneObject, by: str, other: SceneObject | None) -> float:
    """A number for a thing that is the larger, the more it is `by`."""
    x, y = thing.box.center
    if other is not None:
        return distance(thing, other) * (1 if by == "farthest" else -1)
    return {
        "leftmost": -x / scene.width,
        "rightmost": x / scene.width,
        "topmost": -y / scene.height,
        "bottommost": y / scene.height,
        "largest": thing.box.area,
        "smallest": -thing.box.area,
    }[by]


def extreme(
    scene: Scene, things: Sequence[SceneObject], by: str, other: SceneObject | None = None
) -> str | None:
    """The category of the object that is `by`; None without a clear lead over other categories.

    Args:
        scene: the scene of the things.
        things: the objects to choose from.
        by: one of `ALONE`, or with `other` one of `TOWARDS`.
        other: the object that `nearest` and `farthest` are measured from; not among `things`.
    """
    best: dict[str, float] = {}
    for thing in things:
        score = _score(scene, thing, by, other)
        best[thing.category] = max(score, best.get(thing.category, score))
    if len(best) < 2:
        return None
    (first, high), (_, low) = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:2]
    if by in ("largest", "smallest", "nearest", "farthest"):
        big, small = max(abs(high), abs(low)), min(abs(high), abs(low))
        clear = big >= small * (AREA_RATIO if by in ("largest", "smallest") else DISTANCE_RATIO)
    else:
        clear = high - low > CLEAR
    return first if clear else None
