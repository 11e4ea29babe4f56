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
from workbench.rationalize.claims.clauses import Predicate
from workbench.rationalize.claims.statements import Statement


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of the picture, pixels of the whole picture."""

    box: Box
    width: int
    """Of the whole picture, pixels."""
    height: int
    label: str | None = field(default=None, compare=False)
    """The detector's name for it."""

    @property
    def grid(self) -> str:
        """`ymin xmin ymax xmax` on the 0-999 grid."""
        return grid_text(self.box, self.width, self.height) if self.width > 0 < self.height else ""

    @property
    def whole(self) -> bool:
        """It is the whole picture."""
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
    """All the things that it was picked from."""
    order: Measure | None = None
    """What the patches are sorted by (the measure of any of them)."""
    falling: bool = False
    """Sorted from the most to the least."""
    within: NamedPatch | None = None
    """Where they were looked for; None for the whole picture."""

    def ones(self) -> list[NamedPatch]:
        return [NamedPatch(patch, self.noun) for patch in self.patches]


@dataclass(frozen=True, slots=True)
class Found:
    """A detector's answer: these are all the `noun`s inside `within` (None: the picture)."""

    noun: str
    patches: tuple[Patch, ...]
    within: NamedPatch | None
    number: int
    """How many there are; the trace may show fewer patches."""


@dataclass(frozen=True, slots=True)
class Exists:
    """A yes/no answer about presence."""

    noun: str
    truth: bool
    within: NamedPatch | None


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
    """What it affirms or denies, where question and answer make a sentence."""
    truth: bool = True


@dataclass(frozen=True, slots=True)
class Extreme:
    """One thing stands out of a group."""

    one: NamedPatch
    adjective: str
    """`leftmost`, `largest`, `nearest`, ..."""
    towards: NamedPatch | None
    """What `nearest` is nearest to."""
    group: Group


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
)


# --- meanings of values ---


@dataclass(frozen=True, slots=True)
class Count:
    """The number of things in a group."""

    group: Group


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a bool rests on."""

    claim: Claim | None
    """None for what need not be told."""
    truth: bool
    """Whether the claim's predicate holds (not the bool's value, which `not` may turn round)."""
    predicate: Predicate | None
    patch: Patch | None
    """The thing that the predicate is about."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a bool says."""

    items: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class ToolText:
    """Text that a tool gave."""

    one: NamedPatch | None
    question: str
    item: Ground | None
    """For a yes/no answer: what it affirms or denies."""
    label: bool = False
    """It is the detector's label of `one`."""


Meaning = Group | NamedPatch | Count | Measure | Truth | ToolText


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
    """Numbers of the claims it rests on."""


class Untellable(Exception):
    """The follower cannot say what an expression means; its statement is then not told."""


@dataclass(slots=True)
class StoryEntry:
    """A claim in a story."""

    claim: Claim
    events: set[int]
    rests: set[int]
    order: int = 0
    """Its place in the telling."""
    kept: bool = False
    """Told whatever the answer rests on: it decided which way the program went."""


class Story:
    """Claims in the order in which they arose, each once."""

    def __init__(self) -> None:
        self.entries: list[StoryEntry] = []
        self._at: dict[Claim, int] = {}
        self._clock = 0

    def touch(self, number: int) -> None:
        """Move a claim behind all others: what has just been worked out comes before what was asked
        then.
        """
        self._clock += 1
        self.entries[number].order = self._clock

    def add(
        self, claim: Claim, events: set[int], rests: frozenset[int] | set[int] = frozenset()
    ) -> int:
        """The number of the claim; a repeated claim gains events and keeps its number."""
        if claim not in self._at:
            self._at[claim] = len(self.entries)
            self.entries.append(StoryEntry(claim, set(), set()))
            self.touch(len(self.entries) - 1)
        number = self._at[claim]
        self.entries[number].events |= events
        self.entries[number].rests |= set(rests) - {number}
        return number

    def number(self, claim: Claim) -> int | None:
        """The number of a claim already told."""
        return self._at.get(claim)

    def relevant(self, rests: frozenset[int], everything: bool) -> list[StoryEntry]:
        """Entries that the answer rests on, or that decided the way, in order."""
        wanted = {n for n, entry in enumerate(self.entries) if everything or entry.kept} | set(
            rests
        )
        todo = list(wanted)
        while todo:
            for number in self.entries[todo.pop()].rests - wanted:
                wanted.add(number)
                todo.append(number)
        return sorted((self.entries[n] for n in wanted), key=lambda entry: entry.order)
