"""From the words of a program to COCO's classes: plurals, synonyms and wider words.

A closed-set detector finds only its 80 names.  A word that means part of a class (`man`, `puppy`)
stands for the class; a wider word (`animal`) stands for all its classes.  Anything else is unknown,
and the caller says so.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from workbench.english import singular
from workbench.models.coco import CLASSES

_SYNONYMS = {
    "airplane": "plane, aeroplane, aircraft, jet, airliner, jumbo jet, passenger plane",
    "apple": "red apple, green apple",
    "backpack": "rucksack, knapsack, school bag",
    "bicycle": "bike, cycle, push bike, pushbike",
    "bird": (
        "duck, goose, swan, gull, seagull, parrot, pigeon, hen, chicken, rooster, eagle, owl, "
        "penguin"
    ),
    "boat": "ship, sailboat, sailing boat, sailing ship, canoe, ferry, yacht, rowboat, motorboat",
    "book": "novel, textbook",
    "bus": "coach, double-decker bus, school bus, double decker",
    "car": "automobile, auto, motorcar, motor car, sedan, taxi, cab, suv, jeep",
    "cat": "kitten, kitty, house cat",
    "cell phone": (
        "phone, cellphone, mobile phone, mobile, smartphone, smart phone, telephone, cellular phone"
    ),
    "clock": "watch, alarm clock, wall clock, wristwatch",
    "couch": "sofa, settee, loveseat",
    "cow": "cattle, bull, calf, ox",
    "cup": "mug, coffee cup, teacup, tea cup, coffee mug",
    "dining table": "table, desk, kitchen table",
    "dog": "puppy, hound, doggy",
    "donut": "doughnut",
    "fire hydrant": "hydrant",
    "frisbee": "flying disc",
    "hair drier": "hair dryer, hairdryer, blow dryer",
    "handbag": "purse, hand bag",
    "horse": "pony, foal, mare, stallion",
    "hot dog": "hotdog",
    "keyboard": "computer keyboard",
    "knife": "kitchen knife",
    "laptop": "laptop computer, notebook computer, computer",
    "motorcycle": "motorbike, motor bike, motor cycle, scooter, moped",
    "mouse": "computer mouse",
    "orange": "tangerine, mandarin, clementine",
    "oven": "stove, cooker",
    "person": (
        "human, human being, man, woman, child, boy, girl, kid, baby, adult, lady, guy, gentleman, "
        "individual, player, rider, passenger, pedestrian, toddler, folk"
    ),
    "potted plant": "houseplant, house plant, plant",
    "refrigerator": "fridge, freezer",
    "remote": "remote control, tv remote",
    "scissors": "scissor, shears",
    "sheep": "lamb, ram, ewe",
    "sink": "washbasin, basin",
    "snowboard": "snow board",
    "sports ball": (
        "ball, soccer ball, football, basketball, baseball, tennis ball, volleyball, beach ball"
    ),
    "suitcase": "luggage",
    "teddy bear": "teddy, stuffed bear, toy bear, stuffed animal, plush bear, plush toy",
    "tennis racket": "racket, racquet, tennis racquet",
    "tie": "necktie, bow tie",
    "toilet": "toilet bowl, lavatory, wc",
    "traffic light": "traffic signal, stoplight, stop light, signal light, traffic lamp",
    "train": "locomotive, tram, railway train, railroad train",
    "truck": "lorry, pickup, pickup truck, pick-up, van, fire truck, fire engine",
    "tv": "television, television set, tv set, tv screen, monitor, tvmonitor",
    "umbrella": "parasol",
    "wine glass": "wineglass, glass, goblet",
}

_WIDER = {
    "animal": "bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    "vehicle": "bicycle, car, motorcycle, airplane, bus, train, truck, boat",
    "fruit": "banana, apple, orange",
    "vegetable": "broccoli, carrot",
    "food": "banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake",
    "furniture": "chair, couch, bed, dining table, bench",
    "appliance": "microwave, oven, toaster, refrigerator, hair drier",
    "electronic device": "tv, laptop, mouse, remote, keyboard, cell phone",
    "sports equipment": (
        "frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, "
        "surfboard, tennis racket"
    ),
    "cutlery": "fork, knife, spoon",
    "container": "bottle, wine glass, cup, bowl, vase",
    "bag": "backpack, handbag, suitcase",
    "sign": "stop sign",
    "toy": "teddy bear, kite, frisbee",
    "tool": "scissors",
}
_ALIASES = {
    "creature": _WIDER["animal"],
    "electronics": _WIDER["electronic device"],
    "mammal": "cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    "pet": "cat, dog",
    "silverware": _WIDER["cutlery"],
    "sports gear": _WIDER["sports equipment"],
    "utensil": _WIDER["cutlery"],
}
_EVERYTHING = ("object", "thing", "item", "anything", "everything", "entity")
_ARTICLES = ("a", "an", "the", "this", "that", "these", "those")
_QUANTITIES = ("all", "any", "some", "every", "each", "of", "pair", "piece")
_LEADING = frozenset((*_ARTICLES, *_QUANTITIES))
"""Words in front of a name that do not change what it stands for."""


def _split(names: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in names.split(","))


WIDER = tuple(_WIDER)
"""Wider words that stand for several classes; `object` stands for all and is not among them."""

_TABLE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_EVERYTHING, CLASSES),
    **{word: _split(names) for table in (_WIDER, _ALIASES) for word, names in table.items()},
    **{word: (name,) for name, words in _SYNONYMS.items() for word in _split(words)},
    **{name: (name,) for name in CLASSES},
}


def classes_of(
    name: str, more: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[str, ...] | None:
    """The classes that a word stands for; None for a word outside them.

    `more` holds names beyond COCO's, each with the wider words it falls under.

    >>> classes_of("the dogs"), classes_of("Automobile"), classes_of("unicorn")
    (('dog',), ('car',), None)
    >>> classes_of("fruits")
    ('banana', 'apple', 'orange')
    """
    more = more or {}
    plain = _plain(name)
    one = singular(plain)
    classes = _TABLE.get(plain) or _TABLE.get(one) or ()
    own = [n for n, kinds in more.items() if {plain, one} & {n, *kinds} or one in _EVERYTHING]
    if own and one in more and one not in CLASSES:
        return (one,)  # the name itself, not the COCO class that it is a synonym of
    return (*classes, *(n for n in own if n not in classes)) or None


def _plain(name: str) -> str:
    """A name in lower case, without punctuation and without leading words such as `the`."""
    words = name.lower().replace("_", " ").strip(" .,;:!?\"'()").split()
    while len(words) > 1 and words[0] in _LEADING:
        words = words[1:]
    return " ".join(words)


def unknown(name: str, more: Iterable[str] = ()) -> str:
    """The message to a program that looks for a name outside the table and `more`."""
    near = difflib.get_close_matches(name.lower(), [*_TABLE, *more], n=3, cutoff=0.7)
    hint = f" (near: {', '.join(near)})" if near else ""
    return (
        f"the detector does not know '{name}'{hint}; it finds COCO's {len(CLASSES)} classes, such "
        f"as person, car, dog, cup or clock, and the wider words object, {', '.join(WIDER)}"
    )
