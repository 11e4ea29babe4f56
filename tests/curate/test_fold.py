"""From events to states, without a store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from decision_table import NOON, Table

from workbench.curate.fold import Item


@pytest.fixture
def table() -> Table:
    return Table()


def test_nothing_said_is_pending(table: Table) -> None:
    assert table.history.item("t1", 2) == Item("t1", needed=2)


def test_an_accept_makes_its_trace_the_target(table: Table) -> None:
    table.accept(rationale_id="told-1", program_id="p1")
    item = table.history.item("t1", 1)
    assert (item.state, item.target, item.trace_id, item.rationale_id) == (
        "accepted",
        True,
        "trace-1",
        "told-1",
    )


def test_the_latest_accept_names_the_target(table: Table) -> None:
    table.accept("ann", "trace-1")
    table.accept("bob", "trace-2")
    assert table.history.item("t1", 2).trace_id == "trace-2"


def test_a_reject_says_why(table: Table) -> None:
    table.reject()
    item = table.history.item("t1", 1)
    assert (item.state, item.reason, item.target) == ("rejected", "ambiguous", False)


def test_a_skip_counts_as_nobody(table: Table) -> None:
    table.say("skip")
    assert table.state() == "skipped"
    table.accept("bob")
    assert table.state() == "accepted"


def test_an_overlap_of_two_needs_two_different_people(table: Table) -> None:
    table.accept("ann")
    table.accept("ann")
    assert table.state(overlap=2) == "pending"
    table.accept("bob")
    assert table.state(overlap=2) == "accepted"


def test_two_who_differ_are_a_dispute_until_it_is_adjudicated(table: Table) -> None:
    table.accept("ann")
    table.reject("bob")
    assert table.state() == "disputed"
    ruling = table.say("adjudicate", "cy", "adjudicator", ruling="accept", trace_id="trace-9")
    item = table.history.item("t1", 1)
    assert (item.state, item.outcome, item.trace_id) == ("adjudicated", "accept", "trace-9")
    table.undo(ruling)
    assert table.state() == "disputed"


def test_changing_ones_mind_is_no_dispute(table: Table) -> None:
    table.accept("ann")
    table.reject("ann")
    assert table.state() == "rejected"


def test_an_undo_brings_back_what_was_said_before(table: Table) -> None:
    table.accept("ann")
    table.undo(table.reject("ann"))
    assert table.state() == "accepted"


def test_a_batch_is_undone_by_one_event(table: Table) -> None:
    table.accept("ann", batch="batch-0001")
    table.say("undo", "ann", task="", target="batch-0001")
    assert table.state() == "pending"


def test_a_rollback_takes_back_one_persons_span_and_nothing_else(table: Table) -> None:
    table.accept("ann")
    table.reject("bob")
    back = table.say(
        "rollback", "root", "admin", "", subject="ann", since=NOON, until=NOON + timedelta(hours=2)
    )
    assert table.state() == "rejected"
    table.say("undo", "root", "admin", "", target=back.id)
    assert table.state() == "disputed"


def test_a_rollback_does_not_reach_what_is_said_after_it(table: Table) -> None:
    table.accept("ann")
    table.say(
        "rollback", "ann", "curator", "", subject="ann", since=NOON, until=NOON + timedelta(days=9)
    )
    table.reject("ann")
    assert table.state() == "rejected"


def test_rolling_back_an_undo_gives_back_what_it_took(table: Table) -> None:
    accepted = table.accept("ann")
    table.undo(accepted)
    table.say(
        "rollback",
        "root",
        "admin",
        "",
        subject="ann",
        since=NOON + timedelta(hours=2),
        until=NOON + timedelta(hours=3),
    )
    assert table.state() == "accepted"


def test_an_edited_rationale_marks_the_target(table: Table) -> None:
    table.say("edit", trace_id="trace-1", rationale_id="told-1", made="told-2")
    table.accept(rationale_id="told-2")
    assert table.history.item("t1", 1).edited


def test_a_settled_item_that_is_sent_again_is_asked_for_until_somebody_decides(
    table: Table,
) -> None:
    table.accept("ann")
    table.say("queue", "bob", text="look again")
    item = table.history.item("t1", 1)
    assert (item.state, item.asked, item.asked_by) == ("accepted", "look again", "bob")
    table.accept("cy")
    assert table.history.item("t1", 1).asked is None


def test_a_gold_item_has_the_state_its_author_gave_it(table: Table) -> None:
    table.accept("ann")
    table.say("gold", "root", "admin", ruling="reject", reason="bad_gold")
    item = table.history.item("t1", 1)
    assert (item.state, item.gold, item.reason, item.target) == (
        "rejected",
        "reject",
        "bad_gold",
        False,
    )


def test_events_without_a_place_are_refused() -> None:
    table = Table()
    event = table.accept()
    from dataclasses import replace

    table.history.add(replace(event, id="event-9999", seq=None))
    with pytest.raises(ValueError, match="event-9999 has no place in the order yet"):
        table.state()
