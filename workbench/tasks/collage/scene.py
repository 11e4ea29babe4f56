"""Scenes: what stands where in a collage, drawn from a split's name and an index alone.

Some pairs of categories are held out: about 15 % of all unordered pairs stand together in test
scenes only.  Every test scene has at least one such pair; no train or val scene has any.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, TypeVar

import numpy as np

from workbench.boxes import Box, intersection
from workbench.tasks.collage.backgrounds import BACKGROUNDS, VARIANTS
from workbench.tasks.collage.catalogue import CATEGORIES, Cutout, confusable, cutouts, of_kind

WIDTH, HEIGHT = 640, 480
"""Size of every collage, pixels."""
SPLITS = ("train", "val", "test")
HELD_OUT = 0.15
"""Share of category pairs kept for test scenes."""
MAX_COVERED = 0.3
"""Largest share of an object's box that the boxes of later objects may cover."""
MAX_COUNT = 5
"""Most objects of one category."""
T = TypeVar("T")
_MARGIN = 6
_THEMES = ("animal", "animal", "animal", "vehicle", "food")
_AREA_SIDE = 136.0
_UNMIRRORED = frozenset({"stop sign", "clock"})


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One cut-out in a scene; objects are pasted in the order of `Scene.objects`."""

    category: str
    cutout: str
    """Path under `data/collages/cutouts`."""
    box: Box
    """Whole extent, hidden parts included; integer pixels."""
    mirrored: bool
    scale: float
    """Box width over the cut-out's own width."""
    covered: float
    """Share of the box covered by the boxes of objects pasted later, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything needed to draw one collage again."""

    id: str
    """`<split>-<index, five digits>`."""
    split: str
    seed: int
    """The index it was made from."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    background: str
    """`<name>/<variant>`, see `backgrounds`."""
    objects: tuple[SceneObject, ...]

    def count(self, category: str) -> int:
        """How many objects of a category there are."""
        return sum(thing.category == category for thing in self.objects)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories present, each once, in alphabetical order."""
        return tuple(sorted({thing.category for thing in self.objects}))

    def to_json(self) -> dict[str, Any]:
        """As plain values for `json.dumps`; the inverse of `from_json`."""
        return {
            "id": self.id,
            "split": self.split,
            "seed": self.seed,
            "width": self.width,
            "height": self.height,
            "background": self.background,
            "objects": [
                {
                    "category": thing.category,
                    "cutout": thing.cutout,
                    "box": [int(value) for value in thing.box.as_tuple()],
                    "mirrored": thing.mirrored,
                    "scale": thing.scale,
                    "covered": thing.covered,
                }
                for thing in self.objects
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scene:
        """A scene from what `to_json` gave; KeyError or TypeError when fields are missing."""
        objects = tuple(
            SceneObject(
                category=row["category"],
                cutout=row["cutout"],
                box=Box(*(float(value) for value in row["box"])),
                mirrored=row["mirrored"],
                scale=row["scale"],
                covered=row["covered"],
            )
            for row in data["objects"]
        )
        return cls(
            id=data["id"],
            split=data["split"],
            seed=data["seed"],
            width=data["width"],
            height=data["height"],
            background=data["background"],
            objects=objects,
        )


@cache
def held_out(first: str, second: str) -> bool:
    """Whether two different categories stand together in test scenes only."""
    if first == second or confusable(first, second):
        return False
    text = "|".join(sorted((first, second)))
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 0x1_0000_0000 < HELD_OUT


def held_out_pairs() -> tuple[tuple[str, str], ...]:
    """Every held-out pair, each in alphabetical order."""
    return tuple(pair for pair in combinations(CATEGORIES, 2) if held_out(*pair))


def make_scene(split: str, index: int) -> Scene:
    """The scene number `index` of a split; the same arguments always give the same scene.

    Raises:
        ValueError: the split is not one of `SPLITS` or the index is negative.
    """
    if split not in SPLITS or index < 0:
        raise ValueError(
            f"found split '{split}', index {index}; expected one of {', '.join(SPLITS)} "
            "and an index >= 0"
        )
    rng = np.random.default_rng([SPLITS.index(split), index])
    while True:
        names = _names(split, rng)
        placed = _place(names, rng)
        if placed is not None:
            break
    background = f"{_pick(BACKGROUNDS, rng)}/{int(rng.integers(VARIANTS))}"
    return Scene(f"{split}-{index:05d}", split, index, WIDTH, HEIGHT, background, placed)


def _pick(values: Sequence[T], rng: np.random.Generator) -> T:
    return values[int(rng.integers(len(values)))]


def _name(kind: str | None, rng: np.random.Generator) -> str:
    """A category, of a kind if one is given, by weight."""
    names = of_kind(kind) if kind else tuple(CATEGORIES)
    return _pick([name for name in names for _ in range(CATEGORIES[name].weight)], rng)


def _names(split: str, rng: np.random.Generator) -> list[str]:
    """The category of each object, 2 to 7 of them, at most `MAX_COUNT` alike, in random order."""
    total = 2 + int(rng.integers(6))
    chosen = _categories(split, min(total, 2 + int(rng.integers(4))), rng)
    names = list(chosen)
    while len(names) < total:
        favourite = chosen[0] if rng.random() < 0.5 else _pick(chosen, rng)
        if names.count(favourite) < MAX_COUNT:
            names.append(favourite)
    return [names[int(i)] for i in rng.permutation(len(names))]


def _categories(split: str, count: int, rng: np.random.Generator) -> list[str]:
    """Different categories that may stand together: `count`, and for `test` at least 2."""
    theme = _pick(_THEMES, rng) if rng.random() < 0.5 else None
    chosen = [_name(theme, rng)]
    if split == "test":
        chosen.append(_pick([name for name in CATEGORIES if held_out(name, chosen[0])], rng))
    while len(chosen) < count:
        name = _name(theme if rng.random() < 0.6 else None, rng)
        if name in chosen or any(confusable(name, other) for other in chosen):
            continue
        if split == "test" or not any(held_out(name, other) for other in chosen):
            chosen.append(name)
    return chosen


def _size(cutout: Cutout, crowd: int, rng: np.random.Generator) -> tuple[int, int]:
    """Width and height of one pasted cut-out, pixels.

    Areas are about equal; long things are bounded in width and height.
    """
    crowding = 1.12
    if crowd > 4:
        crowding = 1.0 if crowd <= 6 else 0.92
    side = (
        _AREA_SIDE
        * CATEGORIES[cutout.category].size
        * crowding
        * (0.75 + 0.5 * float(rng.random()))
    )
    scale = side / (cutout.width * cutout.height) ** 0.5
    scale = min(scale, 300 / cutout.width, 260 / cutout.height, 1.3)
    return max(12, round(cutout.width * scale)), max(12, round(cutout.height * scale))


def covered_share(box: Box, later: Sequence[Box]) -> float:
    """Share of an integer `box` that the union of `later` boxes covers, 0 to 1."""
    mask = np.zeros((int(box.height), int(box.width)), dtype=bool)
    for other in later:
        x0, y0 = max(int(other.x0 - box.x0), 0), max(int(other.y0 - box.y0), 0)
        x1, y1 = max(int(other.x1 - box.x0), 0), max(int(other.y1 - box.y0), 0)
        mask[y0:y1, x0:x1] = True
    return float(mask.mean())


def _place(names: Sequence[str], rng: np.random.Generator) -> tuple[SceneObject, ...] | None:
    """Objects at random places with bounded overlap, or None when they do not fit."""
    chosen: list[tuple[Cutout, Box, bool]] = []
    overlap_allowed = MAX_COVERED if rng.random() < 0.35 else 0.06
    for name in names:
        cutout = _pick(cutouts()[name], rng)
        mirrored = bool(rng.random() < 0.5) and name not in _UNMIRRORED
        for _ in range(60):
            width, height = _size(cutout, len(names), rng)
            x0 = _MARGIN + int(rng.integers(WIDTH - 2 * _MARGIN - width + 1))
            y0 = _MARGIN + int(rng.integers(HEIGHT - 2 * _MARGIN - height + 1))
            box = Box(float(x0), float(y0), float(x0 + width), float(y0 + height))
            shares = [
                intersection(box, other) / min(box.area, other.area) for _, other, _ in chosen
            ]
            if all(share <= overlap_allowed for share in shares):
                chosen.append((cutout, box, mirrored))
                break
        else:
            return None
    boxes = [box for _, box, _ in chosen]
    covered = [covered_share(box, boxes[i + 1 :]) for i, box in enumerate(boxes)]
    if max(covered) > MAX_COVERED:
        return None
    return tuple(
        SceneObject(
            category=cutout.category,
            cutout=cutout.file,
            box=box,
            mirrored=mirrored,
            scale=round(box.width / cutout.width, 4),
            covered=round(share, 4),
        )
        for (cutout, box, mirrored), share in zip(chosen, covered, strict=True)
    )
