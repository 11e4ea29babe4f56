"""Common knowledge about the categories: facts that a picture does not show.

Where people may disagree (can a toy bear be said to have four legs?) a category is *unsure*, and no
question about the fact is asked when such a thing is in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.tasks.collage.catalogue import CATEGORIES, of_kind


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that holds for some categories."""

    yes: frozenset[str]
    """Categories for which it holds."""
    unsure: frozenset[str]
    """Categories about which people may disagree; for all others it does not hold."""
    train: tuple[str, str]
    """Predicate in the singular and the plural, train wording: `has wheels`, `have wheels`."""
    test: tuple[str, str]
    """The same, test wording."""
    among: tuple[str, ...] = ("object",)
    """Names of the things that questions about the fact may be about: everything, or one kind."""


def _set(names: str) -> frozenset[str]:
    names_of_set = frozenset(name.strip() for name in names.split(",") if name.strip())
    unknown = names_of_set - set(CATEGORIES)
    if unknown:
        raise ValueError(
            f"facts name unknown categories {sorted(unknown)}; expected names of the catalogue"
        )
    return names_of_set


FACTS: dict[str, Fact] = {
    "fly": Fact(
        _set("bird, butterfly, airplane"),
        _set("sports ball"),
        ("can fly", "can fly"),
        (
            "is able to travel through the air on wings",
            "are able to travel through the air on wings",
        ),
        ("object", "animal"),
    ),
    "eaten": Fact(
        frozenset(of_kind("food")),
        _set("cow, sheep, pig, fish, rabbit, frog, bird, flower, horse"),
        ("can be eaten", "can be eaten"),
        ("would be served as food", "would be served as food"),
    ),
    "wheels": Fact(
        _set("bicycle, car, motorcycle, bus, truck, train"),
        _set("airplane"),
        ("has wheels", "have wheels"),
        ("rolls on wheels", "roll on wheels"),
    ),
    "water": Fact(
        _set("fish, dolphin"),
        _set("frog, bird"),
        ("lives in water", "live in water"),
        ("spends its life under water", "spend their lives under water"),
        ("object", "animal"),
    ),
    "legs": Fact(
        _set(
            "bear, camel, cat, cow, dog, elephant, giraffe, horse, lion, pig, sheep, tiger, zebra, "
            "rabbit"
        ),
        _set("frog, teddy bear, drum"),
        ("has four legs", "have four legs"),
        ("walks on four feet", "walk on four feet"),
        ("object", "animal"),
    ),
    "cut": Fact(
        _set("scissors, saw"),
        _set("key"),
        ("is used for cutting", "are used for cutting"),
        ("is made to cut things", "are made to cut things"),
    ),
    "music": Fact(
        frozenset(of_kind("musical instrument")),
        _set("cell phone, laptop, bird"),
        ("makes music", "make music"),
        ("belongs in an orchestra or a band", "belong in an orchestra or a band"),
    ),
    "electricity": Fact(
        _set("laptop, cell phone, traffic light"),
        _set(
            "camera, clock, car, train, bus, motorcycle, truck, airplane, boat, guitar, teapot, "
            "toilet"
        ),
        ("needs electricity to work", "need electricity to work"),
        ("stops working without electric power", "stop working without electric power"),
    ),
    "passengers": Fact(
        frozenset(of_kind("vehicle")),
        _set("horse, camel, elephant"),
        ("can be used to travel", "can be used to travel"),
        ("is a means of transport", "are means of transport"),
    ),
    "eggs": Fact(
        _set("bird, fish, frog, butterfly"),
        _set(""),
        ("lays eggs", "lay eggs"),
        ("hatches from an egg", "hatch from eggs"),
        ("object", "animal"),
    ),
    "sport": Fact(
        _set("sports ball, tennis racket"),
        _set("bicycle, horse, car, motorcycle, boat, hat"),
        ("is used in ball games", "are used in ball games"),
        ("is needed to play a match", "are needed to play a match"),
    ),
    "tree": Fact(
        _set("apple, orange, lemon"),
        _set("banana, flower"),
        ("grows on trees", "grow on trees"),
        ("is picked from a tree", "are picked from trees"),
        ("object", "food"),
    ),
    "drink": Fact(
        _set("cup, bottle, teapot"),
        _set(""),
        ("can hold a drink", "can hold a drink"),
        (
            "is made to be filled with something to drink",
            "are made to be filled with something to drink",
        ),
    ),
}
"""Every fact by name."""


def has(fact: str, category: str) -> bool | None:
    """Whether a fact holds for a category; None where people may disagree."""
    entry = FACTS[fact]
    if category in entry.yes:
        return True
    return None if category in entry.unsure else False
