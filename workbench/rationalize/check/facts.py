"""What a run says of directions, numbers and properties, as facts that a sentence is held against.

They are read off the program as it was followed through the trace: the key by which it sorted and
which end it took, the comparison that it made and the branch that was taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.rationalize.check.directions import WAYS, denies, pointings, stems_of
from workbench.rationalize.claims.claims import (
    Claim,
    Clause,
    Count,
    CountComparison,
    Exists,
    Extreme,
    Found,
    GeneralKnowledge,
    Group,
    Holds,
    HowMany,
    NamedPatch,
    ToolText,
    Truth,
    VisualAnswer,
)
from workbench.rationalize.claims.clauses import Predicate
from workbench.rationalize.follow.follow import Followed


@dataclass(frozen=True, slots=True)
class DirectionFact:
    """Something points one way, or does not."""

    axis: str
    way: int
    truth: bool | None
    """Whether it holds; None where a text only asks about it."""
    one: frozenset[str]
    """Stems of what it is said of; empty where that is not known."""
    box: str
    """Box of that thing on the grid; '' for several things or none."""
    other: frozenset[str]
    """Stems of the other thing; empty for a superlative."""
    superlative: bool
    number: int | None = None
    """How many things it is said of, for a group that was counted."""
    denied: bool = False
    """Whether the text that asks about it has a negation before it."""


@dataclass(frozen=True, slots=True)
class PropertyFact:
    """Something has a property, or has not."""

    one: frozenset[str]
    """Stems of the thing's noun; empty where it has none."""
    box: str
    words: frozenset[str]
    """Stems of the property."""
    truth: bool


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """Everything that sentences are held against."""

    directions: tuple[DirectionFact, ...]
    properties: tuple[PropertyFact, ...]
    counts: tuple[tuple[frozenset[str], int], ...]
    """Stems of each group of things that was counted, with its number."""
    answers: tuple[tuple[str, str], ...]
    """Each question that a model was asked, with its answer."""
    presence: tuple[tuple[frozenset[str], bool, bool], ...]
    """Stems of what was looked for, whether its description is a negative one (`object that cannot
    fly`), and whether it is there.
    """


def facts_of(followed: Followed) -> TraceFacts:
    """The facts of a followed run."""
    claims = list(_claims(followed))
    answers = [
        (claim.question, claim.answer)
        for claim in claims
        if isinstance(claim, VisualAnswer | GeneralKnowledge)
    ]
    questions = [fact for question, _ in answers for fact in asked_directions(question)]
    return TraceFacts(
        (*(fact for claim in claims for fact in _directions(claim)), *questions),
        tuple(fact for claim in claims for fact in _properties(claim)),
        tuple(pair for claim in claims for pair in _counts(claim)),
        tuple(answers),
        tuple(pair for claim in claims for pair in _presence(claim)),
    )


def _claims(followed: Followed) -> Iterator[Claim]:
    """Every claim of the run, and what its answer means."""
    for entry in followed.story.entries:
        yield entry.claim
    about = followed.answer.about
    if isinstance(about, Count):
        yield HowMany(about.group)
    elif isinstance(about, Group):
        yield HowMany(about)
    elif isinstance(about, Truth):
        yield from (item.claim for item in about.items if item.claim is not None)
    elif isinstance(about, ToolText) and about.item is not None and about.item.claim is not None:
        yield about.item.claim


def _directions(claim: Claim) -> Iterator[DirectionFact]:
    match claim:
        case Holds():
            yield from _of_predicate(claim.one, claim.predicate, claim.truth)
        case Extreme():
            yield from _of_extreme(claim)
        case HowMany():
            yield from _of_group(claim.group)
        case CountComparison():
            yield from _of_group(claim.first)
            yield from _of_group(claim.second)
        case Exists() | Found():
            yield from asked_directions(claim.noun)


def _of_predicate(
    one: NamedPatch | None,
    predicate: Predicate,
    truth: bool,
    noun: str = "",
    number: int | None = None,
) -> Iterator[DirectionFact]:
    """The direction in a predicate; the things that it names stand in for its refs."""
    text = predicate.rest
    for place, ref in enumerate(predicate.refs):
        text = text.replace(f"{{{place}}}", f"the {ref.noun}")
    for pointing in pointings(f"{text} "):
        # Where the program's words name no other thing, everything behind the word is one.
        yield DirectionFact(
            pointing.axis,
            pointing.way,
            truth != pointing.denied,
            names_of(one) if one is not None else stems_of(noun),
            one.patch.grid if one is not None else "",
            pointing.after,
            False,
            number,
        )


def _of_extreme(claim: Extreme) -> Iterator[DirectionFact]:
    word = claim.adjective.split()[0]
    if word not in WAYS:  # the first of those that were found: no direction
        yield from _of_group(claim.group)
        return
    axis, way = WAYS[word]
    if "camera" in claim.adjective:
        axis = "depth"
    other = names_of(claim.towards) if claim.towards is not None else frozenset[str]()
    yield DirectionFact(
        axis, way, True, names_of(claim.one), claim.one.patch.grid, other, True, None
    )
    yield from _of_group(claim.group)


def _of_group(group: Group) -> Iterator[DirectionFact]:
    for predicate, truth in group.where:
        yield from _of_predicate(None, predicate, truth, group.noun, len(group.patches))


def asked_directions(text: str) -> Iterator[DirectionFact]:
    """Directions that a text asks about: nothing is known yet of whether they hold."""
    for pointing in pointings(text.lower()):
        yield DirectionFact(
            pointing.axis,
            pointing.way,
            None,
            frozenset(),
            "",
            pointing.after,
            pointing.superlative,
            None,
            pointing.denied,
        )


def names_of(one: NamedPatch) -> frozenset[str]:
    """Stems of the names of a thing: the program's and the detector's."""
    return stems_of(f"{one.noun} {one.patch.label or ''}")


def _properties(claim: Claim) -> Iterator[PropertyFact]:
    if isinstance(claim, Holds) and _is_property(claim.predicate):
        words = stems_of(_words_of(claim.predicate))
        if words:
            yield PropertyFact(names_of(claim.one), claim.one.patch.grid, words, claim.truth)
    elif isinstance(claim, GeneralKnowledge) and claim.statement is not None:
        sentence = claim.statement
        words = stems_of(_words_of(sentence.predicate))
        if words and sentence.subject != "there":
            yield PropertyFact(stems_of(sentence.subject), "", words, claim.truth)
    elif isinstance(claim, HowMany | CountComparison | Extreme):
        for group in _groups(claim):
            yield from _of_clauses(group.noun, group.where)


def _of_clauses(noun: str, where: Sequence[Clause]) -> Iterator[PropertyFact]:
    for predicate, truth in where:
        if _is_property(predicate) and (words := stems_of(_words_of(predicate))):
            yield PropertyFact(stems_of(noun), "", words, truth)


def _is_property(predicate: Predicate) -> bool:
    """Whether a predicate is about its thing alone, and not about a place beside another."""
    return not predicate.refs and not any(pointings(f"{predicate.rest} "))


def _groups(claim: HowMany | CountComparison | Extreme) -> tuple[Group, ...]:
    if isinstance(claim, CountComparison):
        return claim.first, claim.second
    return (claim.group,)


def _words_of(predicate: Predicate) -> str:
    """The words of a predicate: `have wheels`, `yellow`, `fly`."""
    verb = predicate.verb if predicate.verb not in ("be", "have") else ""
    return f"{verb} {predicate.rest}"


def _counts(claim: Claim) -> Iterator[tuple[frozenset[str], int]]:
    if isinstance(claim, Found):
        yield stems_of(claim.noun), claim.number
    elif isinstance(claim, HowMany | CountComparison):
        for group in _groups(claim):
            yield stems_of(group.noun), len(group.patches)


def _presence(claim: Claim) -> Iterator[tuple[frozenset[str], bool, bool]]:
    if isinstance(claim, Found):
        yield stems_of(claim.noun), denies(claim.noun), claim.number > 0
    elif isinstance(claim, Exists):
        yield stems_of(claim.noun), denies(claim.noun), claim.truth
