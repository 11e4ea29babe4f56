"""Clauses: predicates that can be affirmed, denied and hung on a noun, and yes/no questions as statements.

Only what can be turned round SAFELY is: a question whose subject is not certain gives None, and the writer then
says the answer without the question's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.english import a, plural, singular

_MODALS = {"can": "cannot", "could": "could not", "will": "will not", "would": "would not", "may": "may not"}
_SPATIAL = ("left of ", "right of ", "above ", "below ", "to the left of ", "to the right of ", "near ", "behind ",
            "in front of ", "inside ", "on ", "in ", "under ", "closer ", "farther ", "next to ", "nearer ", "other than ", "between ", "larger ", "smaller ",
            "wider ", "narrower ", "taller ", "shorter ")  # fmt: skip
_ARTICLE = re.compile(r"an? (?=[^ ]+$)")


@dataclass(frozen=True, slots=True)
class Predicate:
    """What is said of one thing or of several: `is left of the bus`, `can fly`, `have wheels`."""

    verb: str
    """`be`, a modal such as `can`, or another verb in its base form (`have`, `need`)."""
    rest: str
    """What follows; `{0}`, `{1}` stand for the things in `refs`."""
    refs: tuple[Any, ...] = ()
    """Other things that it names (`claims.One`); the teller puts their names in."""

    def say(self, many: bool, truth: bool = True) -> str:
        """The predicate of a sentence: `are not yellow`, `cannot fly`, `does not have wheels`."""
        if self.verb == "be":
            verb = ("are" if many else "is") + ("" if truth else " not")
        elif self.verb in _MODALS:
            verb = self.verb if truth else _MODALS[self.verb]
        elif truth:
            verb = self.verb if many else third(self.verb)
        else:
            verb = f"{'do' if many else 'does'} not {self.verb}"
        rest = self.rest
        if many and self.verb == "be" and (found := _ARTICLE.match(rest)):
            rest = plural(rest[found.end() :])
        return f"{verb} {rest}".rstrip()

    def hang(self, many: bool, truth: bool = True) -> str:
        """After a noun: `left of the bus`, `that are not yellow`."""
        if truth and self.verb == "be" and self.rest.startswith(_SPATIAL):
            return self.rest
        return f"that {self.say(many, truth)}"


def third(verb: str) -> str:
    """The third person singular of a verb's base form."""
    irregular = {"have": "has", "do": "does", "be": "is", "go": "goes"}
    if verb in irregular:
        return irregular[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and len(verb) > 1 and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


@dataclass(frozen=True, slots=True)
class Statement:
    """A yes/no question as a sentence that is true or false."""

    subject: str
    """With its article; `there` for existence."""
    many: bool
    predicate: Predicate
    noun: str = ""
    """The subject's noun as it stands in the question, without an article."""

    def say(self, truth: bool) -> str:
        """Without capital or full stop: `a parrot can fly`, `there is no dog`."""
        if self.subject == "there":
            be = "are" if self.many else "is"
            if truth:
                return f"there {be} {self.predicate.rest}"
            return f"there {be} {_none(self.predicate.rest)}"
        return f"{self.subject} {self.predicate.say(self.many, truth)}"


_QUESTION = re.compile(
    r"(?P<verb>is|are|can|could|will|would|may|do|does|has|have)\s+(?P<rest>[^?;:,\n]+)\?*", re.IGNORECASE
)
_THERE = re.compile(r"(?:is|are)\s+there\s+(?P<what>.+)", re.IGNORECASE)
_SEE = re.compile(r"(?:do|can)\s+you\s+see\s+(?P<what>.+)", re.IGNORECASE)
_SHOW = re.compile(r"does\s+(?:the|this)\s+(?:picture|image|photo|scene)\s+show\s+(?P<what>.+)", re.IGNORECASE)
_MANY = re.compile(r"(?:any|some|more|fewer|as many|equally many|at least|at most|two|\d+)\b", re.IGNORECASE)


def _none(what: str) -> str:
    for word, instead in (("a ", "no "), ("an ", "no "), ("any ", "no "), ("some ", "no ")):
        if what.lower().startswith(word):
            return instead + what[len(word) :]
    return f"not {what}" if _MANY.match(what) or what.lower().startswith("the ") else f"no {what}"


def _existence(question: str) -> Statement | None:
    found = _THERE.fullmatch(question) or _SEE.fullmatch(question) or _SHOW.fullmatch(question)
    if found is None:
        return None
    what = found["what"]
    if what.lower().startswith(("a ", "an ")):
        return Statement("there", False, Predicate("be", what))
    if not _MANY.match(what) or what.lower().startswith("some "):
        return None  # "Do you see the dog left of the cat?": a relation, not existence
    if what.lower().startswith("any "):
        what = what[4:]
    return Statement("there", True, Predicate("be", what))


def statement(question: str, nouns: Iterable[str]) -> Statement | None:
    """A yes/no question as a statement, or None where its subject is not certain.

    Args:
        question: for example "Can a parrot fly?".
        nouns: things whose names are known; the subject must be one of them, in the singular or plural.
    """
    question = " ".join(question.split()).rstrip("?. ")
    if any(mark in question for mark in "?;:,\n\"") or len(question) > 160:
        return None
    if found := _existence(question):
        return found
    match = _QUESTION.fullmatch(question)
    if match is None:
        return None
    verb, rest = match["verb"].lower(), match["rest"]
    for noun in sorted({n for known in nouns for n in (known, plural(known))} - {""}, key=lambda n: (-len(n), n)):
        subject = re.match(rf"(?:(?:an?|the|all|most|this)\s+)?{re.escape(noun)}(?=\s)", rest, re.IGNORECASE)
        if subject is None:
            continue
        said = subject[0]
        many = verb in ("are", "do", "have") or (verb not in ("is", "does", "has") and _is_plural(said, noun))
        after = rest[len(said) :].strip()
        if not after:
            return None
        if verb in ("is", "are"):
            predicate = Predicate("be", after)
        elif verb in ("do", "does"):
            base, _, after = after.partition(" ")
            predicate = Predicate(base, after)
        elif verb in ("has", "have"):
            predicate = Predicate("have", after)
        else:
            predicate = Predicate(verb, after)
        return Statement(said[0].lower() + said[1:], many, predicate, noun)
    return None


def _is_plural(said: str, noun: str) -> bool:
    return not said.lower().startswith(("a ", "an ", "this ")) and singular(noun) != noun


def article(text: str, nouns: Iterable[str]) -> str:
    """`a dog` for a known countable noun, the text itself for anything else (`red`, `water`, `two dogs`)."""
    low = text.lower()
    return a(text) if any(low == noun.lower() for noun in nouns) else text


def capital(sentence: str) -> str:
    """The sentence with its first letter in upper case and one full stop."""
    sentence = sentence.strip()
    if not sentence:
        return ""
    return sentence[0].upper() + sentence[1:] + ("" if sentence.endswith((".", "!", "?", '."', '?"')) else ".")


def one_line(text: object, limit: int = 160) -> str:
    """Text from a tool or a data set as one printable line of at most `limit` characters."""
    raw = str(text)[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in raw).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
