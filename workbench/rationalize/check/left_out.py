"""Whether a rationale leaves out something that the answer rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.boxes_in_text import boxes_in, split_at_boxes
from workbench.english import NUMBERS, SENTENCE_END
from workbench.rationalize.check.directions import WAYS, stems_of
from workbench.rationalize.claims.claims import (
    Claim,
    Exists,
    Extreme,
    Fits,
    Found,
    GeneralKnowledge,
    Holds,
    NamedPatch,
    VisualAnswer,
)
from workbench.rationalize.follow.follow import Followed

_ANSWER = re.compile(r"(?:, and )?the answer is:? .*$", re.DOTALL)
_ABSENT = re.compile(r"\b(?:no|not|none|neither|0)\b")
_SHARE = re.compile(r"\b(?:\d+ of the \d+|none of|neither of|both|all)\b")
_TOLD = (Found, Exists, Extreme, Holds, VisualAnswer, Fits, GeneralKnowledge)
"""Claims that a rationale tells."""

MANY = 8
"""Of more things than this of one kind, a text need not list the boxes."""
MAX_CLAIMS = 14
"""With more claims a writer has to leave some out; they are counted and not named."""


def left_out(text: str, followed: Followed) -> Iterator[str]:
    """What the answer rests on and no sentence says, one sentence of an issue each.

    Args:
        text: the rationale.
        followed: the run.
    """
    everything = followed.lost and followed.answer.about is None
    entries = followed.story.relevant(followed.answer.rests, everything)
    claims = [entry.claim for entry in entries if isinstance(entry.claim, _TOLD)]
    if not claims:
        return
    reasons = _Reasons(text)
    if not reasons.before.strip() and not _is_statement(reasons.last):
        yield "The rationale gives no reason for its answer."
        return
    absent = [claim for claim in claims if not reasons.cover(claim, claims)]
    if absent and len(claims) > MAX_CLAIMS:
        number = f"{len(absent)} of the {len(claims)} things"
        yield f"The rationale leaves out {number} that the answer rests on."
        return
    for claim in absent:
        yield f"The rationale leaves out what the answer rests on: {_name(claim)}."


def _is_statement(conclusion: str) -> bool:
    """Whether a conclusion says more than the answer."""
    return bool(boxes_in(conclusion))


class _Reasons:
    """The sentences of a rationale: what they name, and the boxes in them."""

    def __init__(self, text: str) -> None:
        self.written = text
        self.before, _, last = text.lower().rpartition("thus,")
        self.last = _ANSWER.sub("", last)
        self.every = f"{self.before} {self.last}"
        self.stems = stems_of(self.every)
        self.boxes = {box.text for box in boxes_in(text)}

    def cover(self, claim: Claim, claims: Sequence[Claim]) -> bool:
        """Whether the text says a claim, or things from which it is plain.

        Args:
            claim: one of the claims.
            claims: all of them.
        """
        match claim:
            case Found():
                return self._detection(claim)
            case Exists():
                return stems_of(claim.noun) <= stems_of(self.before)
            case Extreme():
                return self._extreme(claim)
            case Holds():
                return self._holds(claim, claims)
            case VisualAnswer() | Fits():
                return stems_of(claim.answer) <= self.stems and self._shows(claim.one, claims)
            case GeneralKnowledge():
                return self._knows(claim)
        return True

    def _detection(self, claim: Found) -> bool:
        """Something found is told by its noun and its number, or by its box."""
        noun = stems_of(claim.noun)
        if not claim.number:
            return noun <= stems_of(self.before) and _ABSENT.search(self.before) is not None
        if claim.number == 1 and any(patch.grid in self.boxes for patch in claim.patches):
            return True
        words = {1: "|an?|one", 2: "|both|neither"}.get(claim.number, "")
        words += f"|{NUMBERS[claim.number]}" if claim.number < len(NUMBERS) else ""
        patterns = (
            rf"(?<![\d.])(?:{claim.number}{words})(?= (?P<what>[^.,;]{{1,60}}))",
            rf"(?P<what>[^.,;()]{{1,60}}) \({claim.number}(?: each)?\)",
        )
        pieces = split_at_boxes(self.every)[::2]
        return any(
            noun <= stems_of(match["what"])
            for piece in pieces
            for pattern in patterns
            for match in re.finditer(pattern, piece)
        )

    def _extreme(self, claim: Extreme) -> bool:
        return claim.one.patch.grid in self.boxes and self._points(claim.adjective, self.before)

    def _points(self, words: str, text: str) -> bool:
        """Whether a text has a word of the same axis as these words, if they have one."""
        axes = {WAYS[word][0] for word in words.split() if word in WAYS}
        every = [word for word, (axis, _) in WAYS.items() if axis in axes]
        return not every or re.search(rf"\b(?:{'|'.join(every)})\b", text) is not None

    def _holds(self, claim: Holds, claims: Sequence[Claim]) -> bool:
        """A property of one thing is told with its box, or in a share of all."""
        rest = re.sub(r"\{\d\}", "", claim.predicate.rest)
        if not stems_of(rest) <= self.stems or not self._points(rest, self.every):
            return False
        if claim.predicate.refs and not claim.truth:
            return True  # where things lie, the reader can see
        if not claim.predicate.refs and _SHARE.search(self.every):
            return True
        return self._shows(claim.one, claims)

    def _shows(self, one: NamedPatch | None, claims: Sequence[Claim]) -> bool:
        """Whether the box of a thing is told, or there are too many of its kind to list."""
        if one is None or one.patch.whole or not one.patch.grid:
            return True
        same = {
            claim.one.patch
            for claim in claims
            if isinstance(claim, Holds | VisualAnswer | Fits)
            and claim.one is not None
            and claim.one.noun == one.noun
        }
        return one.patch.grid in self.boxes or len(same) > MANY

    def _knows(self, claim: GeneralKnowledge) -> bool:
        if claim.statement is None:
            return stems_of(claim.answer) <= self.stems
        predicate = claim.statement.predicate
        verb = "" if predicate.verb in ("be", "have") else predicate.verb
        words = stems_of(f"{claim.statement.subject} {verb} {predicate.rest}")
        return any(words <= stems_of(part) for part in SENTENCE_END.split(self.written))


def _name(claim: Claim) -> str:
    match claim:
        case Found() | Exists():
            return f'what was looked for as "{claim.noun}"'
        case Extreme():
            return f"which one is the {claim.adjective}"
        case Holds():
            return f'whether something "{claim.predicate.say(False)}"'
        case VisualAnswer() | GeneralKnowledge():
            return f'the answer to "{claim.question}"'
        case Fits():
            return f'what fits "{claim.answer}"'
    return "one of its steps"
