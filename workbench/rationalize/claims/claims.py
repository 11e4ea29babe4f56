"""What a trace lets one say: patches, groups of them, and claims about them.

Claims are what becomes sentences.  Values (`Val`) are what the variables of the followed program
hold: the plain value that the trace shows, what it MEANS in the picture where that is known, and
the claims it rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.boxes import Box, grid_text
from workbench.english import ordinal
from workbench.rationalize.claims.clauses import Predicate
from workbench.rationalize.claims.statements import Statement


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a picture, in pixels of the whole picture."""

    box: Box
    width: int
    """Width of the whole picture, pixels."""
    height: int
    """Height of the whole picture, pixels."""
    label: str | None = field(default=None, compare=False)
    """The detector's name for the part."""
    picture: int | None = None
    """Which of the question's pictures, from 0; None where it has one."""

    @property
    def place(self) -> tuple[Box, int | None]:
        """Where the part is, whatever it is called."""
        return self.box, self.picture

    @property
    def picture_name(self) -> str:
        """The picture in prose: `the image`, or `the second picture` of several."""
        if self.picture is None:
            return "the image"
        return f"the {ordinal(self.picture + 1)} picture"

    @property
    def grid(self) -> str:
        """The box as `ymin xmin ymax xmax` on the 0-999 grid; '' without the picture's size."""
        return grid_text(self.box, self.width, self.height) if self.width > 0 < self.height else ""

    @property
    def whole(self) -> bool:
        """Whether the part is the whole picture."""
        return self.box.as_tuple() == (0, 0, self.width, self.height)


@dataclass(frozen=True, slots=True)
class NamedPatch:
    """One thing and the noun that the program uses for it."""

    patch: Patch
    noun: str


Clause = tuple[Predicate, bool]
"""A predicate and whether it holds."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number read off a patch: `x`, `y`, `area`, `width`, `height`, `depth`, `distance`."""

    kind: str
    one: NamedPatch
    towards: NamedPatch | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one noun, narrowed by clauses: `dogs left of the bus`."""

    noun: str
    patches: tuple[Patch, ...]
    where: tuple[Clause, ...] = ()
    of: tuple[Patch, ...] = ()
    """All the things from which the group was picked."""
    order: Measure | None = None
    """What the patches are sorted by (the measure of any of them)."""
    falling: bool = False
    """Sorted from the most to the least."""
    within: NamedPatch | None = None
    """Where the things were looked for; None for the whole picture."""

    def ones(self) -> list[NamedPatch]:
        """The things of the group, each with the group's noun."""
        return [NamedPatch(patch, self.noun) for patch in self.patches]


@dataclass(frozen=True, slots=True)
class Found:
    """A detector's answer: all the things of a noun inside a place."""

    noun: str
    patches: tuple[Patch, ...]
    within: NamedPatch | None
    """Where the detector looked; None for the whole picture."""
    number: int
    """How many there are; the trace may show fewer patches."""


@dataclass(frozen=True, slots=True)
class Exists:
    """A yes/no answer to whether something is there."""

    noun: str
    truth: bool
    within: NamedPatch | None
    """Where the tool looked; None for the whole picture."""
    by_model: bool = False
    """Whether a model said so when it was asked, instead of a detector."""


@dataclass(frozen=True, slots=True)
class Holds:
    """Something does or does not hold for one thing."""

    one: NamedPatch
    predicate: Predicate
    truth: bool


@dataclass(frozen=True, slots=True)
class VisualAnswer:
    """A visual answer to an open question."""

    question: str
    answer: str
    one: NamedPatch | None


@dataclass(frozen=True, slots=True)
class GeneralKnowledge:
    """An answer of general knowledge."""

    question: str
    answer: str
    statement: Statement | None
    """What the answer affirms or denies, where question and answer make a sentence."""
    truth: bool = True


@dataclass(frozen=True, slots=True)
class Extreme:
    """One thing that stands out of a group."""

    one: NamedPatch
    adjective: str
    """The superlative: `leftmost`, `largest`, `nearest`, ...; `first` or `last` of those found."""
    towards: NamedPatch | None
    """The other thing of `nearest` and `farthest`."""
    group: Group
    next: NamedPatch | None = None
    """The one that comes next; None where that is not known."""


@dataclass(frozen=True, slots=True)
class CountComparison:
    """Two counts beside each other."""

    first: Group
    second: Group


@dataclass(frozen=True, slots=True)
class HowMany:
    """A count that matters."""

    group: Group


@dataclass(frozen=True, slots=True)
class Fits:
    """The option that describes a thing best."""

    one: NamedPatch | None
    answer: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """Anything else that a tool said, word for word."""

    tool: str
    text: str
    one: NamedPatch | None


@dataclass(frozen=True, slots=True)
class Pictured:
    """A step that made a picture."""

    tool: str
    one: NamedPatch | None
    """What it was made of; None for the whole picture, or for several parts."""
    things: tuple[NamedPatch, ...] = ()
    """What was drawn or numbered, or the parts that were put side by side."""
    how: str = ""
    """What was changed, of `enhance`."""
    amount: float = 0.0
    """Factor, strength or degrees."""


Claim = (
    Found
    | Exists
    | Holds
    | VisualAnswer
    | GeneralKnowledge
    | Extreme
    | CountComparison
    | HowMany
    | Fits
    | Reported
    | Pictured
)


# --- meanings of values ---


@dataclass(frozen=True, slots=True)
class Count:
    """The number of things in a group."""

    group: Group


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one group has more things than another."""

    first: Group
    second: Group


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a bool rests on."""

    claim: Claim | None
    """The claim behind it; None for what need not be told."""
    truth: bool
    """Whether the claim's predicate holds; `not` may give the bool the other value."""
    predicate: Predicate | None
    patch: Patch | None
    """The thing that the predicate is about."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a bool says."""

    items: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class ToolText:
    """A text that a tool gave."""

    one: NamedPatch | None
    question: str
    item: Ground | None
    """What a yes/no answer affirms or denies; None for any other answer."""
    label: bool = False
    """Whether the text is the detector's label of the thing."""


Meaning = Group | NamedPatch | Count | Difference | Measure | Truth | ToolText


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Any = _Unknown()
"""A value that the trace does not show in full."""


class Cut(list[Any]):
    """The first items of a longer sequence."""

    def __init__(self, items: Sequence[Any], length: int) -> None:
        super().__init__(items)
        self.length = length


class CutText(str):
    """The beginning of a longer text; an ellipsis ends it."""


@dataclass(frozen=True, slots=True)
class Val:
    """A value of the followed program."""

    value: Any
    about: Meaning | None = None
    rests: frozenset[int] = frozenset()
    """Numbers of the claims that the value rests on."""


class Untellable(Exception):
    """The follower cannot say what an expression means, so its statement is not told."""


@dataclass(slots=True)
class StoryEntry:
    """A claim in a story."""

    claim: Claim
    events: set[int]
    """`seq` of the events that the claim states."""
    rests: set[int]
    """Numbers of the claims that this one rests on."""
    order: int = 0
    """Place of the claim in the telling."""
    kept: bool = False
    """Whether the claim is always told, because it decided which way the program went."""


class Story:
    """Claims in the order in which they arose, each once."""

    def __init__(self) -> None:
        self.entries: list[StoryEntry] = []
        self._at: dict[Claim, int] = {}
        self._clock = 0

    def touch(self, number: int) -> None:
        """Move a claim behind all others.

        What the program has just worked out is told before the question that it asked next.
        """
        self._clock += 1
        self.entries[number].order = self._clock

    def add(
        self, claim: Claim, events: set[int], rests: frozenset[int] | set[int] = frozenset()
    ) -> int:
        """Add a claim; a repeated one gains events and keeps its number.

        Args:
            claim: what is claimed.
            events: `seq` of the events that state it.
            rests: numbers of the claims that it rests on.

        Returns:
            The number of the claim.
        """
        if claim not in self._at:
            self._at[claim] = len(self.entries)
            self.entries.append(StoryEntry(claim, set(), set()))
            self.touch(len(self.entries) - 1)
        number = self._at[claim]
        self.entries[number].events |= events
        self.entries[number].rests |= set(rests) - {number}
        return number

    def number(self, claim: Claim) -> int | None:
        """The number of a claim of the story; None for one that is not in it."""
        return self._at.get(claim)

    def relevant(self, rests: frozenset[int], everything: bool) -> list[StoryEntry]:
        """Entries that the answer rests on or that decided the way, in order.

        Args:
            rests: numbers of the claims that the answer rests on.
            everything: whether all entries are relevant.
        """
        entries = enumerate(self.entries)
        numbers = {number for number, entry in entries if everything or entry.kept} | set(rests)
        todo = list(numbers)
        while todo:
            for number in self.entries[todo.pop()].rests - numbers:
                numbers.add(number)
                todo.append(number)
        return sorted((self.entries[n] for n in numbers), key=lambda entry: entry.order)
