"""How things are named in a rationale, so that each name is clear and no box stands twice without
need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.english import join
from workbench.english import one as single
from workbench.english import plural as several
from workbench.rationalize.claims.claims import Clause, Extreme, Found, Group, NamedPatch, Patch
from workbench.rationalize.claims.clauses import Predicate
from workbench.rationalize.claims.relations import COMPARATIVE, other_than
from workbench.rationalize.claims.statements import GENERAL

MAX_BOXES = 8
"""Most boxes in one list; a longer list is told by its number alone."""


_SAID = {"food": "food item"}
"""Words that cannot be counted, as what can."""


def one(noun: str) -> str:
    """The noun as one countable thing: `food item`, `pair of scissors`."""
    return single(_SAID.get(noun, noun))


def plural(noun: str) -> str:
    """The noun in the plural: `food items`, `buses`."""
    return several(_SAID.get(noun, noun))


class Names:
    """Names of things, with a memory of the boxes already told.

    Args: found: every detector answer that the rationale rests on. unnamed: things that a tool will
        name later, so that the detector's name for them is left out.
    """

    def __init__(self, found: Iterable[Found], unnamed: Iterable[Patch] = ()) -> None:
        self._unnamed = frozenset(unnamed)
        self._told: set[Patch] = set()
        self._alias: dict[Patch, str] = {}
        self._all: dict[str, set[Patch]] = {}
        self._unseen: dict[str, int] = {}
        for claim in found:
            self._all.setdefault(claim.noun, set()).update(claim.patches)
            self._unseen[claim.noun] = (
                self._unseen.get(claim.noun, 0) + claim.number - len(claim.patches)
            )

    def all_of(self, noun: str) -> int:
        """How many things of a noun were found."""
        return len(self._all.get(noun, ())) + self._unseen.get(noun, 0)

    def told(self, patch: Patch) -> bool:
        return patch in self._told

    def unique(self, thing: NamedPatch) -> bool:
        """Its noun alone says which one is meant."""
        return self._all.get(thing.noun, {thing.patch}) <= {thing.patch}

    def boxes(self, patches: Sequence[Patch]) -> str:
        """Boxes in prose: `469 124 726 351 and 494 330 692 512`; '' where there are none to tell or
        too many.
        """
        shown = [patch.grid for patch in patches]
        if not shown or len(shown) > MAX_BOXES or not all(shown):
            return ""
        self._told.update(patches)
        return join(shown)

    def the(self, thing: NamedPatch, box: bool = True) -> str:
        """`the bus`, `the bus at 469 124 726 351`, `the leftmost dog`; without `box` the box only
        where needed.
        """
        if thing.patch.whole:
            return (
                f"the {one(thing.noun)}"
                if thing.noun not in ("", "object", "image")
                else "the image"
            )
        if not thing.noun:
            where = self.boxes([thing.patch])
            return f"the part of the image at {where}" if where else "a part of the image"
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
            return self.the(NamedPatch(patches[0], noun))
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
        return "".join(
            " " + self.predicate(p, many, truth, hang=True) for p, truth in dict.fromkeys(clauses)
        )

    def group(self, group: Group, number: int) -> str:
        """`dogs left of the bus`, in the singular for one."""
        many = number != 1
        within = f" {self.within(group.within, box=False)}" if group.within is not None else ""
        return (
            (plural(group.noun) if many else one(group.noun))
            + self.where(group.where, many)
            + within
        )

    def within(self, thing: NamedPatch | None, box: bool = True) -> str:
        """Where something was looked for: `in the image`, `in the region of the bus`."""
        if thing is None or thing.patch.whole:
            return "in the image"
        return (
            f"in {self.the(thing, box)}"
            if not thing.noun
            else f"in the region of {self.the(thing, box)}"
        )

    def counted(self, group: Group) -> str:
        """`there are 2 dogs left of the bus`, `there is 1 hat in the region of the person`."""
        number = len(group.patches)
        return f"there {'is' if number == 1 else 'are'} {number} {self.group(group, number)}"

    def call(self, thing: NamedPatch, name: str) -> None:
        """From now on the thing is `the <name>`, unless its noun alone says which one is meant."""
        if not self.unique(thing):
            self._alias.setdefault(thing.patch, name)

    def extreme(self, claim: Extreme) -> str:
        """`the largest of the 4 objects is the bus at B`; from then on it is `the largest object`."""
        number = len(claim.group.patches)
        adjective = (
            COMPARATIVE.get(claim.adjective, claim.adjective) if number == 2 else claim.adjective
        )
        noun = claim.one.noun
        label = claim.one.patch.label if claim.one.patch not in self._unnamed else None
        name = one(label) if label and noun in GENERAL and label != noun else "one"
        box = self.boxes([claim.one.patch])
        what = f"the {name} at {box}" if box else f"the {name}"
        things = f"the {number} {plural(noun)}{self.where(claim.group.where, True)}"
        if claim.towards is not None and claim.group.where == ((other_than(claim.towards), True),):
            things = f"the {number} other {plural(noun)}"
        if claim.towards is not None:
            way = "to" if claim.adjective == "nearest" else "from"
            text = f"of {things}, {what} is the {adjective} {way} {self.the(claim.towards)}"
            self._alias[claim.one.patch] = (
                f"{one(noun)} {claim.adjective} {way} {self.the(claim.towards, box=False)}"
            )
            return text
        article = "" if number == 2 else "the "
        text = (
            f"of {things}, {what} is {article}{adjective}"
            if " " in adjective
            else f"the {adjective} of {things} is {what}"
        )
        plain = (
            f"{one(noun)} {claim.adjective}"
            if " " in adjective
            else f"{claim.adjective} {one(noun)}"
        )
        self._alias[claim.one.patch] = plain
        return text
