"""Steps that made a picture, as sentences: where something was looked at more closely, and how."""

from __future__ import annotations

from workbench.english import join
from workbench.rationalize.claims.claims import NamedPatch, Pictured
from workbench.rationalize.say.naming import Names


def picture_step(claim: Pictured, names: Names) -> str:
    """A picture-valued step as a clause: `the sign at B is enlarged`; '' for one without effect.

    Args:
        claim: the step.
        names: how things are named, with the boxes that stand in the text already.
    """
    one, things = claim.one, claim.things
    match claim.tool:
        case "zoom" if claim.amount != 1:
            return f"{_the(one, names)} is {'enlarged' if claim.amount > 1 else 'made smaller'}"
        case "enhance":
            return _enhanced(claim, names)
        case "rotate" if claim.amount % 360:
            way = "clockwise" if claim.amount < 0 else "counterclockwise"
            return f"{_the(one, names)} is turned by {abs(claim.amount):g} degrees {way}"
        case "draw_box" if things:
            return f"a box is drawn around {names.the(things[0])}"
        case "draw_point" if things:
            return f"a point is drawn on {names.the(things[0])}"
        case "draw_line" if len(things) == 2:
            return f"a line is drawn between {names.the(things[0])} and {names.the(things[1])}"
        case "mark" if things:
            return f"{_all(things, names)} {'is' if len(things) == 1 else 'are'} numbered"
        case "side_by_side" if len(things) > 1:
            return f"{join([names.the(thing) for thing in things])} are put side by side"
        case "segment":
            return f"{_the(one, names)} is cut out"
    return ""


def _the(one: NamedPatch | None, names: Names) -> str:
    return "the image" if one is None else names.the(one)


def _enhanced(claim: Pictured, names: Names) -> str:
    if claim.how == "grey":
        return f"{_the(claim.one, names)} is shown in grey"
    if claim.amount == 1 or claim.how not in ("contrast", "brightness", "sharpness"):
        return ""
    way = "raised" if claim.amount > 1 else "lowered"
    return f"the {claim.how} of {_the(claim.one, names)} is {way}"


def _all(things: tuple[NamedPatch, ...], names: Names) -> str:
    """Several things, those of one noun together: `the cups at B and C`."""
    nouns = dict.fromkeys(thing.noun for thing in things)
    return join(
        [
            names.several(noun or "part", [thing.patch for thing in things if thing.noun == noun])
            for noun in nouns
        ]
    )
