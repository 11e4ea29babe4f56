"""Whether a clause says what the trace says, or has it turned round.

Sides, sizes, numbers against each other, yes and no: a language model that rewrites a trace slips
here, and every name, number and box of the wrong sentence still occurs in the trace.  Each word is
held against the facts of the followed run (`facts`).  What no fact speaks of is UNCHECKED: neither
supported nor contradicted, and counted as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from workbench.rationalize.check.directions import BOX, Pointing, denies, pointings, stems_of
from workbench.rationalize.check.facts import (
    DirectionFact,
    PropertyFact,
    TraceFacts,
    asked_directions,
)

_COMPARED = re.compile(
    r"\b(?P<word>as many|more|fewer|less) (?P<one>[^,.;]+?) (?:as|than) (?P<other>[^,.;]+)"
)
_THERE = re.compile(
    r"\b(?:there (?:is|are)|(?:image|picture) shows) (?P<not>not )?(?P<number>no|an?|\d+|[a-z]+) "
    r"(?P<what>[^,.;§]+?)(?=,| at §|[.;]| in the (?:image|picture|region)| and the answer|$)"
)
_PAIR = re.compile(r'(?:answer to|answers) "(?P<question>[^"]+)" (?:is|with) "(?P<answer>[^"]*)"')
_ANSWER = re.compile(r"(?:, and |thus, )?the answer is:? .*$", re.DOTALL)
_EVERY = re.compile(r"\b(?:all|both|every|each)\b")
_NUMBERED = re.compile(r"\bthere (?:is|are) (?:no|\d+|an?) ")
_NONE_THERE = re.compile(r"\bthere (?:is|are) (?:no|0) ")
_ORDERS = ("more", "fewer", "less", "as many")
_SIGNS = {"more": (1,), "fewer": (-1,), "less": (-1,), "as many": (0,)}


@dataclass(frozen=True, slots=True)
class CheckedClause:
    """A piece of a sentence without quoted text, its boxes set apart."""

    text: str
    """In lower case, each box as `§` and its place in `boxes`."""
    boxes: tuple[str, ...]
    """Boxes of the whole sentence, on the grid."""
    last: bool
    """Whether it stands in the conclusion, which may repeat the question."""

    @property
    def own(self) -> frozenset[str]:
        """The boxes that stand in this piece."""
        return frozenset(self.boxes[int(place)] for place in BOX.findall(self.text))


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that a clause says, held against the facts."""

    holds: bool | None
    """None where no fact speaks of it."""
    what: str
    """The words that it is about."""


class ClauseCheck:
    """Holds clauses against the facts of a run.

    Args:
        facts: of the run.
        question: the question that the run answers.
        answer: its answer.
    """

    def __init__(self, facts: TraceFacts, question: str, answer: str) -> None:
        self.facts = facts
        self.question = question.lower()
        self.answer = answer.strip().lower()
        self._asked = tuple(asked_directions(question))

    def judge(self, clause: CheckedClause) -> list[Judged]:
        """Everything that a clause says and that can be turned round."""
        clause = replace(clause, text=_ANSWER.sub("", clause.text))
        judged = [self._direction(one, clause) for one in pointings(clause.text)]
        judged += self._comparisons(clause)
        if not judged:
            judged = [*self._properties(clause), *self._presence(clause)]
        if not any(one.holds is not None for one in judged):
            echo = self._restated(clause) if clause.last else None
            echo = echo or self._echoed(clause)
            if echo is not None:
                return [echo]
        if not judged and denies(clause.text):
            judged = [Judged(None, clause.text)]
        return judged

    # --- directions

    def _direction(self, one: Pointing, clause: CheckedClause) -> Judged:
        facts = [fact for fact in self.facts.directions if fact.axis == one.axis]
        boxes = {clause.boxes[place] for place in one.boxes if place < len(clause.boxes)}
        settled = [fact for fact in facts if fact.truth is not None]
        choose = _superlatives if one.superlative else _relations
        if fitting := choose(one, settled, boxes):
            return Judged(_agrees(one, fitting, clause, bool(boxes)), one.word)
        questions = [fact for fact in facts if fact.truth is None]
        if clause.last:
            questions += [fact for fact in self._asked if fact.axis == one.axis]
        return Judged(self._is_echo(one, questions), one.word)

    def _is_echo(self, one: Pointing, questions: Sequence[DirectionFact]) -> bool | None:
        """Whether a direction is that of a question; None where no question has one."""
        if not questions:
            return None
        near = [fact for fact in questions if not fact.other or fact.other & one.after]
        return any(self._echoes(one, fact) for fact in near or questions)

    def _echoes(self, one: Pointing, fact: DirectionFact) -> bool:
        """Whether a direction is as it was asked; a yes, a no or a 0 may deny it."""
        free = self.answer in ("yes", "no", "0", "none")
        return fact.way == one.way and (free or fact.denied == one.denied)

    # --- numbers against each other

    def _comparisons(self, clause: CheckedClause) -> Iterator[Judged]:
        for match in _COMPARED.finditer(clause.text):
            one, other = stems_of(match["one"]), stems_of(match["other"])
            denied = denies(clause.text[: match.start()])
            signs = {
                (first > second) - (first < second)
                for first in self._numbers(one)
                for second in self._numbers(other)
            }
            if signs:
                holds = bool(signs & set(_SIGNS[match["word"]]))
                yield Judged(holds != denied, match[0])
            else:
                yield Judged(self._as_asked(match["word"], one | other, denied), match[0])

    def _numbers(self, stems: frozenset[str]) -> set[int]:
        return {number for names, number in self.facts.counts if names and names <= stems}

    def _as_asked(self, word: str, stems: frozenset[str], denied: bool) -> bool | None:
        """Whether a model said so when it was asked about these two groups."""
        for question, answer in self.facts.answers:
            low, reply = question.lower(), answer.lower()
            if not stems <= stems_of(low) or reply not in ("yes", "no"):
                continue
            if re.search(rf"\b{word}\b", low):
                return (reply == "yes") != denied
            if reply == "yes" and _orders(low):
                return denied  # there are fewer, so that there are not more
        return None

    # --- properties and presence

    def _properties(self, clause: CheckedClause) -> Iterator[Judged]:
        stems = stems_of(clause.text)
        groups: dict[frozenset[str], list[PropertyFact]] = {}
        for fact in self.facts.properties:
            if fact.words <= stems and (fact.box in clause.own or fact.one & stems):
                groups.setdefault(fact.words, []).append(fact)
        for words, facts in groups.items():
            if any(words < longer for longer in groups):
                continue
            yield Judged(_has(clause, facts), clause.text)

    def _presence(self, clause: CheckedClause) -> Iterator[Judged]:
        for match in _THERE.finditer(clause.text):
            if match["number"] in ("more", "fewer", "as"):
                continue
            stems = stems_of(match["what"])
            there = {
                truth != (inner != denies(match["what"]))
                for names, inner, truth in self.facts.presence
                if names and names == stems
            }
            if there:
                absent = match["number"] in ("no", "0") or match["not"] is not None
                yield Judged((not absent) in there, match[0])

    def _restated(self, clause: CheckedClause) -> Judged | None:
        """A conclusion that is the question as a statement agrees with the answer."""
        if self.answer not in ("yes", "no"):
            return None
        stems = stems_of(clause.text)
        same = stems and stems <= stems_of(self.question)
        if not same or _orders(clause.text) != _orders(self.question):
            return None
        positive = denies(clause.text) == denies(self.question)
        return Judged(positive == (self.answer == "yes"), clause.text)

    def _echoed(self, clause: CheckedClause) -> Judged | None:
        """An open question as a statement, with its answer: it denies what the question denies."""
        pairs = [*self.facts.answers, *([(self.question, self.answer)] if clause.last else [])]
        for question, answer in pairs:
            rest = stems_of(clause.text) - stems_of(answer)
            if answer.lower() in ("yes", "no") or not rest or not rest <= stems_of(question):
                continue
            free = answer.lower() in ("0", "none")
            return Judged(free or denies(clause.text) == denies(question.lower()), clause.text)
        return None


def turned_pairs(text: str, facts: TraceFacts) -> Iterator[Judged]:
    """`The answer to "Q" is "A"`: A is what was answered to Q.

    Args:
        text: a sentence, with its quotes.
        facts: of the run.
    """
    for match in _PAIR.finditer(text):
        answers = {a.lower() for q, a in facts.answers if q.lower() == match["question"].lower()}
        if answers:
            yield Judged(match["answer"].lower() in answers, match[0])


def _orders(text: str) -> set[str]:
    return {word for word in (*_ORDERS, "all", "both") if re.search(rf"\b{word}\b", text)}


def _superlatives(
    one: Pointing, settled: Sequence[DirectionFact], boxes: set[str]
) -> list[DirectionFact]:
    facts = [fact for fact in settled if fact.superlative]
    boxed = [fact for fact in facts if fact.box in boxes]
    goal = [fact for fact in facts if fact.other and fact.other & one.after]
    return boxed or goal or facts


def _relations(
    one: Pointing, settled: Iterable[DirectionFact], boxes: set[str]
) -> list[DirectionFact]:
    """The facts about the two things of a relation, either way round."""
    fitting = []
    for fact in settled:
        if fact.superlative:
            continue
        if fact.other & one.after or not fact.other:
            fitting.append(fact)
        elif fact.one & one.after and fact.other & one.before:
            fitting.append(replace(fact, way=-fact.way, box=""))
    boxed = [fact for fact in fitting if fact.box and fact.box in boxes]
    named = [fact for fact in fitting if fact.one & one.before]
    return boxed or named or fitting


def _agrees(
    one: Pointing, facts: Sequence[DirectionFact], clause: CheckedClause, boxed: bool
) -> bool:
    """Whether a direction is what the facts say."""
    if one.superlative:
        return any((fact.way == one.way) != one.denied for fact in facts)
    if clause.text.startswith(("not all", "thus, not all")):
        return any(fact.way == one.way and fact.truth is False for fact in facts)
    if all(fact.way != one.way and fact.truth == one.denied for fact in facts):
        return True  # `right of` where the program found that it is not `left of`
    fits = [_fits(one, fact, clause) for fact in facts]
    if (boxed and all(fact.box for fact in facts)) or _EVERY.search(clause.text):
        return all(fits)
    return any(fits)


def _fits(one: Pointing, fact: DirectionFact, clause: CheckedClause) -> bool:
    if fact.way != one.way:
        return False
    if fact.number is None:
        return fact.truth != one.denied
    if one.denied:
        return fact.truth is False or fact.number == 0
    none = re.search(r"\b0 ", clause.text) is not None
    return fact.truth is True and (fact.number > 0 or none)


def _has(clause: CheckedClause, facts: Sequence[PropertyFact]) -> bool:
    """Whether a property is said of things as the facts have it."""
    denied = denies(clause.text)
    boxed = [fact for fact in facts if fact.box in clause.own]
    if boxed:
        return all(fact.truth != denied for fact in boxed)
    groups = [fact for fact in facts if not fact.box]
    if groups and _NUMBERED.search(clause.text):
        return _some_have(clause.text, groups, denied)
    return _some_have(clause.text, facts, denied)


def _some_have(text: str, facts: Sequence[PropertyFact], denied: bool) -> bool:
    """Whether all, some or none of several things have a property, as a clause says.

    Args:
        text: of the clause.
        facts: about the things.
        denied: whether the clause is negative.
    """
    if _NONE_THERE.search(text):
        return not any(fact.truth for fact in facts)
    if "not all" in text:
        return any(not fact.truth for fact in facts)
    if _EVERY.search(text) and not denied:
        single = [fact for fact in facts if fact.box]
        return all(fact.truth for fact in single)
    return any(fact.truth != denied for fact in facts)
