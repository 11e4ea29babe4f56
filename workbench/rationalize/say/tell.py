"""Claims as sentences: what belongs together is said together, and boxes only where they matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.english import a, join
from workbench.rationalize.claims.claims import (
    Claim,
    CountComparison,
    Exists,
    Extreme,
    Fits,
    Found,
    GeneralKnowledge,
    Group,
    Holds,
    HowMany,
    Meaning,
    NamedPatch,
    Patch,
    Pictured,
    Reported,
    StoryEntry,
    ToolText,
    Truth,
    VisualAnswer,
)
from workbench.rationalize.claims.clauses import Predicate, capital
from workbench.rationalize.claims.grammar import be, counted, one, plural
from workbench.rationalize.claims.statements import about_picture, about_thing
from workbench.rationalize.say.naming import Names
from workbench.rationalize.say.picture_steps import picture_step

MAX_SENTENCES = 14
"""Most sentences before the conclusion."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and the `seq` numbers of the events behind it."""

    text: str
    events: tuple[int, ...]


@dataclass(slots=True)
class _Topic:
    """Claims that are said in one go."""

    key: tuple[object, ...]
    entries: list[StoryEntry] = field(default_factory=list)


class Teller:
    """Turns the entries of a story into sentences, and remembers what they have named.

    Args:
        entries: the claims to tell, in order.
        answer: what the answer means; things in it are named by the conclusion.
        nouns: names of things that occur in the run.
    """

    def __init__(
        self,
        entries: Sequence[StoryEntry],
        answer: Meaning | None = None,
        nouns: Sequence[str] = (),
    ) -> None:
        self._nouns = nouns
        depth = any("camera" in _words(entry.claim) for entry in entries)
        self.entries = [e for e in entries if not (depth and _is_depth(e.claim))]
        claims = [entry.claim for entry in self.entries]
        self.names = Names(
            (claim for claim in claims if isinstance(claim, Found)),
            (
                claim.one.patch
                for claim in claims
                if isinstance(claim, VisualAnswer | Fits) and claim.one is not None
            ),
        )
        self._described = {patch for claim in claims for patch in _members(claim)} | set(
            _in_answer(answer)
        )

    def sentences(self) -> list[Sentence]:
        """Every claim told, at most `MAX_SENTENCES` sentences."""
        out: list[Sentence] = []
        for topic in self._topics():
            events = tuple(sorted({seq for entry in topic.entries for seq in entry.events}))
            texts = self._topic(topic)
            out += [Sentence(capital(text), events) for text in texts if text]
        return out[:MAX_SENTENCES]

    def _topics(self) -> list[_Topic]:
        topics: dict[tuple[object, ...], _Topic] = {}
        last: tuple[object, ...] = ()
        for number, entry in enumerate(self.entries):
            key = _key(entry.claim)
            if key == ("absent", None) and last[:2] != ("absent", None):
                key = ("absent", None, number)  # only neighbours are said together
            elif key == ("absent", None):
                key = last
            topics.setdefault(key, _Topic(key)).entries.append(entry)
            last = key
        return list(topics.values())

    def _topic(self, topic: _Topic) -> list[str]:
        """The sentences of a topic, whose claims are all of one class."""
        claims: list[Any] = [entry.claim for entry in topic.entries]
        if topic.key[0] == "absent":
            return [self._absent(claims)]
        match claims[0]:
            case Holds():
                return self._properties(claims)
            case VisualAnswer():
                return self._visual_answers(claims)
            case GeneralKnowledge():
                return self._general_knowledge(claims)
            case Fits() | Reported() | Pictured():
                return [self._one(claim) for claim in claims]
        return [self._one(claims[0])]

    def _one(self, claim: Claim) -> str:
        """A claim that is said alone; '' where it need not be said."""
        match claim:
            case Found():
                return self._detection(claim)
            case Exists():
                return f"there is {a(claim.noun)} {self.names.within(claim.within)}"
            case Extreme():
                return self.names.extreme(claim)
            case CountComparison():
                return self.comparison(claim, numbers=True)
            case HowMany() if claim.group.where and not self._counts(claim):
                return self.names.count_clause(claim.group)
            case Fits():
                return self._fits(claim)
            case Reported():
                return self._report(claim)
            case Pictured():
                return picture_step(claim, self.names)
        return ""

    # --- each kind of claim ---

    def _detection(self, claim: Found) -> str:
        number = claim.number
        within = self.names.within(claim.within)
        head = f"there {be(number != 1)} {counted(number, claim.noun)} {within}"
        # Boxes that a later sentence tells, or of which the trace shows a part, are left out here.
        later = set(claim.patches) & self._described or number != len(claim.patches)
        boxes = "" if number > 1 and later else self.names.boxes(claim.patches, claim.within)
        return f"{head}, at {boxes}" if boxes else head

    def _absent(self, claims: Sequence[Claim]) -> str:
        nouns = dict.fromkeys(claim.noun for claim in claims if isinstance(claim, Found | Exists))
        first = claims[0]
        within = self.names.within(first.within if isinstance(first, Found | Exists) else None)
        return f"there is {join([f'no {one(noun)}' for noun in nouns])} {within}"

    def _properties(self, claims: Sequence[Holds]) -> list[str]:
        """For which things of a noun a predicate holds, and for which it does not."""
        noun, predicate = claims[0].one.noun, claims[0].predicate
        sides: dict[bool, list[Patch]] = {}
        for claim in claims:
            sides.setdefault(claim.truth, []).append(claim.one.patch)
        total = sum(map(len, sides.values()))
        every = total > 1 and total == self.names.all_of(noun)
        yes = sides.get(True, [])
        if every and len(sides) == 1:
            truth, patches = next(iter(sides.items()))
            return [self._whole(noun, patches, predicate, truth)]
        # Where things lie, the reader can see: those that do not fit go without saying.
        is_place = bool(predicate.refs)
        if every and (is_place or total > 6):
            texts = [self._share(noun, yes, total, predicate)]
        else:
            parts = {True: yes} if is_place and yes else sides
            texts = [
                self._side(noun, patches, predicate, truth) for truth, patches in parts.items()
            ]
        if len(yes) == 1 and (is_place or total > 1):
            clause = self.names.predicate(predicate, False, True, hang=True)
            self.names.call(NamedPatch(yes[0], noun), f"{one(noun)} {clause}")
        return texts

    def _share(self, noun: str, patches: list[Patch], total: int, predicate: Predicate) -> str:
        boxes = self.names.boxes(patches)
        at = f", at {boxes}," if boxes else ""
        clause = self.names.predicate(predicate, len(patches) > 1, True)
        return f"{len(patches)} of the {total} {plural(noun)}{at} {clause}"

    def _side(self, noun: str, patches: list[Patch], predicate: Predicate, truth: bool) -> str:
        many = len(patches) > 1
        return f"{self.names.several(noun, patches)} {self.names.predicate(predicate, many, truth)}"

    def _whole(self, noun: str, patches: list[Patch], predicate: Predicate, truth: bool) -> str:
        number = len(patches)
        new = not all(self.names.has_box(patch) for patch in patches)
        boxes = self.names.boxes(patches) if new else ""
        at = f", at {boxes}," if boxes else ""
        if truth:
            head = f"both {plural(noun)}" if number == 2 else f"all {number} {plural(noun)}"
            return f"{head}{at} {self.names.predicate(predicate, True, True)}"
        head = (
            f"neither of the 2 {plural(noun)}"
            if number == 2
            else f"none of the {number} {plural(noun)}"
        )
        return f"{head}{at} {self.names.predicate(predicate, False, True)}"

    def _visual_answers(self, claims: Sequence[VisualAnswer]) -> list[str]:
        by_answer: dict[str, list[VisualAnswer]] = {}
        for claim in claims:
            by_answer.setdefault(claim.answer, []).append(claim)
        return [self._answer(answer, same) for answer, same in by_answer.items()]

    def _answer(self, answer: str, claims: Sequence[VisualAnswer]) -> str:
        question, thing = claims[0].question, claims[0].one
        things = [claim.one.patch for claim in claims if claim.one is not None]
        many = len(things) > 1
        subject = self.names.several(thing.noun, things) if thing is not None else ""
        if thing is not None and (text := about_thing(question, answer, thing.noun, many)):
            return f"{subject} {text}"
        if thing is None and (text := about_picture(question, answer, self._nouns)):
            for start in ("there is ", "there are "):
                text = text.replace(start, "the image shows ", 1)
            return text.replace(" shows 0 ", " shows no ")
        about = f"for {subject}, " if subject else ""
        return f'{about}the answer to "{question}" is "{answer}"'

    def _general_knowledge(self, claims: Sequence[GeneralKnowledge]) -> list[str]:
        sentences = [claim.statement for claim in claims if claim.statement is not None]
        if not sentences:
            return [
                f'common knowledge answers "{claim.question}" with "{claim.answer}"'
                for claim in claims
            ]
        if len(sentences) == 1:
            return [sentences[0].say(claims[0].truth)]
        subjects = join(list(dict.fromkeys(sentence.subject for sentence in sentences)))
        return [f"{subjects} {sentences[0].predicate.say(True, claims[0].truth)}"]

    def _fits(self, claim: Fits) -> str:
        subject = self.names.the(claim.one) if claim.one is not None else "the image"
        return f'{subject} is best described as "{claim.answer}"'

    def _report(self, claim: Reported) -> str:
        subject = self.names.the(claim.one) if claim.one is not None else "the image"
        if claim.tool == "image_caption":
            return f'{subject} is described as "{claim.text}"'
        if claim.tool == "read_text":
            return (
                f'the text in {subject} reads "{claim.text}"'
                if claim.text
                else f"there is no text in {subject}"
            )
        if claim.tool == "compute_depth":
            return f"{subject} lies at a depth of {claim.text}"
        if claim.tool == "best_image_match":
            return ""
        return f'{claim.tool} gives "{claim.text}" for {subject}' if claim.text else ""

    def comparison(self, claim: CountComparison, numbers: bool) -> str:
        """Two counts as a clause: `there are more cats (3) than dogs (1)`.

        Args:
            claim: the two groups.
            numbers: whether the counts are told.
        """
        first, second = len(claim.first.patches), len(claim.second.patches)
        these, those = self.names.group(claim.first, 2), self.names.group(claim.second, 2)
        if first == second:
            each = f" ({first} each)" if numbers else ""
            return f"there are as many {these} as {those}{each}"
        word = "more" if first > second else "fewer"
        left, right = (f" ({first})", f" ({second})") if numbers else ("", "")
        return f"there are {word} {these}{left} than {those}{right}"

    def statement(self, claim: Claim) -> str:
        """A claim as a clause of the conclusion; '' where it has no short form."""
        if isinstance(claim, Holds):
            return self._holds(claim)
        if isinstance(claim, Exists):
            what = a(claim.noun) if claim.truth else f"no {one(claim.noun)}"
            return f"there is {what} {self.names.within(claim.within)}"
        if isinstance(claim, HowMany):
            return self._present(claim.group)
        if isinstance(claim, CountComparison):
            return self.comparison(claim, numbers=False)
        if isinstance(claim, GeneralKnowledge) and claim.statement is not None:
            return claim.statement.say(claim.truth)
        return ""

    def _holds(self, claim: Holds) -> str:
        name = self.names.the(claim.one, box=False)
        hanging = self.names.predicate(claim.predicate, False, claim.truth, hang=True)
        if name.endswith(hanging):  # the object that can fly can fly
            return f"there is {a(claim.one.noun)} {hanging}"
        return f"{name} {self.names.predicate(claim.predicate, False, claim.truth)}"

    def _counts(self, claim: HowMany) -> bool:
        """Whether sentences about each of the things make a count plain."""
        return any(
            isinstance(entry.claim, Holds) and entry.claim.one.noun == claim.group.noun
            for entry in self.entries
        )

    def _present(self, group: Group) -> str:
        if group.patches:
            return self.names.count_clause(group)
        place = group.within if group.within is not None and group.within.patch.whole else None
        where = self.names.where(group.where, False) or f" {self.names.within(place)}"
        return f"there is no {one(group.noun)}{where}"


def _key(claim: Claim) -> tuple[object, ...]:
    if (isinstance(claim, Found) and not claim.patches) or (
        isinstance(claim, Exists) and not claim.truth
    ):
        return ("absent", None) if claim.within is None else ("absent", claim.within)
    if isinstance(claim, Holds):
        return ("holds", claim.one.noun, claim.predicate)
    if isinstance(claim, VisualAnswer):
        return ("answered", claim.one and claim.one.noun, claim.question)
    if isinstance(claim, GeneralKnowledge):
        sentence = claim.statement
        if sentence is None or sentence.subject == "there":
            return ("known", claim)
        return ("known", claim.truth, sentence.predicate)
    if isinstance(claim, Reported):
        return ("reported", claim.tool)
    if isinstance(claim, Fits):
        return ("fits", claim.one and claim.one.noun)
    return (claim,)


def _members(claim: Claim) -> list[Patch]:
    if isinstance(claim, Holds | Extreme):
        return [claim.one.patch]
    if isinstance(claim, Pictured):
        return [thing.patch for thing in (claim.one, *claim.things) if thing is not None]
    if isinstance(claim, VisualAnswer | Fits | Reported) and claim.one is not None:
        return [claim.one.patch]
    if isinstance(claim, Found | Exists) and claim.within is not None:
        return [claim.within.patch]
    return []


def _in_answer(answer: Meaning | None) -> list[Patch]:
    """Things that the conclusion will name."""
    if isinstance(answer, Truth):
        holds = [item.claim for item in answer.items if isinstance(item.claim, Holds)]
        return [
            patch
            for claim in holds
            for patch in (claim.one.patch, *(ref.patch for ref in claim.predicate.refs))
        ]
    return [answer.one.patch] if isinstance(answer, ToolText) and answer.one is not None else []


def _words(claim: Claim) -> str:
    if isinstance(claim, Extreme):
        return claim.adjective
    return claim.predicate.rest if isinstance(claim, Holds) else ""


def _is_depth(claim: Claim) -> bool:
    return isinstance(claim, Reported) and claim.tool == "compute_depth"
