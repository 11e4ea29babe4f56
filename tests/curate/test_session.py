"""What one did in a stretch of work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from decision_table import NOON

from workbench.curate.session import last_session
from workbench.records import Decision, DecisionKind


def event(at: float, kind: DecisionKind, task: str, **more: object) -> Decision:
    """An event that was stored so many minutes after noon."""
    id = f"event-{kind}-{task}-{at}"
    said = Decision(id, kind, "ann", "curator", task, created_at=NOON + timedelta(minutes=at))
    return replace(said, **more)  # type: ignore[arg-type]


def test_a_session_begins_after_a_long_pause_and_counts_what_stands() -> None:
    events = [
        (event(0, "accept", "old"), True),
        (event(31, "accept", "t1", seconds=4.0, automatic=True), True),
        (event(40, "reject", "t2", seconds=8.0, automatic=True, reason="ambiguous"), True),
        (event(41, "accept", "t3", seconds=2.0), False),
        (event(42, "undo", "t3"), True),
        (event(43, "skip", "t3", seconds=1.0), True),
        (event(44, "edit", "t1"), True),
        (event(70, "reject", "t1", seconds=6.0, automatic=False, reason="unsafe"), True),
        (event(71, "accept", "t4", batch="batch-0001", automatic=True), True),
    ]
    one = last_session(events)
    assert one is not None
    assert (one.begin, one.end) == (
        NOON + timedelta(minutes=31),
        NOON + timedelta(minutes=71),
    )
    assert dict(one.verdicts) == {"accept": 0, "reject": 2, "skip": 1}
    assert (one.decided, one.bulk, one.edits, one.undone) == (3, 1, 1, 1)
    assert dict(one.reasons) == {"ambiguous": 1, "unsafe": 1}
    assert (one.same, one.judged, one.seconds) == (1, 2, 6.0)


def test_without_events_there_is_no_session() -> None:
    assert last_session([]) is None
