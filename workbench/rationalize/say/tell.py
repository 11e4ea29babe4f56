"""Claims as sentences: what belongs together is said together, and boxes only where they matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    Reported,
    StoryEntry,
    ToolText,
    Truth,
    VisualAnswer,
)
from workbench.rationalize.claims.clauses import Predicate, capital
from workbench.rationalize.claims.statements import about_picture, about_thing
from workbench.rationalize.say.naming import Names, one, plural

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
    """Turns entries into sentences; keeps what has been named and what not."""

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
        claims = [entry.claim for entry in topic.entries]
        first = claims[0]
        if topic.key[0] == "absent":
            return [self._absent(claims)]
        if isinstance(first, Found):
            return [self._found(first)]
        if isinstance(first, Exists):
            return [f"there is {a(first.noun)} {self.names.within(first.within)}"]
        if isinstance(first, Holds):
            return self._holds([claim for claim in claims if isinstance(claim, Holds)])
        if isinstance(first, VisualAnswer):
            return self._answered([claim for claim in claims if isinstance(claim, VisualAnswer)])
        if isinstance(first, GeneralKnowledge):
            return self._known([claim for claim in claims if isinstance(claim, GeneralKnowledge)])
        if isinstance(first, Extreme):
            return [self.names.extreme(first)]
        if isinstance(first, CountComparison):
            return [self.compared(first, numbers=True)]
        if isinstance(first, HowMany):
            return (
                [self.names.counted(first.group)]
                if first.group.where and not self._counts(first)
                else []
            )
        if isinstance(first, Fits):
            return [self._fits(claim) for claim in claims if isinstance(claim, Fits)]
        return [self._reported(claim) for claim in claims if isinstance(claim, Reported)]

    # --- each kind of claim ---

    def _found(self, claim: Found) -> str:
        number = claim.number
        within = self.names.within(claim.within)
        noun = one(claim.noun) if number == 1 else plural(claim.noun)
        head = f"there {'is' if number == 1 else 'are'} {number} {noun} {within}"
        told_later = number > 1 and (
            set(claim.patches) & self._described or number != len(claim.patches)
        )
        boxes = "" if told_later else self.names.boxes(claim.patches)
        return f"{head}, at {boxes}" if boxes else head

    def _absent(self, claims: Sequence[Claim]) -> str:
        nouns = dict.fromkeys(claim.noun for claim in claims if isinstance(claim, Found | Exists))
        first = claims[0]
        within = self.names.within(first.within if isinstance(first, Found | Exists) else None)
        return f"there is {join([f'no {one(noun)}' for noun in nouns])} {within}"

    def _holds(self, claims: Sequence[Holds]) -> list[str]:
        noun, predicate = claims[0].one.noun, claims[0].predicate
        sides: dict[bool, list[Patch]] = {}
        for claim in claims:
            sides.setdefault(claim.truth, []).append(claim.one.patch)
        total = sum(map(len, sides.values()))
        every = total == self.names.all_of(noun)
        yes = sides.get(True, [])
        if every and total > 1 and len(sides) == 1:
            truth, patches = next(iter(sides.items()))
            return [self._whole(noun, patches, predicate, truth)]
        computed = bool(
            predicate.refs
        )  # where things lie, the reader can see: those that do not fit go without saying
        if every and total > 1 and (computed or total > 6):
            boxes = self.names.boxes(yes)
            named = f"{len(yes)} of the {total} {plural(noun)}" + (
                f", at {boxes}," if boxes else ""
            )
            texts = [f"{named} {self.names.predicate(predicate, len(yes) > 1, True)}"]
        else:
            told = {True: yes} if computed and yes else sides
            texts = [self._side(noun, patches, predicate, truth) for truth, patches in told.items()]
        if len(yes) == 1 and (computed or total > 1):
            self.names.call(
                NamedPatch(yes[0], noun),
                f"{one(noun)} {self.names.predicate(predicate, False, True, hang=True)}",
            )
        return texts

    def _side(self, noun: str, patches: list[Patch], predicate: Predicate, truth: bool) -> str:
        many = len(patches) > 1
        return f"{self.names.several(noun, patches)} {self.names.predicate(predicate, many, truth)}"

    def _whole(self, noun: str, patches: list[Patch], predicate: Predicate, truth: bool) -> str:
        number = len(patches)
        new = not all(self.names.told(patch) for patch in patches)
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

    def _answered(self, claims: Sequence[VisualAnswer]) -> list[str]:
        by_answer: dict[str, list[VisualAnswer]] = {}
        for claim in claims:
            by_answer.setdefault(claim.answer, []).append(claim)
        return [self._answer(answer, same) for answer, same in by_answer.items()]

    def _answer(self, answer: str, claims: Sequence[VisualAnswer]) -> str:
        question, thing = claims[0].question, claims[0].one
        things = [claim.one.patch for claim in claims if claim.one is not None]
        many = len(things) > 1
        subject = self.names.several(thing.noun, things) if thing is not None else ""
        if thing is not None and (said := about_thing(question, answer, thing.noun, many)):
            return f"{subject} {said}"
        if thing is None and (said := about_picture(question, answer, self._nouns)):
            return said.replace("there is ", "the image shows ", 1).replace(
                "there are ", "the image shows ", 1
            )
        about = f"for {subject}, " if subject else ""
        return f'{about}the answer to "{question}" is "{answer}"'

    def _known(self, claims: Sequence[GeneralKnowledge]) -> list[str]:
        said = [claim.statement for claim in claims if claim.statement is not None]
        if not said:
            return [
                f'common knowledge answers "{claim.question}" with "{claim.answer}"'
                for claim in claims
            ]
        if len(said) == 1:
            return [said[0].say(claims[0].truth)]
        subjects = join(list(dict.fromkeys(statement.subject for statement in said)))
        return [f"{subjects} {said[0].predicate.say(True, claims[0].truth)}"]

    def _fits(self, claim: Fits) -> str:
        subject = self.names.the(claim.one) if claim.one is not None else "the image"
        return f'{subject} is best described as "{claim.answer}"'

    def _reported(self, claim: Reported) -> str:
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

    def compared(self, claim: CountComparison, numbers: bool) -> str:
        """`there are more cats (3) than dogs (1)`."""
        first, second = len(claim.first.patches), len(claim.second.patches)
        if first == second:
            each = f" ({first} each)" if numbers else ""
            return f"there are as many {self.names.group(claim.first, 2)} as {self.names.group(claim.second, 2)}{each}"
        word = "more" if first > second else "fewer"
        left, right = (f" ({first})", f" ({second})") if numbers else ("", "")
        return f"there are {word} {self.names.group(claim.first, 2)}{left} than {self.names.group(claim.second, 2)}{right}"

    def statement(self, claim: Claim) -> str:
        """A claim as a clause of the conclusion; '' where it has no short form."""
        if isinstance(claim, Holds):
            return f"{self.names.the(claim.one, box=False)} {self.names.predicate(claim.predicate, False, claim.truth)}"
        if isinstance(claim, Exists):
            what = a(claim.noun) if claim.truth else f"no {one(claim.noun)}"
            return f"there is {what} {self.names.within(claim.within)}"
        if isinstance(claim, HowMany):
            return self._present(claim.group)
        if isinstance(claim, CountComparison):
            return self.compared(claim, numbers=False)
        if isinstance(claim, GeneralKnowledge) and claim.statement is not None:
            return claim.statement.say(claim.truth)
        return ""

    def _counts(self, claim: HowMany) -> bool:
        """Sentences about each of the things make the count plain."""
        return any(
            isinstance(entry.claim, Holds) and entry.claim.one.noun == claim.group.noun
            for entry in self.entries
        )

    def _present(self, group: Group) -> str:
        if group.patches:
            return self.names.counted(group)
        return f"there is no {one(group.noun)}{self.names.where(group.where, False) or ' in the image'}"


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
        said = claim.statement
        return (
            ("known", claim.truth, said.predicate)
            if said is not None and said.subject != "there"
            else ("known", claim)
        )
    if isinstance(claim, Reported):
        return ("reported", claim.tool)
    if isinstance(claim, Fits):
        return ("fits", claim.one and claim.one.noun)
    return (claim,)


def _members(claim: Claim) -> list[Patch]:
    if isinstance(claim, Holds | Extreme):
        return [claim.one.patch]
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
    return (
        claim.adjective
        if isinstance(claim, Extreme)
        else claim.predicate.rest
        if isinstance(claim, Holds)
        else ""
    )


def _is_depth(claim: Claim) -> bool:
    return isinstance(claim, Reported) and claim.tool == "compute_depth"
