"""Takes yes/no questions of general knowledge apart: what they are about and what they ask.

>>> parse("Can a parrot fly? Answer yes or no.")
YesNo(subject='parrot', predicate='can fly')
>>> parse("Is it true that a cell phone needs electricity?")
YesNo(subject='cell phone', predicate='needs electricity')
>>> parse("Who built the Eiffel Tower?") is None
True

It is small and made for the questions that programs put to `llm_query`; what it cannot take apart
it leaves alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.english import a, is_plural, singular
from workbench.models.coco import CLASSES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AUXILIARY = ("can", "could", "does", "do", "is", "are", "has", "have", "will", "would")
_RARE_AUXILIARY = ("was", "were", "did", "should", "may", "might", "must")
_ARTICLES = _words("a an the some any most all every this that these those")
_ADVERBS = _words("usually typically normally generally often commonly always ever really")
_VERBS = _words(
    "fly swim run walk eat drink lay live grow have make need use be hold carry cut play work "
    "roll move travel float breathe bark meow hatch contain produce give serve sing ride drive "
    "jump climb burn melt bounce open close come belong wear require keep hunt pull transport "
    "taste go get see hear stop spend fit help provide cook store tell measure sting bite dive "
    "crawl hop roar purr graze feed stand cost weigh exist look feel sound turn protect shine "
    "generate consume spoil rot ripen bloom write type take send show"
)
_IS_STARTS = _words(
    "a an the used made able usually edible eaten kind type member part picked needed played worn "
    "found filled born larger smaller bigger heavier faster more less typically commonly "
    "considered meant known something capable good safe dangerous"
)
_COMPOUNDS = frozenset(name for name in CLASSES if " " in name)
_TAIL = re.compile(r"\b(please\s+)?(answer|reply|respond|say)\b.*$", re.IGNORECASE | re.DOTALL)
_TRUE = re.compile(
    r"^(is it (true|correct|right)|would you say|do you think) that\s+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class YesNo:
    """A yes/no question as a statement about one thing."""

    subject: str
    """Singular noun without article."""
    predicate: str
    """Third person singular: `can fly`, `is a fruit`, `has wheels`."""

    @property
    def noun_phrase(self) -> str:
        """The subject with its article: `a parrot`."""
        return a(self.subject)


def parse(question: str) -> YesNo | None:
    """The parts of a yes/no question; None for other questions and for unknown forms."""
    plain = _TAIL.sub("", question).strip().rstrip("?.! ").strip()
    statement = _TRUE.sub("", plain)
    if statement != plain:
        return _from_statement(statement.split())
    words = plain.split()
    if len(words) < 3 or words[0].lower() not in _AUXILIARY:
        return None
    auxiliary, rest = words[0].lower(), words[1:]
    many = auxiliary in ("do", "are", "have") or (
        auxiliary in ("can", "could") and rest[0].lower() not in _ARTICLES
    )
    rest = _without_articles(rest)
    starts = _IS_STARTS if auxiliary in ("is", "are") else _VERBS | {"got"}
    cut = _cut(rest, starts)
    if cut is None:
        return None
    subject = " ".join(rest[:cut]).strip(" ,").lower()
    tail = [w for w in rest[cut:] if w.lower() not in _ADVERBS]
    if not subject or not tail:
        return None
    subject = singular(subject) if many else subject
    return YesNo(subject, _predicate(auxiliary, tail))


def _without_articles(words: list[str]) -> list[str]:
    while len(words) > 2 and words[0].lower() in _ARTICLES:
        words = words[1:]
    return words


def _cut(words: list[str], starts: frozenset[str]) -> int | None:
    """Number of the word with which the predicate begins; None for less than two words.

    It is the first word that can start one; a known compound at the beginning is left whole.
    """
    if len(words) < 2:
        return None
    first = 2 if singular(" ".join(words[:2]).lower()) in _COMPOUNDS and len(words) > 2 else 1
    for i in range(first, min(len(words), first + 3)):
        if words[i].lower() in starts or words[i].lower() in _ADVERBS:
            return i
    return first


def _predicate(auxiliary: str, words: list[str]) -> str:
    rest = " ".join(words)
    if auxiliary in ("can", "could", "will", "would"):
        return f"{auxiliary} {rest}"
    if auxiliary in ("is", "are"):
        if auxiliary == "are" and len(words) == 1 and is_plural(rest):
            rest = a(singular(rest))
        return f"is {rest}"
    if auxiliary in ("has", "have"):
        return f"has {rest.removeprefix('got ')}"
    return " ".join([third(words[0].lower()), *words[1:]])


def _from_statement(words: list[str]) -> YesNo | None:
    words = _without_articles(words)
    starts = frozenset(
        {"can", "is", "has", "could", "will", "would"} | {third(verb) for verb in _VERBS}
    )
    for i in range(1, min(len(words), 5)):
        if words[i].lower() in starts and len(words) > i + 1:
            return YesNo(" ".join(words[:i]).lower(), " ".join(words[i:]))
    return None


def third(verb: str) -> str:
    """Third person singular of a verb: `lays`, `has`, `carries`, `goes`."""
    if verb in ("have", "be", "do", "go"):
        return {"have": "has", "be": "is", "do": "does", "go": "goes"}[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in ("a", "e", "i", "o", "u"):
        return verb[:-1] + "ies"
    return verb + "s"


def is_yes_no(question: str) -> bool:
    """Whether a question begins as a yes/no question does, or asks for yes or no."""
    low = question.strip().lower()
    first = low.split(" ", 1)[0]
    return first in _AUXILIARY or first in _RARE_AUXILIARY or "yes or no" in low


def property_question(thing: str, attribute: str) -> str:
    """A yes/no question about an attribute of a thing in the picture.

    >>> property_question("the bus", "yellow"), property_question("the bird", "can fly")
    ('Is the bus yellow?', 'Can the bird fly?')
    >>> property_question("the car", "has wheels")
    'Does the car have wheels?'
    """
    first, _, rest = attribute.partition(" ")
    if rest and first in ("can", "is", "will", "would"):
        return f"{first.capitalize()} {thing} {rest}?"
    base = next((verb for verb in _VERBS if verb != "be" and third(verb) == first), None)
    if base is not None and (rest or base in ("fly", "swim")):
        return f"Does {thing} {' '.join(filter(None, (base, rest)))}?"
    return f"Is {thing} {attribute}?"
