"""How things are named in a rationale: each name is clear, and no box stands twice without need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.english import join
from workbench.rationalize.claims.claims import Clause, Extreme, Found, Group, NamedPatch, Patch
from workbench.rationalize.claims.clauses import Predicate
from workbench.rationalize.claims.grammar import be, counted, one, plural
from workbench.rationalize.claims.relations import COMPARATIVE, other_than
from workbench.rationalize.claims.statements import GENERAL

MAX_BOXES = 8
"""Most boxes in one list; a longer list is told by its number alone."""


class Names:
    """Names of things, with a memory of the boxes that stand in the text.

    Args:
        detections: every detector answer that the rationale rests on.
        unnamed: things that a tool will name later, so that the detector's name for them is left
            out.
    """

    def __init__(self, detections: Iterable[Found], unnamed: Iterable[Patch] = ()) -> None:
        self._unnamed = frozenset(unnamed)
        self._in_text: set[Patch] = set()
        self._alias: dict[Patch, str] = {}
        self._all: dict[str, set[Patch]] = {}
        self._unseen: dict[str, int] = {}
        for claim in detections:
            self._all.setdefault(claim.noun, set()).update(claim.patches)
            self._unseen[claim.noun] = (
                self._unseen.get(claim.noun, 0) + claim.number - len(claim.patches)
            )

    def all_of(self, noun: str) -> int:
        """How many things of a noun the detectors gave."""
        return len(self._all.get(noun, ())) + self._unseen.get(noun, 0)

    def has_box(self, patch: Patch) -> bool:
        """Whether the box of a thing stands in the text already."""
        return patch in self._in_text

    def unique(self, thing: NamedPatch) -> bool:
        """Whether the noun alone says which thing is meant."""
        return self._all.get(thing.noun, {thing.patch}) <= {thing.patch}

    def boxes(self, patches: Sequence[Patch], within: NamedPatch | None = None) -> str:
        """Boxes in prose: `469 124 726 351 and 494 330 692 512`; '' for none, or too many.

        Of several pictures, the one in which each box lies is named behind it.

        Args:
            patches: the things.
            within: where the sentence has just said that they are.
        """
        boxes = [patch.grid for patch in patches]
        if not boxes or len(boxes) > MAX_BOXES or not all(boxes):
            return ""
        self._in_text.update(patches)
        by_picture: dict[str, list[str]] = {}
        for patch in patches:
            is_plain = patch.picture is None or (within is not None and within.patch.whole)
            where = "" if is_plain else f" in {patch.picture_name}"
            by_picture.setdefault(where, []).append(patch.grid)
        return join([f"{join(own)}{where}" for where, own in by_picture.items()])

    def the(self, thing: NamedPatch, box: bool = True) -> str:
        """The name of a thing: `the bus`, `the bus at 469 124 726 351`, `the leftmost dog`.

        Args:
            thing: the thing.
            box: whether its box is to be told; otherwise it is told only where the noun alone does
                not say which thing is meant.
        """
        if thing.patch.whole:
            general = thing.noun in ("", "object", "image") or thing.patch.picture is not None
            return thing.patch.picture_name if general else f"the {one(thing.noun)}"
        if not thing.noun:
            where = self.boxes([thing.patch])
            if not where:
                return f"a part of {thing.patch.picture_name}"
            # of several pictures, the one stands behind the box
            of = " of the image" if thing.patch.picture is None else ""
            return f"the part{of} at {where}"
        if thing.patch in self._alias:
            return f"the {self._alias[thing.patch]}"
        name = f"the {one(thing.noun)}"
        if self.unique(thing) and (self.has_box(thing.patch) or not box):
            return name
        where = self.boxes([thing.patch])
        return f"{name} at {where}" if where else name

    def several(self, noun: str, patches: Sequence[Patch]) -> str:
        """Several things: `the bus at B`, `the buses at B and C`; `3 buses` for too many boxes."""
        if len(patches) == 1:
            return self.the(NamedPatch(patches[0], noun))
        where = self.boxes(patches)
        return f"the {plural(noun)} at {where}" if where else counted(len(patches), noun)

    def predicate(self, predicate: Predicate, many: bool, truth: bool, hang: bool = False) -> str:
        """A predicate with the names of the things that it refers to.

        Args:
            predicate: what is said.
            many: whether its subject is a plural.
            truth: whether it is affirmed.
            hang: whether it stands behind a noun; otherwise it is the predicate of a sentence.
        """
        text = predicate.hang(many, truth) if hang else predicate.say(many, truth)
        for number, ref in enumerate(predicate.refs):
            text = text.replace(f"{{{number}}}", self.the(ref))
        return text

    def where(self, clauses: Sequence[Clause], many: bool) -> str:
        """Clauses after a noun, with a space before them; '' for none."""
        return "".join(
            " " + self.predicate(p, many, truth, hang=True) for p, truth in dict.fromkeys(clauses)
        )

    def group(self, group: Group, number: int) -> str:
        """A group as a noun phrase: `dogs left of the bus`, in the singular for one."""
        many = number != 1
        within = f" {self.within(group.within, box=False)}" if group.within is not None else ""
        noun = plural(group.noun) if many else one(group.noun)
        return noun + self.where(group.where, many) + within

    def within(self, thing: NamedPatch | None, box: bool = True) -> str:
        """Where something was looked for: `in the image`, `in the region of the bus`."""
        if thing is None or thing.patch.whole:
            return f"in {thing.patch.picture_name}" if thing is not None else "in the image"
        name = self.the(thing, box)
        return f"in the region of {name}" if thing.noun else f"in {name}"

    def count_clause(self, group: Group) -> str:
        """A group as a clause: `there are 2 dogs left of the bus`."""
        number = len(group.patches)
        return f"there {be(number != 1)} {number} {self.group(group, number)}"

    def call(self, thing: NamedPatch, name: str) -> None:
        """From now on the thing is `the <name>`, unless its noun alone says which one is meant."""
        if not self.unique(thing):
            self._alias.setdefault(thing.patch, name)

    def extreme(self, claim: Extreme) -> str:
        """An extreme as a clause: `the largest of the 4 objects is the bus at B`.

        From then on the thing is called `the largest object`.
        """
        number, noun = len(claim.group.patches), claim.one.noun
        adjective = claim.adjective
        if number == 2:
            adjective = COMPARATIVE.get(adjective, adjective)
        what = self._new_name(claim.one)
        if claim.towards is not None:
            way = "to" if claim.adjective == "nearest" else "from"
            things = self._others(claim, claim.towards)
            text = f"of {things}, {what} is the {adjective} {way} {self.the(claim.towards)}"
            goal = self.the(claim.towards, box=False)
            self._alias[claim.one.patch] = f"{one(noun)} {claim.adjective} {way} {goal}"
            return text + self._runner_up(claim)
        things = f"the {counted(number, noun)}{self.where(claim.group.where, True)}"
        if " " not in adjective:
            self._alias[claim.one.patch] = f"{claim.adjective} {one(noun)}"
            return f"the {adjective} of {things} is {what}{self._runner_up(claim)}"
        # `closest to the camera` stands behind its noun.
        self._alias[claim.one.patch] = f"{one(noun)} {claim.adjective}"
        text = f"of {things}, {what} is {'' if number == 2 else 'the '}{adjective}"
        return text + self._runner_up(claim)

    def _runner_up(self, claim: Extreme) -> str:
        """`; the next largest is the dog at B`: what the one that stands out is held against."""
        if claim.next is None or not claim.next.patch.grid:
            return ""
        what = self._new_name(claim.next)
        if len(claim.group.patches) == 2:
            other = self.boxes([claim.next.patch]) if what.startswith("the one at") else what
            return f"; the other is {'at ' if other != what else ''}{other}"
        return f"; the next {claim.adjective} is {what}"

    def _new_name(self, thing: NamedPatch) -> str:
        """`the one at B`, or with the detector's name where the program's noun is a general one."""
        label = thing.patch.label if thing.patch not in self._unnamed else None
        name = one(label) if label and thing.noun in GENERAL and label != thing.noun else "one"
        box = self.boxes([thing.patch])
        return f"the {name} at {box}" if box else f"the {name}"

    def _others(self, claim: Extreme, towards: NamedPatch) -> str:
        """`the 4 other objects` of which one is the nearest to a thing."""
        number, noun = len(claim.group.patches), plural(claim.one.noun)
        if claim.group.where == ((other_than(towards), True),):
            # Names inside a clause count as told, so the clause is built all the same.
            self.where(claim.group.where, True)
            return f"the {number} other {noun}"
        return f"the {number} {noun}{self.where(claim.group.where, True)}"
