"""Clauses: predicates that can be affirmed, denied and put behind a noun.

Text from outside comes here to be put on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.english import a, plural
from workbench.rationalize.claims.grammar import MODALS, base, conjugated, is_third

PLACES = (
    "left of ", "right of ", "above ", "below ", "to the left of ", "to the right of ", "near ",
    "behind ", "on ", "in ", "in front of ", "inside ", "under ", "closer ", "farther ", "next to ",
    "nearer ", "other than ", "between ", "larger ", "smaller ", "wider ", "narrower ", "taller ",
    "shorter ",
)  # fmt: skip
"""Beginnings that follow a noun without "that is"."""
_ARTICLE = re.compile(r"an? (?=[^ ]+$)")


@dataclass(frozen=True, slots=True)
class Predicate:
    """What is said of one thing or of several: `is left of the bus`, `can fly`, `have wheels`."""

    verb: str
    """`be`, a modal such as `can`, or another verb in its base form (`have`, `need`)."""
    rest: str
    """What follows the verb; `{0}`, `{1}` stand for the things in `refs`."""
    refs: tuple[Any, ...] = ()
    """Other things that the predicate names (`claims.NamedPatch`); `Names` puts their names in."""

    def say(self, many: bool, truth: bool = True) -> str:
        """The predicate of a sentence: `are not yellow`, `cannot fly`, `does not have wheels`.

        Args:
            many: whether the subject is a plural.
            truth: whether the predicate is affirmed.
        """
        verb = conjugated(self.verb, many, truth)
        rest = self.rest
        if many and self.verb == "be":
            parts = rest.split(" or ")
            if all(_ARTICLE.match(part) for part in parts):
                rest = " or ".join(plural(part.partition(" ")[2]) for part in parts)
        return f"{verb} {rest}".rstrip()

    def hang(self, many: bool, truth: bool = True) -> str:
        """The predicate behind a noun: `left of the bus`, `that are not yellow`.

        Args:
            many: whether the noun is a plural.
            truth: whether the predicate is affirmed.
        """
        if truth and self.verb == "be" and self.rest.startswith(PLACES):
            return self.rest
        return f"that {self.say(many, truth)}"


def predicate_of(attribute: str) -> Predicate:
    """What a program asks about a thing (`yellow`, `can fly`, `lays eggs`), as a predicate."""
    first, _, rest = attribute.strip().partition(" ")
    low = first.lower()
    if low in MODALS and rest:
        return Predicate(low, rest)
    if low in ("is", "are") and rest:
        return Predicate("be", rest)
    if low in ("has", "have") and rest:
        return Predicate("have", rest)
    if rest and is_third(low):
        return Predicate(base(low), rest)
    return Predicate("be", attribute.strip())


def article(text: str, nouns: Iterable[str]) -> str:
    """The text with its article where it is one of the nouns: `a dog`, but `red`, `two dogs`."""
    low = text.lower()
    return a(text) if any(low == noun.lower() for noun in nouns) else text


def capital(sentence: str) -> str:
    """The sentence with its first letter in upper case and one full stop."""
    sentence = sentence.strip()
    if not sentence:
        return ""
    stop = "" if sentence.endswith((".", "!", "?", '."', '?"')) else "."
    return sentence[0].upper() + sentence[1:] + stop


def one_line(text: object, limit: int = 160) -> str:
    """Text from a tool or a data set as one printable line of at most `limit` characters."""
    raw = str(text)[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in raw).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
