"""A little English, enough for nouns that detectors and questions use: pure, no tables from outside.

>>> plural("bus"), plural("teddy bear"), plural("scissors")
('buses', 'teddy bears', 'pairs of scissors')
>>> a("apple"), the("scissors")
('an apple', 'the pair of scissors')
>>> join(["a dog", "a cat", "two cups"])
'a dog, a cat and two cups'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
"""Number words by value, 0 to 20."""

SENTENCE_END = re.compile(r'(?<=[.!?])"?\s+(?=["“]?[A-Z0-9])')
"""What stands between two sentences of a rationale; quoted text may hold it too."""

_IRREGULAR = {
    "person": "people", "man": "men", "woman": "women", "child": "children", "mouse": "mice", "goose": "geese",
    "foot": "feet", "tooth": "teeth", "knife": "knives", "leaf": "leaves", "loaf": "loaves", "half": "halves",
    "shelf": "shelves", "wolf": "wolves", "calf": "calves", "life": "lives", "wife": "wives", "ox": "oxen",
    "tomato": "tomatoes", "potato": "potatoes", "hero": "heroes", "mango": "mangoes",
    "sheep": "sheep", "fish": "fish", "deer": "deer", "moose": "moose", "aircraft": "aircraft",
    "skis": "skis", "food": "food", "fruit": "fruits",
}  # fmt: skip
_PAIRS = (
    "scissors",
    "eyeglasses",
    "sunglasses",
    "pants",
    "trousers",
    "jeans",
    "pliers",
    "binoculars",
    "tweezers",
    "shorts",
)
_UNITS = {**dict.fromkeys(_PAIRS, "pair"), "broccoli": "piece", "bread": "piece", "luggage": "piece"}
"""Nouns without a singular or a plural of their own, and the unit that they are counted in."""
_SINGULAR = {many: one for one, many in _IRREGULAR.items()}
_VOWEL_SOUND = ("hour", "honest", "honour", "heir")
_CONSONANT_SOUND = ("uni", "use", "usu", "eur", "one", "ewe", "uk")


def plural(noun: str) -> str:
    """The plural of a noun or of a phrase that ends in one: `teddy bears`, `people`, `pairs of scissors`."""
    unit = _unit(noun)
    if unit:
        return f"{unit}s of {noun}"
    head, space, last = noun.rpartition(" ")
    low = last.lower()
    if low in _IRREGULAR:
        many = _IRREGULAR[low]
    elif low.endswith(("s", "x", "z", "ch", "sh")):
        many = last + "es"
    elif low.endswith("y") and len(low) > 1 and low[-2] not in "aeiou":
        many = last[:-1] + "ies"
    else:
        many = last + "s"
    return f"{head}{space}{many}"


def singular(noun: str) -> str:
    """The inverse of `plural` and `one` for regular nouns and those in the tables; a singular stays as it is."""
    for unit in set(_UNITS.values()):
        for start in (f"{unit}s of ", f"{unit} of "):
            if noun.startswith(start):
                return noun.removeprefix(start)
    head, space, last = noun.rpartition(" ")
    low = last.lower()
    if low in _UNITS or low in _IRREGULAR:
        return noun
    if low in _SINGULAR:
        single = _SINGULAR[low]
    elif low.endswith("ies") and len(low) > 4:
        single = last[:-3] + "y"
    elif low.endswith(("sses", "xes", "zes", "ches", "shes", "buses", "lenses")):
        single = last[:-2]
    elif low.endswith("s") and not low.endswith(("ss", "us", "is")):
        single = last[:-1]
    else:
        single = last
    return f"{head}{space}{single}"


def _unit(noun: str) -> str:
    """The unit that a noun is counted in, or '' where it needs none."""
    return "" if " of " in noun else _UNITS.get(noun.rpartition(" ")[2].lower(), "")


def one(noun: str) -> str:
    """The noun as one countable thing: `scissors` becomes `pair of scissors`, most stay."""
    unit = _unit(noun)
    return f"{unit} of {noun}" if unit else noun


def a(noun: str) -> str:
    """The noun with its indefinite article, by sound as far as spelling tells: `an apple`, `a unicorn`."""
    noun = one(noun)
    low = noun.lower()
    vowel = low.startswith(_VOWEL_SOUND) or (low[:1] in tuple("aeiou") and not low.startswith(_CONSONANT_SOUND))
    return f"{'an' if vowel else 'a'} {noun}"


def the(noun: str) -> str:
    """The noun with its definite article."""
    return f"the {one(noun)}"


def number(value: int) -> str:
    """A number word from zero to twenty, digits beyond."""
    return NUMBERS[value] if 0 <= value < len(NUMBERS) else str(value)


def counted(value: int, noun: str) -> str:
    """A count with its noun: `no dogs`, `one dog`, `two dogs`."""
    if value == 0:
        return f"no {plural(noun)}"
    return f"{number(value)} {one(noun) if value == 1 else plural(noun)}"


def join(words: Sequence[str], last: str = "and", oxford: bool = False) -> str:
    """A list in prose: `x`, `x and y`, `x, y and z` (with `oxford`: `x, y, and z`); empty gives ''."""
    if len(words) < 2:
        return "".join(words)
    comma = "," if oxford and len(words) > 2 else ""
    return f"{', '.join(words[:-1])}{comma} {last} {words[-1]}"


_TENS = {
    word: 10 * tens
    for tens, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)
}
_VALUES = {word: value for value, word in enumerate(NUMBERS)} | _TENS


def value(word: str) -> int | None:
    """The value of a number word, zero to ninety-nine; None for any other word.

    >>> value("Three"), value("twenty-one"), value("dogs")
    (3, 21, None)
    """
    low = word.lower()
    if low in _VALUES:
        return _VALUES[low]
    tens, _, unit = low.partition("-")
    if tens in _TENS and 1 <= _VALUES.get(unit, 0) <= 9:
        return _TENS[tens] + _VALUES[unit]
    return None
