"""Questions as statements: "Can a parrot fly?" with "no" is "a parrot cannot fly".

Only what can be turned round SAFELY is: a question whose subject is not certain gives nothing, and
the writer then says the answer without the question's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.english import a, one, plural, singular
from workbench.rationalize.claims.clauses import PLACES, Predicate, predicate_of

GENERAL = frozenset(
    {"object", "item", "thing", "animal", "vehicle", "food", "fruit", "furniture", "tool"}
)
"""Wider words: where the detector gives a name of its own, that is said beside them."""


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
        if self.subject.startswith("all ") and not truth:
            return f"not {self.subject} {self.predicate.say(self.many)}"
        return f"{self.subject} {self.predicate.say(self.many, truth)}"


_QUESTION = re.compile(
    r"(?P<verb>is|are|can|could|will|would|may|do|does|has|have)\s+(?P<rest>[^?;:,\n]+)\?*",
    re.IGNORECASE,
)
_TRUE = re.compile(r"is it true that (?P<what>[^?;:,\n]+)", re.IGNORECASE)
_THERE = re.compile(r"(?:is|are)\s+there\s+(?P<what>.+)", re.IGNORECASE)
_PLACED = re.compile(
    r"(?P<verb>is|are)\s+(?P<subject>the(?:\s+[a-z'-]+){1,4}?)\s+(?P<rest>"
    r"(?:(?:to|on) the )?(?:left|right) (?:side )?of .+"
    r"|(?:above|below|behind|near|under|next to|in front of|inside) .+)",
    re.IGNORECASE,
)
_SEE = re.compile(r"(?:do|can)\s+you\s+see\s+(?P<what>.+)", re.IGNORECASE)
_SHOW = re.compile(
    r"does\s+(?:the|this)\s+(?:picture|image|photo|scene)\s+show\s+(?P<what>.+)", re.IGNORECASE
)
_MANY = re.compile(
    r"(?:any|some|more|fewer|as many|equally many|at least|at most|two|\d+)\b", re.IGNORECASE
)


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

    Args: question: for example "Can a parrot fly?". nouns: things whose names are known; the
        subject must be one of them, in the singular or plural.
    """
    question = " ".join(question.split()).rstrip("?. ")
    if any(mark in question for mark in '?;:,\n"') or len(question) > 160:
        return None
    if found := _existence(question):
        return found
    if true := _TRUE.fullmatch(question):
        return _declared(true["what"], nouns)
    if placed := _placed(question):
        return placed
    match = _QUESTION.fullmatch(question)
    if match is None:
        return None
    verb, rest = match["verb"].lower(), match["rest"]
    for noun in sorted(
        {n for known in nouns for n in (known, plural(known))} - {""}, key=lambda n: (-len(n), n)
    ):
        subject = re.match(
            rf"(?:(?:an?|the|all|this)\s+)?{re.escape(noun)}(?=\s)", rest, re.IGNORECASE
        )
        if subject is None:
            continue
        said = subject[0]
        many = verb in ("are", "do", "have") or (
            verb not in ("is", "does", "has") and _is_plural(said, noun)
        )
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
        return Statement(_lower(said, noun), many, predicate, noun)
    return None


def _declared(sentence: str, nouns: Iterable[str]) -> Statement | None:
    """`a parrot can fly` as a statement."""
    for noun in sorted(set(nouns) - {""}, key=lambda n: (-len(n), n)):
        subject = re.match(
            rf"(?:an?|the)\s+{re.escape(noun)}\s+(?=(?:can|is|has|[a-z]+s)\s)",
            sentence,
            re.IGNORECASE,
        )
        if subject is not None:
            said = subject[0].strip()
            return Statement(
                _lower(said, noun), False, predicate_of(sentence[subject.end() :]), noun
            )
    return None


def _placed(question: str) -> Statement | None:
    """`Is the cat left of the dog?`: the words of a place say where the subject ends."""
    found = _PLACED.fullmatch(question)
    if found is None:
        return None
    subject, many = found["subject"], found["verb"].lower() == "are"
    return Statement(
        subject[0].lower() + subject[1:],
        many,
        Predicate("be", found["rest"]),
        subject.partition(" ")[2],
    )


def _lower(said: str, noun: str) -> str:
    """A subject inside a sentence, its article put right: programs write `a {name}` before any
    name.
    """
    return a(noun) if said.lower().startswith(("a ", "an ")) else said[0].lower() + said[1:]


def _is_plural(said: str, noun: str) -> bool:
    return not said.lower().startswith(("a ", "an ", "this ")) and singular(noun) != noun


_UNCOUNTED = re.compile(r"(?:an?|the|some|no|one|two|three|four|\d+)\s", re.IGNORECASE)
_MASS = re.compile(
    r"\b(?:colou?r|name|number|material|shape|size|time|brand|sport|weather|year|season|text|company|price)\b",
    re.IGNORECASE,
)
_IDENTITY = re.compile(
    r"(?:what|which)\s+(?P<kind>(?:kind|type|sort|breed|piece)\s+of\s+)?(?P<noun>[\w -]{1,30}?\s+)?(?:is|are)\s+"
    r"(?:(?:this|that|it|these|those)(?:\s+called)?|shown|(?:in|on)\s+(?:the|this)\s+(?:image|picture))\s*\??",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"what\s+is\s+(?:the\s+)?(?:name|category|class)\s+of\s+(?:this|the)\s+[\w -]{1,30}\??",
    re.IGNORECASE,
)
_COLOR = re.compile(
    r"what\s+(?:colou?r\s+(?:is|are)\s+(?P<x>[\w' -]{2,40})|is\s+the\s+colou?r\s+of\s+(?P<y>[\w' -]{2,40}))\??",
    re.IGNORECASE,
)
_DOING = re.compile(
    r"what\s+is\s+(?P<x>(?:the|this)\s+[\w -]{2,30})\s+(?P<verb>doing|wearing|holding|eating|riding|carrying)\??",
    re.IGNORECASE,
)
_WHAT_IS = re.compile(r"what\s+is\s+(?P<np>the\s+[\w' -]{2,80})\??", re.IGNORECASE)
_UNSAFE = re.compile(
    r"\w{2}ing\b|\b(?:made|called|written|worn|like|for|about|of|to|at|on|in|with|by|from)$|\b(?:is|are|do|does|can)\b",
    re.IGNORECASE,
)
"""Words after which "What is the ..." does not name one thing."""
_WHICH = re.compile(
    r"(?:what|which)\s+(?:kind\s+of\s+)?(?P<noun>[a-z][a-z -]{1,25}?)\s+(?:here\s+|in the picture\s+)?"
    r"(?P<rest>(?:is|has|can)\s+[^?,;:]{2,80})\??",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    r"how\s+many\s+(?:of\s+the(?:se)?\s+)?(?P<what>[a-z][a-z -]{1,40}?)\s+(?:here\s+|in the picture\s+)?"
    r"(?P<verb>are|is|do|can|have)\s+(?P<rest>[^?,;:]{2,80})\??",
    re.IGNORECASE,
)
_PLAINLY = re.compile(
    r"(?:there|visible|shown|you see|you see here|in the (?:picture|image|photo|scene))",
    re.IGNORECASE,
)


def identifies(question: str, noun: str) -> bool:
    """Whether a question asks what a thing is: "What is this?", "What animal is this?", not "What
    color is this?".
    """
    asked = _IDENTITY.fullmatch(question)
    if asked is None:
        return bool(_NAME.fullmatch(question))
    named = (asked["noun"] or "").strip().lower()
    return not named or bool(asked["kind"]) or named in GENERAL or singular(named) == noun.lower()


def countable(answer: str, many: bool = False) -> str:
    """`a dog`, `dogs`; the answer itself where it brings its own article or is in the plural."""
    if _UNCOUNTED.match(answer) or singular(answer) != answer:
        return answer
    return plural(answer) if many else a(answer)


def simple(answer: str) -> bool:
    """An answer of a few words that fits into a sentence."""
    short = 0 < len(answer.split()) <= 4 and not set(answer) & set('".?!:;')
    return short and answer.lower() not in ("yes", "no", "true", "false", "none", "unknown")


def about_thing(question: str, answer: str, noun: str, many: bool = False) -> str:
    """What an answer says of the thing that was looked at, as a predicate: `is a dog`, `is red`; ''
    if uncertain.
    """
    verb = "are" if many else "is"
    if not simple(answer):
        return ""
    if _COLOR.fullmatch(question):
        return f"{verb} {answer.lower() if answer.istitle() else answer}"
    if identifies(question, noun):
        return f"{verb} {countable(answer, many)}"
    doing = _DOING.fullmatch(question)
    if doing and [singular(doing["x"].split()[-1].lower())] == noun.lower().split()[-1:]:
        return (
            f"{verb} {answer}"
            if doing["verb"].lower() == "doing"
            else f"{verb} {doing['verb'].lower()} {answer}"
        )
    return ""


def about_picture(question: str, answer: str, nouns: Iterable[str]) -> str:
    """An open question about the whole picture with its answer, as a clause: `the leftmost animal
    is a dog`.
    """
    question = " ".join(question.split())
    if not simple(answer):
        return ""
    if color := _COLOR.fullmatch(question):
        thing = color["x"] or color["y"]
        return (
            ""
            if re.match(r"(?:this|that|it)\b", thing)
            else f"{thing} is {answer.lower() if answer.istitle() else answer}"
        )
    if doing := _DOING.fullmatch(question):
        return f"{doing['x']} is {answer if doing['verb'].lower() == 'doing' else doing['verb'].lower() + ' ' + answer}"
    if what := _WHAT_IS.fullmatch(question):
        if _UNSAFE.search(what["np"]):
            return ""
        return f"{what['np']} is {answer if _MASS.search(what['np']) else countable(answer)}"
    known = {singular(noun) for noun in nouns} | GENERAL
    which = _WHICH.fullmatch(question)
    placed = which is not None and which["rest"].lower().removeprefix("is ").startswith(PLACES)
    named = (
        which is not None
        and (placed or singular(which["noun"].lower()) in known)
        and not _MASS.search(which["noun"])
    )
    if which and named and _said_of_it(which["rest"]):
        return (
            f"the {which['noun']} {predicate_of(which['rest']).hang(False)} is {countable(answer)}"
        )
    many = _HOW_MANY.fullmatch(question)
    if many and answer.isdecimal():
        return _counted(many, answer)
    return ""


def _said_of_it(rest: str) -> bool:
    """`is left of the bus`, `has wheels`, not `is the man riding`, `can you see`."""
    verb, _, after = rest.lower().partition(" ")
    if verb == "is":
        return after.startswith(
            (*PLACES, "nearest", "closest", "farthest", "furthest", "highest", "lowest")
        )
    return not re.match(r"(?:you|we|i|one|the|an?|this|each|he|she|it|they)\b", after)


def _counted(many: re.Match[str], answer: str) -> str:
    noun = singular(many["what"].lower())
    things = one(noun) if answer == "1" else plural(noun)
    if _PLAINLY.fullmatch(many["rest"]):
        return f"there {'is' if answer == '1' else 'are'} {answer} {things}"
    rest = re.sub(r"^(?:there|you see)\s+", "", many["rest"])
    if (
        many["verb"].lower() not in ("is", "are")
        or not rest.startswith(PLACES)
        or len(noun.split()) > 3
    ):
        return ""
    return f"{answer} {things} {Predicate('be', rest).say(answer != '1')}"
