"""The grammar of a rationale's sentences: number, verb form and negation, each in one place.

Nouns come in four kinds: singular with a plural (`dog`, `dogs`), one form for both (`sheep`), pairs
and pieces (`pair of scissors`, `piece of broccoli`), and nouns that need a countable one beside
them (`food item`).
"""

from __future__ import annotations

import re

from workbench.english import one as single
from workbench.english import plural as several

MODALS = {
    "can": "cannot",
    "cannot": "can",
    "could": "could not",
    "will": "will not",
    "would": "would not",
    "may": "may not",
}
"""Each modal verb with its negation."""

_COUNTABLE = {"food": "food item"}
"""A countable noun for each noun that cannot be counted."""
_THIRDS = {"have": "has", "do": "does", "be": "is", "go": "goes"}
_BASES = (
    ("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("zzes", "zz"),
    ("oes", "o"),
)  # fmt: skip
_THIRD = re.compile(r"[a-z]{2,}(?<![sui])s")
"""The third person of a verb: `lays`, not `glass`, `bus` or `tennis`."""


def one(noun: str) -> str:
    """The noun as one countable thing: `food item`, `pair of scissors`."""
    return single(_COUNTABLE.get(noun, noun))


def plural(noun: str) -> str:
    """The noun in the plural: `food items`, `buses`."""
    return several(_COUNTABLE.get(noun, noun))


def counted(number: int, noun: str) -> str:
    """A number of things: `1 dog`, `3 dogs`, `2 pairs of scissors`, `0 dogs`."""
    return f"{number} {one(noun) if number == 1 else plural(noun)}"


def be(many: bool) -> str:
    """The verb `be` in the present."""
    return "are" if many else "is"


def third(verb: str) -> str:
    """The third person singular of a verb's base form."""
    if verb in _THIRDS:
        return _THIRDS[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and len(verb) > 1 and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def is_third(word: str) -> bool:
    """Whether a word has the form of a third person."""
    return word in _THIRDS.values() or _THIRD.fullmatch(word) is not None


def base(verb: str) -> str:
    """The base form of a verb, from its third person or from itself."""
    for form, other in _THIRDS.items():
        if verb == other:
            return form
    if _THIRD.fullmatch(verb) is None:
        return verb
    for ending, instead in _BASES:
        if verb.endswith(ending) and len(verb) > len(ending) + 1:
            return verb.removesuffix(ending) + instead
    return verb[:-1]


def conjugated(verb: str, many: bool, truth: bool = True) -> str:
    """A verb with its subject and its negation: `are not`, `cannot`, `does not have`, `lays`.

    Args:
        verb: `be`, a modal, or another verb in its base form.
        many: whether its subject is a plural.
        truth: whether it is affirmed.
    """
    if verb == "be":
        return be(many) + ("" if truth else " not")
    if verb in MODALS:
        return verb if truth else MODALS[verb]
    if truth:
        return verb if many else third(verb)
    return f"{'do' if many else 'does'} not {verb}"
