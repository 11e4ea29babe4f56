"""What a reviewer did in one stretch of work, from the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from workbench.curate.fold import VERDICTS
from workbench.records import Decision

PAUSE = timedelta(minutes=30)
"""A longer pause between two events ends a session."""


@dataclass(frozen=True, slots=True)
class WorkSession:
    """One stretch of work; what was taken back counts in `undone` alone."""

    begin: datetime
    """Time of the first event (UTC), and `end` that of the last one."""
    end: datetime
    verdicts: Mapping[str, int]
    """Questions that were accepted, rejected and skipped one by one."""
    bulk: int
    """Questions that were decided in batches."""
    reasons: Mapping[str, int]
    """Rejects by reason, one by one, the most frequent first."""
    edits: int
    """Rationales and programs that were edited."""
    undone: int
    """Events that were taken back."""
    seconds: float | None
    """Median time of a decision; None where none was measured."""
    same: int
    """Accepts and rejects of `judged` that say what the verifier says."""
    judged: int
    """Accepts and rejects, one by one, of runs that the verifier judged."""

    @property
    def decided(self) -> int:
        """Questions that were decided one by one."""
        return sum(self.verdicts.values())


def last_session(events: Sequence[tuple[Decision, bool]]) -> WorkSession | None:
    """A person's last session; None without events.

    Args:
        events: the person's events in their order, each with whether it stands.
    """
    recent = _without_pause(events)
    if not recent:
        return None
    standing = [event for event, stands in recent if stands]
    last = {event.task_id: event for event in standing if event.kind in VERDICTS}
    single = [event for event in last.values() if event.batch is None]
    seconds = [event.seconds for event in single if event.seconds is not None]
    same, judged = _with_verifier(single)
    return WorkSession(
        begin=_time(recent[0][0]),
        end=_time(recent[-1][0]),
        verdicts=dict.fromkeys(VERDICTS, 0) | Counter(event.kind for event in single),
        bulk=len(last) - len(single),
        reasons=dict(Counter(e.reason for e in single if e.reason is not None).most_common()),
        edits=Counter(event.kind for event in standing)["edit"],
        undone=_undone(recent),
        seconds=median(seconds) if seconds else None,
        same=same,
        judged=judged,
    )


def _with_verifier(verdicts: Sequence[Decision]) -> tuple[int, int]:
    """How many accepts and rejects say what the verifier says, and of how many it says anything."""
    ruled = [one for one in verdicts if one.kind != "skip" and one.automatic is not None]
    return sum((one.kind == "accept") == one.automatic for one in ruled), len(ruled)


def _undone(events: Sequence[tuple[Decision, bool]]) -> int:
    """How many events were taken back."""
    return sum(not stands and event.kind not in _BACK for event, stands in events)


_BACK = ("undo", "rollback")
"""Events that only take others back."""


def _without_pause(events: Sequence[tuple[Decision, bool]]) -> Sequence[tuple[Decision, bool]]:
    """The last events between which nobody paused for long."""
    begin = len(events)
    while begin and (
        begin == len(events) or _time(events[begin][0]) - _time(events[begin - 1][0]) <= PAUSE
    ):
        begin -= 1
    return events[begin:]


def _time(event: Decision) -> datetime:
    if event.created_at is None:
        raise ValueError(f"event {event.id} has no time yet; give events as the store gave them")
    return event.created_at
