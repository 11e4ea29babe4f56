"""From events to states: which events count, each reviewer's standing decision, a task's state.

An item is one task (a question).  Its state follows from the events about it alone:

pending       fewer reviewers than asked for have accepted or rejected it
accepted      all who decided accepted; the latest accept names the target (trace and rationale)
rejected      all who decided rejected
skipped       nobody decided, at least one skipped
disputed      some accepted, some rejected
adjudicated   an adjudicator settled a dispute; `outcome` says how

A gold item (its answer is known, to measure reviewers by) has the state that its author gave it.

Taken back are: what a standing rollback covers, and what its own author undid.  An undo can be
rolled back, a rollback can be undone, and there it ends.  `History.counts` is this rule; the
store's view `active_decision` says the same in SQL, and a test holds the two equal.  Nothing else
decides what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from workbench.records import Decision

State = Literal["pending", "accepted", "rejected", "skipped", "disputed", "adjudicated"]

VERDICTS = ("accept", "reject", "skip")
RULINGS = ("adjudicate", "gold")
COUNTED = (*VERDICTS, *RULINGS, "queue")
"""Kinds that change an item."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing decision of one reviewer on one task."""

    task_id: str
    author: str
    kind: str = "none"
    """One of `accept`, `reject` and `skip`; `none` where all of them were taken back."""
    trace_id: str | None = None
    program_id: str | None = None
    rationale_id: str | None = None
    reason: str | None = None
    seq: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """The state of one task's review."""

    task_id: str
    state: State = "pending"
    outcome: str | None = None
    """The adjudicator's `accept` or `reject`; None unless adjudicated."""
    votes: int = 0
    """Number of reviewers whose accept or reject stands."""
    needed: int = 1
    """Number of reviewers that the task needs."""
    trace_id: str | None = None
    """The target's trace; None unless there is a target."""
    program_id: str | None = None
    rationale_id: str | None = None
    edited: bool = False
    """Whether a person made the target's program or rationale."""
    reason: str | None = None
    """Reason of the reject; None unless rejected."""
    asked: str | None = None
    """Words of whoever sent it to the queue; None unless it was sent and nobody decided since."""
    asked_by: str | None = None
    asked_seq: int | None = None
    gold: str | None = None
    """The right decision on a gold item; None for other items."""
    seq: int = 0
    """Place of the last event that counts; 0 where none does."""

    @property
    def target(self) -> bool:
        """Whether the task has a target: a trace and a rationale that go into training."""
        return self.trace_id is not None


class History:
    """Events in order of `seq`, and what follows from them; it grows by `add`.

    The state of a task needs the task's own events and those without a task (rollbacks, undos of
    batches).
    """

    def __init__(self, events: Iterable[Decision] = ()) -> None:
        self.by_id: dict[str, Decision] = {}
        self.by_task: dict[str, list[Decision]] = {}
        self.by_batch: dict[str, list[Decision]] = {}
        self._undos: dict[str, list[Decision]] = {}
        self._rollbacks: list[Decision] = []
        for event in events:
            self.add(event)

    def add(self, event: Decision) -> None:
        """Add the next event in order of `seq`."""
        self.by_id[event.id] = event
        self.by_task.setdefault(event.task_id, []).append(event)
        if event.batch is not None:
            self.by_batch.setdefault(event.batch, []).append(event)
        if event.kind == "undo" and event.target is not None:
            self._undos.setdefault(event.target, []).append(event)
        if event.kind == "rollback":
            self._rollbacks.append(event)

    def counts(self, event: Decision) -> bool:
        """Whether the event stands: neither undone nor rolled back."""
        if event.kind == "rollback":
            return not any(_seq(undo) > _seq(event) for undo in self._undos.get(event.id, ()))
        if event.kind == "undo" and self._of_a_rollback(event):
            return True
        if any(covers(rollback, event) and self.counts(rollback) for rollback in self._rollbacks):
            return False
        if event.kind == "undo":
            return True
        undos = [*self._undos.get(event.id, ()), *self._undos.get(event.batch or "", ())]
        return not any(
            undo.author == event.author and _seq(undo) > _seq(event) and self.counts(undo)
            for undo in undos
        )

    def _of_a_rollback(self, undo: Decision) -> bool:
        target = self.by_id.get(undo.target or "")
        return target is not None and target.kind == "rollback"

    def active(self, task_id: str) -> list[Decision]:
        """The task's events that count."""
        return [
            event
            for event in self.by_task.get(task_id, ())
            if event.kind != "undo" and self.counts(event)
        ]

    def reviewers(self, task_id: str) -> list[str]:
        """Names of all who ever accepted, rejected or skipped the task, even if taken back."""
        return sorted(
            {event.author for event in self.by_task.get(task_id, ()) if event.kind in VERDICTS}
        )

    def standing(self, task_id: str) -> list[Standing]:
        """Each reviewer's last decision on the task that counts, by author."""
        return sorted(_standing(self.active(task_id)), key=lambda one: one.author)

    def item(self, task_id: str, overlap: int) -> Item:
        """The state of the task's review, where each task needs `overlap` reviewers."""
        active = self.active(task_id)
        standing = _standing(active)
        ruling = _latest(active, RULINGS)
        if ruling is None:
            state, target, reason = _by_votes(standing, overlap)
        else:
            state, target, reason = _by_ruling(ruling)
        gold = _latest(active, ("gold",))
        item = Item(
            task_id=task_id,
            state=state,
            outcome=ruling.ruling if ruling is not None and state == "adjudicated" else None,
            votes=sum(one.kind != "skip" for one in standing),
            needed=overlap,
            reason=reason,
            gold=gold.ruling if gold else None,
            seq=max((_seq(event) for event in active if event.kind in COUNTED), default=0),
        )
        return self._with_target(_with_wish(item, _open_wish(active)), target)

    def _with_target(self, item: Item, target: Standing | Decision | None) -> Item:
        if target is None:
            return item
        return replace(
            item,
            trace_id=target.trace_id,
            program_id=target.program_id,
            rationale_id=target.rationale_id,
            edited=self._has_edit(target),
        )

    def first_wrong(
        self, task_id: str, trace_id: str, author: str | None = None
    ) -> Decision | None:
        """The latest event that counts and names the first wrong step of a trace.

        Args:
            task_id: the question of the trace.
            trace_id: the trace.
            author: only this person's events; None takes everybody's.
        """
        marks = [
            event
            for event in self.active(task_id)
            if event.trace_id == trace_id
            and event.step is not None
            and author in (None, event.author)
        ]
        return marks[-1] if marks else None

    def _has_edit(self, target: Standing | Decision) -> bool:
        """Whether a person made the target's program or rationale, even by an edit taken back."""
        edits = {
            event.made for event in self.by_task.get(target.task_id, ()) if event.kind == "edit"
        }
        return not edits.isdisjoint({target.program_id, target.rationale_id} - {None})


_Result = tuple[State, Standing | Decision | None, str | None]
"""State, target and reason of a reject."""


def _by_ruling(event: Decision) -> _Result:
    """The state that an adjudicator, or the author of a gold item, gives a task."""
    accepted = event.ruling == "accept"
    state: State = "accepted" if accepted else "rejected"
    if event.kind == "adjudicate":
        state = "adjudicated"
    return state, event if accepted else None, event.reason


def _by_votes(standing: Sequence[Standing], overlap: int) -> _Result:
    """The state that the reviewers' decisions give a task."""
    accepts = [one for one in standing if one.kind == "accept"]
    rejects = [one for one in standing if one.kind == "reject"]
    if accepts and rejects:
        return "disputed", None, None
    if accepts and len(accepts) >= overlap:
        return "accepted", max(accepts, key=lambda one: one.seq), None
    if rejects and len(rejects) >= overlap:
        return "rejected", None, max(rejects, key=lambda one: one.seq).reason
    # One vote of two that are needed leaves the task pending; skips alone do not.
    skipped = bool(standing) and not accepts and not rejects
    return "skipped" if skipped else "pending", None, None


def _with_wish(item: Item, wish: Decision | None) -> Item:
    if wish is None:
        return item
    return replace(item, asked=wish.text, asked_by=wish.author, asked_seq=wish.seq)


def _open_wish(active: Sequence[Decision]) -> Decision | None:
    """The latest wish for the queue, unless somebody has decided since."""
    wish = _latest(active, ("queue",))
    decision = _latest(active, ("accept", "reject", *RULINGS))
    answered = wish is not None and decision is not None and _seq(wish) < _seq(decision)
    return None if answered else wish


def _latest(active: Iterable[Decision], kinds: Sequence[str]) -> Decision | None:
    return max((event for event in active if event.kind in kinds), key=_seq, default=None)


def covers(rollback: Decision, event: Decision) -> bool:
    """Whether a rollback takes an event back: one that it spans and that was stored before it."""
    return spans(rollback, event) and _seq(event) < _seq(rollback)


def spans(rollback: Decision, event: Decision) -> bool:
    """Whether an event is of a rollback's subject and within its span; no rollback ever is."""
    return (
        event.kind != "rollback"
        and event.author == rollback.subject
        and event.created_at is not None
        and rollback.since is not None
        and rollback.until is not None
        and rollback.since <= event.created_at < rollback.until
    )


def _standing(active: Iterable[Decision]) -> list[Standing]:
    last: dict[str, Decision] = {}
    for event in active:
        if event.kind in VERDICTS:
            last[event.author] = event
    return [
        Standing(
            task_id=event.task_id,
            author=event.author,
            kind=event.kind,
            trace_id=event.trace_id,
            program_id=event.program_id,
            rationale_id=event.rationale_id,
            reason=event.reason,
            seq=_seq(event),
            created_at=event.created_at,
        )
        for event in last.values()
    ]


def _seq(event: Decision) -> int:
    if event.seq is None:
        raise ValueError(
            f"event {event.id} has no place in the order yet; "
            "give events as the store gave them back"
        )
    return event.seq
