"""Questions as statements: "Can a parrot fly?" with "no" is "a parrot cannot fly".

Only what can be turned round SAFELY is: a question whose subject is not certain gives nothing, and
the writer then says the answer without the question's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.english import a, is_plural, singular
from workbench.rationalize.claims.clauses import PLACES, Predicate, predicate_of
from workbench.rationalize.claims.grammar import base, be, counted, plural

GENERAL = frozenset(
    {"object", "item", "thing", "animal", "vehicle", "food", "fruit", "furniture", "tool"}
)
"""General words; where the detector gives a name of its own, the name is said beside them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A yes/no question as a sentence that is true or false."""

    subject: str
    """The subject with its article; `there` where something exists or not."""
    many: bool
    """Whether the subject is a plural."""
    predicate: Predicate
    noun: str = ""
    """The subject's noun as it stands in the question, without an article."""

    def say(self, truth: bool) -> str:
        """The sentence without a capital or a full stop: `a parrot can fly`, `there is no dog`."""
        if self.subject == "there":
            what = self.predicate.rest if truth else _none(self.predicate.rest)
            return f"there {be(self.many)} {what}"
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


def compares_numbers(what: str) -> bool:
    """Whether what is there or not is a number against another: `more cats than dogs`."""
    return _MANY.match(what) is not None and not what.lower().startswith(("any ", "some "))


def _none(what: str) -> str:
    for word, instead in (("a ", "no "), ("an ", "no "), ("any ", "no "), ("some ", "no ")):
        if what.lower().startswith(word):
            return instead + what[len(word) :]
    return f"not {what}" if _MANY.match(what) or what.lower().startswith("the ") else f"no {what}"


def _existence(question: str) -> Statement | None:
    match = _THERE.fullmatch(question) or _SEE.fullmatch(question) or _SHOW.fullmatch(question)
    if match is None:
        return None
    what = match["what"]
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
        nouns: names of things; the subject must be one of them, in the singular or plural.
    """
    question = " ".join(question.split()).rstrip("?. ")
    if any(mark in question for mark in '?;:,\n"') or len(question) > 160:
        return None
    if existence := _existence(question):
        return existence
    if true := _TRUE.fullmatch(question):
        return _declaration(true["what"], nouns)
    return _place(question) or _about_noun(question, nouns)


def _about_noun(question: str, nouns: Iterable[str]) -> Statement | None:
    """`Can a parrot fly?`: the subject is the longest of the nouns that stands behind the verb."""
    match = _QUESTION.fullmatch(question)
    if match is None:
        return None
    verb, rest = match["verb"].lower(), match["rest"]
    for noun in _longest_first(form for name in nouns for form in (name, plural(name))):
        pattern = rf"(?:(?:an?|the|all|this)\s+)?{re.escape(noun)}(?=\s)"
        start = re.match(pattern, rest, re.IGNORECASE)
        if start is None:
            continue
        subject = start[0]
        after = rest[len(subject) :].strip()
        if not after:
            return None
        many = _is_many(verb, subject, noun)
        return Statement(_lower(subject, noun), many, _predicate(verb, after), noun)
    return None


def _longest_first(nouns: Iterable[str]) -> list[str]:
    return sorted(set(nouns) - {""}, key=lambda noun: (-len(noun), noun))


def _is_many(verb: str, subject: str, noun: str) -> bool:
    """Whether a subject is a plural: its verb says so, or behind a modal the noun."""
    if verb in ("are", "do", "have"):
        return True
    if verb in ("is", "does", "has"):
        return False
    return not subject.lower().startswith(("a ", "an ", "this ")) and is_plural(noun)


def _predicate(verb: str, after: str) -> Predicate:
    """The predicate of a question's verb and of what stands behind its subject."""
    if verb in ("is", "are"):
        return Predicate("be", after)
    if verb in ("do", "does"):
        word, _, after = after.partition(" ")
        return Predicate(base(word), after)  # programs write "Does a {name} lays eggs?"
    if verb in ("has", "have"):
        return Predicate("have", after)
    return Predicate(verb, after)


def _declaration(sentence: str, nouns: Iterable[str]) -> Statement | None:
    """`a parrot can fly` as a statement."""
    for noun in _longest_first(nouns):
        pattern = rf"(?:an?|the)\s+{re.escape(noun)}\s+(?=(?:can|is|has|[a-z]+s)\s)"
        subject = re.match(pattern, sentence, re.IGNORECASE)
        if subject is not None:
            predicate = predicate_of(sentence[subject.end() :])
            return Statement(_lower(subject[0].strip(), noun), False, predicate, noun)
    return None


def _place(question: str) -> Statement | None:
    """`Is the cat left of the dog?`: the words of a place say where the subject ends."""
    match = _PLACED.fullmatch(question)
    if match is None:
        return None
    subject, many = match["subject"], match["verb"].lower() == "are"
    predicate = Predicate("be", match["rest"])
    return Statement(subject[0].lower() + subject[1:], many, predicate, subject.partition(" ")[2])


def _lower(subject: str, noun: str) -> str:
    """A subject inside a sentence, its article corrected.

    Programs write `a {name}` before any name.
    """
    if subject.lower().startswith(("a ", "an ")):
        return a(noun)
    return subject[0].lower() + subject[1:]


_UNCOUNTED = re.compile(r"(?:an?|the|some|no|one|two|three|four|\d+)\s", re.IGNORECASE)
_MASS = re.compile(
    r"\b(?:colou?r|name|number|material|shape|size|time|brand|sport|weather|year|season|text"
    r"|company|price)\b",
    re.IGNORECASE,
)
_IDENTITY = re.compile(
    r"(?:what|which)\s+(?P<kind>(?:kind|type|sort|breed|piece)\s+of\s+)?"
    r"(?P<noun>[\w -]{1,30}?\s+)?(?:is|are)\s+"
    r"(?:(?:this|that|it|these|those)(?:\s+called)?|shown"
    r"|(?:in|on)\s+(?:the|this)\s+(?:image|picture))\s*\??",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"what\s+is\s+(?:the\s+)?(?:name|category|class)\s+of\s+(?:this|the)\s+[\w -]{1,30}\??",
    re.IGNORECASE,
)
_COLOR = re.compile(
    r"what\s+(?:colou?r\s+(?:is|are)\s+(?P<x>[\w' -]{2,40})"
    r"|is\s+the\s+colou?r\s+of\s+(?P<y>[\w' -]{2,40}))\??",
    re.IGNORECASE,
)
_DOING = re.compile(
    r"what\s+is\s+(?P<x>(?:the|this)\s+[\w -]{2,30})\s+"
    r"(?P<verb>doing|wearing|holding|eating|riding|carrying)\??",
    re.IGNORECASE,
)
_WHAT_IS = re.compile(r"what\s+is\s+(?P<np>the\s+[\w' -]{2,80})\??", re.IGNORECASE)
_UNSAFE = re.compile(
    r"\w{2}ing\b|\b(?:made|called|written|worn|like|for|about|of|to|at|on|in|with|by|from)$"
    r"|\b(?:is|are|do|does|can)\b",
    re.IGNORECASE,
)
"""Words after which "What is the ..." does not name one thing."""
_WHICH = re.compile(
    r"(?:what|which)\s+(?:kind\s+of\s+)?(?P<noun>[a-z][a-z -]{1,25}?)\s+"
    r"(?:here\s+|in the picture\s+)?"
    r"(?P<rest>(?:is|has|can)\s+[^?,;:]{2,80})\??",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    r"how\s+many\s+(?:of\s+the(?:se)?\s+)?(?P<what>[a-z][a-z -]{1,40}?)\s+"
    r"(?:here\s+|in the picture\s+)?"
    r"(?P<verb>are|is|do|can|have)\s+(?P<rest>[^?,;:]{2,80})\??",
    re.IGNORECASE,
)
_PLAINLY = re.compile(
    r"(?:there|visible|shown|you see|you see here|in the (?:picture|image|photo|scene))",
    re.IGNORECASE,
)


def identifies(question: str, noun: str) -> bool:
    """Whether a question asks what a thing is.

    "What is this?" and "What animal is this?" do; "What color is this?" does not.
    """
    match = _IDENTITY.fullmatch(question)
    if match is None:
        return bool(_NAME.fullmatch(question))
    name = (match["noun"] or "").strip().lower()
    return not name or bool(match["kind"]) or name in GENERAL or singular(name) == noun.lower()


def countable(answer: str, many: bool = False) -> str:
    """An answer as a countable noun: `a dog`, `dogs`.

    One that brings its own article or is in the plural stays as it is.
    """
    if _UNCOUNTED.match(answer) or is_plural(answer):
        return answer
    return plural(answer) if many else a(answer)


def simple(answer: str) -> bool:
    """Whether an answer has few words and fits into a sentence."""
    short = 0 < len(answer.split()) <= 4 and not set(answer) & set('".?!:;')
    return short and answer.lower() not in ("yes", "no", "true", "false", "none", "unknown")


def about_thing(question: str, answer: str, noun: str, many: bool = False) -> str:
    """What an answer says of the thing that was looked at, as a predicate: `is a dog`, `is red`.

    Args:
        question: the question about the thing.
        answer: its answer.
        noun: what the thing is called.
        many: whether several things have this answer.

    Returns:
        The predicate; '' where the question does not make it certain.
    """
    verb = be(many)
    if not simple(answer):
        return ""
    if _COLOR.fullmatch(question):
        return f"{verb} {_color(answer)}"
    if identifies(question, noun):
        return f"{verb} {countable(answer, many)}"
    doing = _DOING.fullmatch(question)
    if doing and [singular(doing["x"].split()[-1].lower())] == noun.lower().split()[-1:]:
        return f"{verb} {_action(doing, answer)}"
    return ""


def _color(answer: str) -> str:
    return answer.lower() if answer.istitle() else answer


def _action(doing: re.Match[str], answer: str) -> str:
    """`eating grass` of "What is the dog doing?", `wearing a hat` of "... wearing?"."""
    verb = doing["verb"].lower()
    return answer if verb == "doing" else f"{verb} {answer}"


def about_picture(question: str, answer: str, nouns: Iterable[str]) -> str:
    """An open question about the whole picture with its answer, as a clause.

    Args:
        question: for example "What is the leftmost animal?".
        answer: its answer; "dog" gives `the leftmost animal is a dog`.
        nouns: names of things; a "Which ...?" asks for one of them or for a general word.

    Returns:
        The clause; '' where the question does not make it certain.
    """
    question = " ".join(question.split())
    if not simple(answer):
        return ""
    if color := _COLOR.fullmatch(question):
        thing = color["x"] or color["y"]
        pronoun = re.match(r"(?:this|that|it)\b", thing)
        return "" if pronoun else f"{thing} is {_color(answer)}"
    if doing := _DOING.fullmatch(question):
        return f"{doing['x']} is {_action(doing, answer)}"
    if what := _WHAT_IS.fullmatch(question):
        return _what_is(what["np"], answer)
    which = _WHICH.fullmatch(question)
    if which and _names_one(which, nouns):
        predicate = predicate_of(which["rest"]).hang(False)
        return f"the {which['noun']} {predicate} is {countable(answer)}"
    many = _HOW_MANY.fullmatch(question)
    return _count(many, answer) if many and answer.isdecimal() else ""


def _what_is(thing: str, answer: str) -> str:
    """`the leftmost animal is a dog`, `the color of the bus is red`."""
    if _UNSAFE.search(thing):
        return ""
    return f"{thing} is {answer if _MASS.search(thing) else countable(answer)}"


def _names_one(which: re.Match[str], nouns: Iterable[str]) -> bool:
    """Whether "Which ... is ...?" names one thing, and what follows is said of that thing."""
    if _MASS.search(which["noun"]) or not _is_property(which["rest"]):
        return False
    if which["rest"].lower().removeprefix("is ").startswith(PLACES):
        return True
    return singular(which["noun"].lower()) in {singular(noun) for noun in nouns} | GENERAL


def _is_property(rest: str) -> bool:
    """`is left of the bus`, `has wheels`, not `is the man riding`, `can you see`."""
    verb, _, after = rest.lower().partition(" ")
    if verb == "is":
        return after.startswith(
            (*PLACES, "nearest", "closest", "farthest", "furthest", "highest", "lowest")
        )
    return not re.match(r"(?:you|we|i|one|the|an?|this|each|he|she|it|they)\b", after)


def _count(many: re.Match[str], answer: str) -> str:
    """`there are 3 dogs`, `3 dogs are left of the bus`."""
    noun = singular(many["what"].lower())
    number = int(answer)
    if _PLAINLY.fullmatch(many["rest"]):
        return f"there {be(number != 1)} {counted(number, noun)}"
    rest = re.sub(r"^(?:there|you see)\s+", "", many["rest"])
    if (
        many["verb"].lower() not in ("is", "are")
        or not rest.startswith(PLACES)
        or len(noun.split()) > 3
    ):
        return ""
    return f"{counted(number, noun)} {Predicate('be', rest).say(number != 1)}"
