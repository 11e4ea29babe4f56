"""How things are named in a rationale, so that each name is clear and no box stands twice without need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.english import a, join, one, plural
from workbench.rationalize.claims import Clause, Extreme, Found, Group, One, Patch
from workbench.rationalize.clauses import Predicate
from workbench.rationalize.relations import COMPARATIVE

MAX_BOXES = 8
"""Most boxes in one list; a longer list is told by its number alone."""

GENERAL = frozenset({"object", "item", "thing", "animal", "vehicle", "food", "fruit", "furniture", "tool"})
"""Wider words: where the detector gives a name of its own, that is said beside them."""


class Names:
    """Names of things, with a memory of the boxes already told.

    Args:
        found: every detector answer that the rationale rests on.
    """

    def __init__(self, found: Iterable[Found]) -> None:
        self._told: set[Patch] = set()
        self._alias: dict[Patch, str] = {}
        self._all: dict[str, set[Patch]] = {}
        for claim in found:
            self._all.setdefault(claim.noun, set()).update(claim.patches)

    def all_of(self, noun: str) -> int:
        """How many things of a noun were found."""
        return len(self._all.get(noun, ()))

    def told(self, patch: Patch) -> bool:
        return patch in self._told

    def unique(self, thing: One) -> bool:
        """Its noun alone says which one is meant."""
        return self._all.get(thing.noun, {thing.patch}) <= {thing.patch}

    def boxes(self, patches: Sequence[Patch]) -> str:
        """Boxes in prose: `469 124 726 351 and 494 330 692 512`; '' where there are none to tell or too many."""
        shown = [patch.grid for patch in patches]
        if not shown or len(shown) > MAX_BOXES or not all(shown):
            return ""
        self._told.update(patches)
        return join(shown)

    def the(self, thing: One, box: bool = True) -> str:
        """`the bus`, `the bus at 469 124 726 351`, `the leftmost dog`; without `box` the box only where needed."""
        if thing.patch.whole:
            return "the image"
        if thing.patch in self._alias:
            return f"the {self._alias[thing.patch]}"
        name = f"the {one(thing.noun)}"
        if self.unique(thing) and (self.told(thing.patch) or not box):
            return name
        where = self.boxes([thing.patch])
        return f"{name} at {where}" if where else name

    def several(self, noun: str, patches: Sequence[Patch]) -> str:
        """`the bus at B`, `the buses at B and C`; `3 buses` where there are too many boxes."""
        if len(patches) == 1:
            return self.the(One(patches[0], noun))
        where = self.boxes(patches)
        return f"the {plural(noun)} at {where}" if where else f"{len(patches)} {plural(noun)}"

    def predicate(self, predicate: Predicate, many: bool, truth: bool, hang: bool = False) -> str:
        """A predicate with the names of the things that it refers to."""
        text = predicate.hang(many, truth) if hang else predicate.say(many, truth)
        for number, ref in enumerate(predicate.refs):
            text = text.replace(f"{{{number}}}", self.the(ref))
        return text

    def where(self, clauses: Sequence[Clause], many: bool) -> str:
        """Clauses after a noun, with a space before them; '' for none."""
        return "".join(" " + self.predicate(p, many, truth, hang=True) for p, truth in dict.fromkeys(clauses))

    def group(self, group: Group, number: int) -> str:
        """`dogs left of the bus`, in the singular for one."""
        many = number != 1
        return (plural(group.noun) if many else one(group.noun)) + self.where(group.where, many)

    def counted(self, group: Group) -> str:
        """`there are 2 dogs left of the bus`, `there is no dog in the image`."""
        number = len(group.patches)
        where = self.where(group.where, number != 1) or " in the image"
        if number == 0:
            return f"there are 0 {plural(group.noun)}{self.where(group.where, True) or ' in the image'}"
        noun = one(group.noun) if number == 1 else plural(group.noun)
        return f"there {'is' if number == 1 else 'are'} {number} {noun}{where}"

    def extreme(self, claim: Extreme) -> str:
        """`the largest of the 4 objects is the bus at B`; from then on it is `the largest object`."""
        number = len(claim.group.patches)
        adjective = COMPARATIVE.get(claim.adjective, claim.adjective) if number == 2 else claim.adjective
        noun = claim.one.noun
        label = claim.one.patch.label
        name = one(label) if label and noun in GENERAL and label != noun else "one"
        box = self.boxes([claim.one.patch])
        what = f"the {name} at {box}" if box else f"the {name}"
        things = f"the {number} {plural(noun)}{self.where(claim.group.where, True)}"
        if claim.towards is not None:
            way = "to" if claim.adjective == "nearest" else "from"
            towards = self.the(claim.towards)
            text = f"of {things}, {what} is the {adjective} {way} {towards}" if adjective == claim.adjective else (
                f"of {things}, {what} is the {adjective} {'to' if way == 'to' else 'from'} {towards}"
            )
            self._alias[claim.one.patch] = f"{one(noun)} {claim.adjective} {way} {self.the(claim.towards, box=False)}"
            return text
        text = f"of {things}, {what} is the {adjective}" if " " in adjective else f"the {adjective} of {things} is {what}"
        plain = f"{one(noun)} {claim.adjective}" if " " in adjective else f"{claim.adjective} {one(noun)}"
        self._alias[claim.one.patch] = plain
        return text


def some(noun: str) -> str:
    """`a dog`, as far as spelling tells."""
    return a(noun)
