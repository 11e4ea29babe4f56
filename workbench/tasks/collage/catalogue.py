"""The things that can stand in a collage: categories with kinds and sizes, and their cut-outs.

A *category* is the name that questions use (COCO's name where COCO has the class); categories are
disjoint.  A *kind* is a wider word (`animal`, `vehicle`, ...).  Whether a category is of a kind can
be debatable (is a tomato a fruit?); then `is_a` says None, and no question may depend on it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

from workbench.settings import data_dir

KINDS = ("animal", "vehicle", "fruit", "food", "tool", "musical instrument")
"""Kinds that questions name."""


@dataclass(frozen=True, slots=True)
class Category:
    """One name that questions use."""

    name: str
    kinds: tuple[str, ...]
    """Kinds it certainly belongs to."""
    unsure: tuple[str, ...]
    """Kinds about which people disagree."""
    coco: bool
    """The name is one of COCO's 80 classes."""
    size: float
    """Usual size in a collage; 1.0 means a square root of the box area of about 136 pixels."""
    weight: int
    """How often it is drawn, relative to the others."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """One picture with transparent surroundings."""

    file: str
    """Path under `data/collages/cutouts`."""
    category: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""


def _group(
    names: str,
    kinds: str = "",
    unsure: str = "",
    coco: bool = True,
    size: float = 1.0,
    weight: int = 1,
) -> tuple[Category, ...]:
    def words(text: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in text.split(",") if word.strip())

    return tuple(
        Category(name, words(kinds), words(unsure), coco, size, weight) for name in words(names)
    )


_ALL = (
    *_group("elephant, giraffe", "animal", size=1.3, weight=3),
    *_group("horse, bear, zebra", "animal", size=1.15, weight=3),
    *_group("cow", "animal", size=1.15, weight=2),
    *_group("sheep, dog", "animal", size=1.05, weight=3),
    *_group("bird", "animal", weight=4),
    *_group("cat", "animal", size=0.95),
    *_group("lion, tiger, camel", "animal", coco=False, size=1.15),
    *_group("pig, dolphin", "animal", coco=False, size=1.05),
    *_group("rabbit, fish", "animal", coco=False, size=0.9),
    *_group("frog, butterfly", "animal", coco=False, size=0.8),
    *_group("person", unsure="animal", size=1.1, weight=4),
    *_group("airplane, truck", "vehicle", size=1.3, weight=3),
    *_group("bus, train, boat", "vehicle", size=1.3),
    *_group("car", "vehicle", size=1.15, weight=3),
    *_group("bicycle", "vehicle", size=1.1, weight=3),
    *_group("motorcycle", "vehicle", size=1.1),
    *_group("traffic light, stop sign, tennis racket", weight=3),
    *_group("umbrella"),
    *_group("sports ball, cup", size=0.95, weight=3),
    *_group("bottle", size=0.95),
    *_group("orange", "fruit, food", weight=3),
    *_group("apple, banana", "fruit, food", size=1.1),
    *_group("broccoli, cake", "food", size=1.05, weight=3),
    *_group("carrot, pizza", "food"),
    *_group("toilet", size=1.05, weight=2),
    *_group("laptop"),
    *_group("cell phone, clock", size=0.9, weight=3),
    *_group("scissors", unsure="tool"),
    *_group("teddy bear", unsure="animal", weight=3),
    *_group("strawberry, lemon, pineapple", "fruit, food", coco=False, size=0.85),
    *_group("tomato, pumpkin", "food", unsure="fruit", coco=False, size=0.85),
    *_group("mushroom", "food", coco=False, size=0.85),
    *_group("guitar, violin, trumpet, drum", "musical instrument", coco=False),
    *_group("hammer, saw, wrench", "tool", coco=False, size=0.9),
    *_group("key", unsure="tool", coco=False, size=0.75),
    *_group("camera", unsure="tool", coco=False, size=0.85),
    *_group("hat, flower, teapot", coco=False, size=0.85),
)

CATEGORIES: dict[str, Category] = {
    category.name: category for category in sorted(_ALL, key=lambda c: c.name)
}
"""Every category by name, in alphabetical order."""

CONFUSABLE = (
    frozenset({"bear", "teddy bear"}),
    frozenset({"orange", "lemon"}),
    frozenset({"guitar", "violin"}),
    frozenset({"cup", "teapot"}),
)
"""Categories that never share a scene and never stand in for each other as an absent object."""


def confusable(first: str, second: str) -> bool:
    """Whether people could argue that one is the other."""
    return frozenset({first, second}) in CONFUSABLE


def is_a(category: str, kind: str) -> bool | None:
    """Whether a category is of a kind; None where people disagree."""
    entry = CATEGORIES[category]
    if kind in entry.kinds:
        return True
    return None if kind in entry.unsure else False


def of_kind(kind: str) -> tuple[str, ...]:
    """The categories that certainly belong to a kind, in alphabetical order."""
    return tuple(name for name, entry in CATEGORIES.items() if kind in entry.kinds)


def members(name: str) -> tuple[str, ...]:
    """The categories that a name in a form stands for: its own, a kind's, or all for `object`."""
    if name == "object":
        return tuple(CATEGORIES)
    return of_kind(name) if name in KINDS else (name,)


@lru_cache(maxsize=1)
def cutouts() -> dict[str, tuple[Cutout, ...]]:
    """Every cut-out by category, in the order of `cutouts.csv`."""
    by_category: dict[str, list[Cutout]] = {name: [] for name in CATEGORIES}
    with (data_dir() / "collages" / "cutouts.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            cutout = Cutout(row["file"], row["category"], int(row["width"]), int(row["height"]))
            by_category[cutout.category].append(cutout)
    return {name: tuple(some) for name, some in by_category.items()}
