"""What the answer of a run rests on: derived from the trace by following it through its program.

A program that hands the whole question to one model call is right as often as the model, and its
trace shows nothing; a program that finds things, counts and compares them shows why.  The kinds
stand in `workbench.evidence`, the strongest first.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.evidence import EVIDENCE, EvidenceKind
from workbench.rationalize.claims.claims import (
    Claim,
    Count,
    CountComparison,
    Difference,
    Exists,
    Extreme,
    Found,
    GeneralKnowledge,
    Holds,
    HowMany,
    Truth,
    Val,
)
from workbench.rationalize.follow.follow import Followed, follow
from workbench.rationalize.follow.reading import read
from workbench.records import Trace


def evidence_of(source: str, trace: Trace, choices: tuple[str, ...] = ()) -> EvidenceKind | None:
    """What the answer of a run rests on; None for a run without an answer.  Never raises.

    Args:
        source: the program.
        trace: its run.
        choices: the options of the question.
    """
    if not trace.ok or trace.answer is None:
        return None
    return strongest(follow(source, read(trace), choices))


def strongest(followed: Followed) -> EvidenceKind:
    """The strongest kind of evidence among what an answer rests on; `none` where it is nothing."""
    everything = followed.lost and followed.answer.about is None
    claims = (entry.claim for entry in followed.story.relevant(followed.answer.rests, everything))
    kinds = {*map(_kind, claims), *_of_answer(followed.answer)}
    return next((kind for kind in EVIDENCE if kind in kinds), "none")


def _kind(claim: Claim) -> EvidenceKind:
    """What one claim is evidence of."""
    match claim:
        case Extreme() if claim.adjective in ("first", "last"):
            return "boxes"
        case Extreme() | CountComparison():
            return "comparison"
        case Holds() if claim.predicate.refs:
            return "comparison"
        case HowMany():
            return "count"
        case Found():
            return "boxes" if claim.number else "search"
        case Exists():
            return "question" if claim.by_model else "search"
        case GeneralKnowledge():
            return "knowledge"
    return "question"


def _of_answer(answer: Val) -> Iterator[EvidenceKind]:
    """What the returned value itself says: a number of things, or a comparison that is returned."""
    if isinstance(answer.about, Count | Difference):
        yield "count"
    if isinstance(answer.about, Truth):
        yield from (_kind(item.claim) for item in answer.about.items if item.claim is not None)
