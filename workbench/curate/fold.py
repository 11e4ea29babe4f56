"""From events to states: which events count, what each reviewer says of a task now, what came of the task.

An item is one task (a question).  Its state follows from the events about it alone:

pending       fewer reviewers than asked for have accepted or rejected it
accepted      all who decided accepted; the latest accept names the target (trace and rationale)
rejected      all who decided rejected
skipped       nobody decided, at least one skipped
disputed      some accepted, some rejected
adjudicated   an adjudicator settled a dispute; `outcome` says how

A gold item (its answer is known, to measure reviewers by) has the state that its author gave it.

Taken back are: what a standing rollback covers, and what its own author undid.  An undo can be rolled back, a
rollback can be undone, and there it ends.  The views `item` and `standing_at` of the store say the same in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    kind: str
    """`accept`, `reject` or `skip`."""
    trace_id: str | None
    program_id: str | None
    rationale_id: str | None
    reason: str | None
    seq: int
    created_at: datetime | None


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
    """Events in order of `seq`, and what follows from them.  Grows by `add`; holds no more than it was given.

    A task's state needs the task's own events and those without a task (rollbacks, undos of batches).
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
        return not any(undo.author == event.author and _seq(undo) > _seq(event) and self.counts(undo) for undo in undos)

    def _of_a_rollback(self, undo: Decision) -> bool:
        target = self.by_id.get(undo.target or "")
        return target is not None and target.kind == "rollback"

    def active(self, task_id: str) -> list[Decision]:
        """The task's events that count."""
        return [event for event in self.by_task.get(task_id, ()) if event.kind != "undo" and self.counts(event)]

    def standing(self, task_id: str) -> list[Standing]:
        """Each reviewer's last word on the task, by author."""
        return sorted(_standing(self.active(task_id)), key=lambda said: said.author)

    def item(self, task_id: str, overlap: int) -> Item:
        """What came of the task, where `overlap` reviewers are asked for."""
        active = self.active(task_id)
        said = _standing(active)
        accepts = [one for one in said if one.kind == "accept"]
        rejects = [one for one in said if one.kind == "reject"]
        ruling = max((event for event in active if event.kind in RULINGS), key=_seq, default=None)
        state: State = "pending"
        aim: Standing | Decision | None = None
        why: str | None = None
        if ruling is not None:
            settled: State = "accepted" if ruling.verdict == "accept" else "rejected"
            state = "adjudicated" if ruling.kind == "adjudicate" else settled
            aim, why = (ruling if ruling.verdict == "accept" else None), ruling.reason
        elif accepts and rejects:
            state = "disputed"
        elif accepts and len(accepts) >= overlap:
            state, aim = "accepted", max(accepts, key=lambda one: one.seq)
        elif rejects and len(rejects) >= overlap:
            state, why = "rejected", max(rejects, key=lambda one: one.seq).reason
        elif said and not accepts and not rejects:
            state = "skipped"
        made = {event.made for event in self.by_task.get(task_id, ()) if event.kind == "edit"}
        wish = max((event for event in active if event.kind == "queue"), key=_seq, default=None)
        decided = max((_seq(e) for e in active if e.kind in ("accept", "reject", *RULINGS)), default=-1)
        if wish is not None and _seq(wish) < decided:
            wish = None
        return Item(
            task_id=task_id,
            state=state,
            outcome=ruling.verdict if ruling is not None and state == "adjudicated" else None,
            votes=len(accepts) + len(rejects),
            needed=overlap,
            trace_id=aim.trace_id if aim else None,
            program_id=aim.program_id if aim else None,
            rationale_id=aim.rationale_id if aim else None,
            edited=aim is not None and bool({aim.program_id, aim.rationale_id} & (made - {None})),
            reason=why,
            asked=wish.text if wish else None,
            asked_by=wish.author if wish else None,
            asked_seq=wish.seq if wish else None,
            gold=max((e for e in active if e.kind == "gold"), key=_seq).verdict
            if any(e.kind == "gold" for e in active)
            else None,
            seq=max((_seq(event) for event in active if event.kind in COUNTED), default=0),
        )


def covers(rollback: Decision, event: Decision) -> bool:
    """Whether a rollback takes this event back: its subject's, stored within its span and before it."""
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
            e.task_id, e.author, e.kind, e.trace_id, e.program_id, e.rationale_id, e.reason, _seq(e), e.created_at
        )
        for e in last.values()
    ]  # fmt: skip


def _seq(event: Decision) -> int:
    if event.seq is None:
        raise ValueError(f"event {event.id} has no place in the order yet; give events as the store gave them back")
    return event.seq
