"""What may not be said, and the words that say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from decision_table import FACTS, NOON, RATING, Table

from workbench.curate.fold import History
from workbench.curate.rules import Facts, check
from workbench.errors import InputError
from workbench.records import KINDS, REASON_WORDS, REASONS, Decision, Form, Reason

HERE = {"trace_id": "trace-1"}


@pytest.mark.parametrize(
    ("kind", "more", "text"),
    [
        ("praise", {}, "no decision is called 'praise'; there are: accept, reject"),
        ("accept", {"role": "king"}, "no role is called 'king'"),
        ("accept", {"role": "viewer"}, "may look but not decide"),
        ("accept", {"author": " "}, "needs its author's name"),
        ("accept", {"task_id": ""}, "'accept' needs the task that it is about"),
        ("accept", {"id": "short"}, "8 to 64 letters"),
        ("accept", {"batch": "no spaces please"}, "decision's batch has 8 to 64"),
        ("accept", {}, "names the trace that becomes the target"),
        ("accept", {**HERE, "reason": "unsafe"}, "no field 'reason'; it belongs to: reject"),
        ("accept", {**HERE, "program_id": "p2"}, "is not of program 'p2'"),
        ("accept", {**HERE, "seconds": float("nan")}, "seconds spent must be 0 to"),
        ("accept", {**HERE, "text": "x" * 20_001}, "the text has 20001 characters"),
        ("accept", {"rationale_id": "told-1"}, "name its own trace"),
        ("reject", {}, "a reject needs a reason: wrong_tool_output"),
        ("reject", {"reason": "ugly"}, "no reason is called 'ugly'"),
        ("reject", {"reason": "other", "text": " "}, "'other' needs words"),
        ("reject", {"reason": "unsafe", "step": 1}, "step 1 is not in the trace"),
        ("note", {}, "a note needs words"),
        ("wrong_step", {**HERE}, "needs a trace and the number of the step"),
        ("wrong_step", {**HERE, "step": 5}, "step 5 is not in the trace, which has 5 events"),
        ("wrong_step", {**HERE, "step": -1}, "step -1 is not in the trace"),
        ("edit", {"program_id": "p1"}, "names its parent"),
        ("edit", {"program_id": "p1", "made": "p1"}, "nothing was changed"),
        (
            "adjudicate",
            {"ruling": "accept", **HERE},
            "belongs to the role adjudicator or admin; ann is curator",
        ),
        (
            "adjudicate",
            {"role": "adjudicator", "ruling": "accept", **HERE},
            "only a disputed item .* is pending",
        ),
        ("gold", {"role": "adjudicator", "ruling": "accept", **HERE}, "belongs to the role admin"),
        ("gold", {"role": "admin"}, "needs a verdict: accept or reject"),
        ("gold", {"role": "admin", "ruling": "reject"}, "needs a reason"),
        (
            "gold",
            {"role": "admin", "ruling": "accept", "reason": "unsafe", **HERE},
            "belongs to a reject",
        ),
        ("rating", {}, "needs its form"),
        ("rating", {"rating": replace(RATING, right="model-a")}, "compares two models"),
        ("rating", {"rating": replace(RATING, right="model-c")}, "nothing by model-c to rate"),
        (
            "rating",
            {"rating": replace(RATING, preference="mine")},
            "no preference is called 'mine'",
        ),
        (
            "rating",
            {"rating": replace(RATING, left_form=Form(True, True))},
            "rated factual and consistent, too",
        ),
        (
            "rating",
            {"rating": replace(RATING, left_form=Form(True, False, True, None))},
            "asked only of an answer that",
        ),
        ("undo", {"target": "event-none"}, "no event and no batch 'event-none'"),
        ("rollback", {"task_id": ""}, "names a reviewer, from when and until when"),
        (
            "rollback",
            {"task_id": "", "subject": "ann", "since": NOON, "until": NOON},
            "covers nothing",
        ),
        (
            "rollback",
            {"task_id": "", "subject": "bob", "since": NOON, "until": NOON + timedelta(1)},
            "only an admin rolls back another's",
        ),
        (
            "rollback",
            {"task_id": "", "subject": "ann", "since": NOON, "until": NOON + timedelta(1)},
            "ann decided nothing from",
        ),
    ],
)
def test_it_is_refused(kind: Any, more: dict[str, Any], text: str) -> None:
    given = {"id": "event-0001", "author": "ann", "role": "curator", "task_id": "t1", **more}
    with pytest.raises(InputError, match=text):
        check(Decision(kind=kind, **given), History(), FACTS)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (Facts(), "no task is called 't1'"),
        (replace(FACTS, trace_task="t2"), "task 't1' has no trace 'trace-1'"),
        (replace(FACTS, trace_ok=False), "ended without an answer and cannot be a target"),
    ],
)
def test_what_is_named_must_be_there(facts: Facts, text: str) -> None:
    with pytest.raises(InputError, match=text):
        check(Decision("event-0001", "accept", "ann", "curator", "t1", "trace-1"), History(), facts)


def test_only_ones_own_is_undone() -> None:
    table = Table()
    said = table.accept("ann")
    with pytest.raises(InputError, match="is ann's; only one's own can be undone"):
        table.say("undo", "bob", target=said.id)


def test_an_event_is_undone_once() -> None:
    table = Table()
    said = table.accept("ann")
    table.undo(said)
    with pytest.raises(InputError, match="was taken back already"):
        table.undo(said)


def test_an_undo_is_final() -> None:
    table = Table()
    undo = table.undo(table.accept("ann"))
    with pytest.raises(InputError, match="an undo cannot be undone; decide again"):
        table.undo(undo)


def test_an_undo_names_the_task_of_its_event() -> None:
    table = Table()
    said = table.accept("ann")
    with pytest.raises(InputError, match="is about task 't1', not 't2'"):
        table.say("undo", "ann", task="t2", target=said.id)


def test_a_batch_is_undone_once() -> None:
    table = Table()
    table.accept("ann", batch="batch-0001")
    with pytest.raises(InputError, match="about no single task"):
        table.say("undo", "ann", target="batch-0001")
    table.say("undo", "ann", task="", target="batch-0001")
    with pytest.raises(InputError, match="nothing of batch 'batch-0001' is left to undo for ann"):
        table.say("undo", "ann", task="", target="batch-0001")


def test_every_digit_has_a_reason_and_every_reason_words() -> None:
    assert tuple(REASONS.values()) == tuple(REASON_WORDS) == get_args(Reason)


def test_the_table_of_kinds_is_whole() -> None:
    from workbench.curate import rules

    assert [kind for kind in KINDS if f"| {kind} " not in (rules.__doc__ or "")] == []
