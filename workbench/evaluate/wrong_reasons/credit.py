"""Credit of each tool call of a run: by people's first wrong step, and by what depends on the call.

A person's mark comes first.  The call that is marked has -1; calls before it were looked at and
stand; of those behind it nothing is known.  Where nobody marked anything, a call of a right run has
the share of the changes of its result that lead to another answer or another call: 0 for a call
that the answer does not depend on.  Of a wrong run that nobody looked at nothing is known: that its
answer depends on a call does not say whose error it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.evaluate.wrong_reasons.counterfactual import Shaken
from workbench.evaluate.wrong_reasons.perturb import Site
from workbench.records import TraceEvent

CallUse = tuple[int, float | None]
"""Number of a call in its trace, and the share of its changes that move something; None where it
was not changed, or the unchanged run does not repeat.
"""


@dataclass(frozen=True, slots=True)
class CallCredit:
    """What one tool call of a run is worth."""

    call: int
    """Its number in the trace."""
    seq: int
    """Of its event."""
    line: int
    tool: str
    used: float | None
    """Share of the changes of its result that lead to another answer or call, 0 to 1."""
    credit: float | None
    """-1 for a wrong call, 0 for one without use, up to 1; None where nothing is known."""
    by: Literal["person", "check", ""]
    """Who says so."""


def call_uses(shaken: Shaken) -> tuple[CallUse, ...]:
    """How far the answer depends on each call, by the number of the call.

    Calls of one site are changed together as well as alone, and share their value.
    """
    tried: dict[Site, int] = defaultdict(int)
    moved: dict[Site, int] = defaultdict(int)
    for effect in shaken.effects:
        for site in effect.change.sites:
            tried[site] += 1
            moved[site] += effect.moved in ("answer", "asks")
    return tuple(
        (
            call.number,
            round(moved[call.site] / tried[call.site], 4)
            if shaken.repeats and tried[call.site]
            else None,
        )
        for call in shaken.calls
    )


def call_credits(
    events: Iterable[TraceEvent],
    uses: Mapping[int, float | None],
    right: bool,
    first_wrong: int | None,
) -> list[CallCredit]:
    """The credit of each tool call of a trace, in their order.

    Args:
        events: of the trace.
        uses: how far the answer depends on each call, by its number.
        right: whether the run counts as right, by a person or by the verifier.
        first_wrong: `seq` of the event that a person marked as the first wrong one.
    """
    questions: dict[int, TraceEvent] = {}
    ends: dict[int, int] = {}
    for event in events:
        number = event.payload.get("call")
        if event.kind == "tool" and number is not None:
            questions[number] = event
        elif event.kind == "tool_result" and number is not None:
            ends[number] = event.seq
    credits = []
    for number, event in questions.items():
        used = uses.get(number)
        credit, by = _credit(event.seq, ends.get(number, event.seq), used, right, first_wrong)
        tool = str(event.payload.get("tool", ""))
        credits.append(CallCredit(number, event.seq, event.line, tool, used, credit, by))
    return credits


def _credit(
    start: int, end: int, used: float | None, right: bool, first_wrong: int | None
) -> tuple[float | None, Literal["person", "check", ""]]:
    """The credit of one call, and who gives it.

    Args:
        start: `seq` of the call.
        end: `seq` of its result.
        used: how far the answer depends on it.
        right: whether the run counts as right.
        first_wrong: `seq` of the event that a person marked.
    """
    if first_wrong is None:
        return (used, "check") if right and used is not None else (None, "")
    if first_wrong in (start, end):
        return -1.0, "person"
    if end < first_wrong:
        return 1.0, "person"
    return None, ""


def mean_credit(credits: Sequence[CallCredit]) -> float | None:
    """The mean credit of the calls of which something is known; None where nothing is."""
    values = [one.credit for one in credits if one.credit is not None]
    return sum(values) / len(values) if values else None
