"""Events of stored traces are decoded by those who look at them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_rows import empty_project, loop_records, put_in_force, task

from workbench.events import encode_events
from workbench.records import TraceEvent
from workbench.store import Project
from workbench.store.records.packed_events import PackedEvents
from workbench.verify.choose import AnswerVerifier

EVENTS = (
    TraceEvent(0, "tool", 2, 0, {"tool": "find"}),
    TraceEvent(1, "end", 0, 0, {"answer": "2"}),
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(empty_project(tmp_path)) as made:
        put_in_force(made)
        yield made


def test_they_are_the_events_that_were_stored() -> None:
    packed = PackedEvents(encode_events(EVENTS))
    assert packed == EVENTS
    assert packed == EVENTS
    assert (len(packed), packed[-1], packed[1:], list(packed)) == (
        2,
        EVENTS[1],
        EVENTS[1:],
        list(EVENTS),
    )
    assert repr(packed) == repr(EVENTS)
    assert PackedEvents(encode_events(EVENTS)) != EVENTS[:1]
    assert pickle.loads(pickle.dumps(PackedEvents(encode_events(EVENTS)))) == EVENTS


def test_a_verdict_needs_no_events(project: Project) -> None:
    """Damaged events stop whoever looks at them, not the verifier, which looks at answers alone."""
    made = loop_records(task(0), 3)
    made.write(project)
    project.database.transaction(
        lambda cursor: cursor.execute("UPDATE trace SET events = 'broken'::BLOB")
    )
    ((found, runs),) = project.runs([made.task.id], project.scope())
    assert [verdict.correct for verdict in AnswerVerifier().judge(found, runs)] == [
        False,
        True,
        False,
    ]
    with pytest.raises(ValueError, match="no encoded trace"):
        len(runs[0][1].events)
