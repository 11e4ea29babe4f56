"""From events to states: which events count, what each reviewer says of a task now, what came of
the task.

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
from dataclasses import dataclass
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
    """What one reviewer says of one task now."""

    task_id: str
    author: str
    kind: str = "none"
    """`accept`, `reject` or `skip`; `none` where all of it was taken back."""
    trace_id: str | None = None
    program_id: str | None = None
    rationale_id: str | None = None
    reason: str | None = None
    seq: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What came of one task."""

    task_id: str
    state: State = "pending"
    outcome: str | None = None
    """`accept` or `reject`; None unless adjudicated."""
    votes: int = 0
    """Reviewers whose accept or reject stands."""
    needed: int = 1
    """Reviewers asked for."""
    trace_id: str | None = None
    """The target: None unless there is one."""
    program_id: str | None = None
    rationale_id: str | None = None
    edited: bool = False
    """The target's program or rationale was made by a person."""
    reason: str | None = None
    """Why it was rejected."""
    asked: str | None = None
    """Somebody sent it to the queue, in these words, and nobody has decided since."""
    asked_by: str | None = None
    asked_seq: int | None = None
    gold: str | None = None
    """The verdict known to be right."""
    seq: int = 0
    """The last event that counts; 0 where none does."""

    @property
    def target(self) -> bool:
        """It goes into training: its trace and rationale are the target."""
        return self.trace_id is not None


class History:
    """Events in order of `seq`, and what follows from them.  Grows by `add`; holds no more than it
    was given.

    A task's state needs the task's own events and those without a task (rollbacks, undos of
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
        """Names of all who ever accepted, rejected or skipped the task, whether that counts or not."""
        return sorted(
            {event.author for event in self.by_task.get(task_id, ()) if event.kind in VERDICTS}
        )

    def standing(self, task_id: str) -> list[Standing]:
        """Each reviewer's last word on the task, by author."""
        return sorted(_standing(self.active(task_id)), key=lambda one: one.author)

    def item(self, task_id: str, overlap: int) -> Item:
        """What came of the task, where `overlap` reviewers are asked for."""
        active = self.active(task_id)
        standing = _standing(active)
        ruling = _latest(active, RULINGS)
        state, target, reason = (
            _by_votes(standing, overlap) if ruling is None else _by_ruling(ruling)
        )
        gold = _latest(active, ("gold",))
        wish = _open_wish(active)
        return Item(
            task_id=task_id,
            state=state,
            outcome=ruling.ruling if ruling is not None and state == "adjudicated" else None,
            votes=sum(one.kind != "skip" for one in standing),
            needed=overlap,
            trace_id=target.trace_id if target else None,
            program_id=target.program_id if target else None,
            rationale_id=target.rationale_id if target else None,
            edited=target is not None and self._edited(target),
            reason=reason,
            asked=wish.text if wish else None,
            asked_by=wish.author if wish else None,
            asked_seq=wish.seq if wish else None,
            gold=gold.ruling if gold else None,
            seq=max((_seq(event) for event in active if event.kind in COUNTED), default=0),
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

    def _edited(self, target: Standing | Decision) -> bool:
        """Whether a person made the target's program or rationale; an edit stays one when it is
        taken back.
        """
        edits = {
            event.made for event in self.by_task.get(target.task_id, ()) if event.kind == "edit"
        }
        return not edits.isdisjoint({target.program_id, target.rationale_id} - {None})


_Result = tuple[State, Standing | Decision | None, str | None]
"""State, target and reason of a reject."""


def _by_ruling(event: Decision) -> _Result:
    """What an adjudicator, or the author of a gold item, made of the task."""
    accepted = event.ruling == "accept"
    state: State = "accepted" if accepted else "rejected"
    if event.kind == "adjudicate":
        state = "adjudicated"
    return state, event if accepted else None, event.reason


def _by_votes(standing: Sequence[Standing], overlap: int) -> _Result:
    """What the reviewers made of the task."""
    accepts = [one for one in standing if one.kind == "accept"]
    rejects = [one for one in standing if one.kind == "reject"]
    if accepts and rejects:
        return "disputed", None, None
    if accepts and len(accepts) >= overlap:
        return "accepted", max(accepts, key=lambda one: one.seq), None
    if rejects and len(rejects) >= overlap:
        return "rejected", None, max(rejects, key=lambda one: one.seq).reason
    # One vote of two that are asked for leaves the task pending; skips alone do not.
    skipped = bool(standing) and not accepts and not rejects
    return "skipped" if skipped else "pending", None, None


def _open_wish(active: Sequence[Decision]) -> Decision | None:
    """The latest wish for the queue, unless somebody has decided since."""
    wish = _latest(active, ("queue",))
    decision = _latest(active, ("accept", "reject", *RULINGS))
    answered = wish is not None and decision is not None and _seq(wish) < _seq(decision)
    return None if answered else wish


def _latest(active: Iterable[Decision], kinds: Sequence[str]) -> Decision | None:
    return max((event for event in active if event.kind in kinds), key=_seq, default=None)


def covers(rollback: Decision, event: Decision) -> bool:
    """Whether a rollback takes this event back: its subject's, stored within its span and before
    it.
    """
    return spans(rollback, event) and _seq(event) < _seq(rollback)


def spans(rollback: Decision, event: Decision) -> bool:
    """Whether an event is its subject's and stored within its span; rollbacks are never spanned."""
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
            f"event {event.id} has no place in the order yet; give events as the store gave them back"
        )
    return event.seq
