"""Decisions that arrive while others are being stored: they share the next transaction.

A commit waits for the disk and asks the same questions of the store for one decision as for many.
Whoever comes first stores what waits; the others find their own answer, or their own error, when
their turn comes.  Nothing is answered before it is committed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.records import Decision
from workbench.store.kernel.database import FEW
from workbench.store.kernel.locks import WriteLock

Store = Callable[[Sequence[Decision]], list[Decision]]
"""Stores events in one transaction, all or none; gives each as it is stored."""


@dataclass(slots=True, eq=False)
class _WaitingCall:
    """The events of one call, all or none of which are to be stored."""

    events: Sequence[Decision]
    stored: list[Decision] = field(default_factory=list)
    error: Exception | None = None
    answered: bool = False

    def by(self, store: Store) -> None:
        """Store the events by themselves; what is raised is the answer."""
        try:
            self.stored = store(self.events)
        except Exception as error:
            self.error = error
        self.answered = True


class CommitGroup:
    """What threads of one process want to store at once, stored in one transaction.

    Args:
        store: stores events.
        lock: the lock of every write, which a thread may hold already when it calls.
    """

    def __init__(self, store: Store, lock: WriteLock) -> None:
        self._store = store
        self._lock = lock
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._line: list[_WaitingCall] = []

    def add(self, events: Sequence[Decision]) -> list[Decision]:
        """Store events, with those that other threads want to store at this moment.

        Returns:
            Each as it is stored.

        Raises:
            InputError: a rule is broken; nothing of these events is stored, and others are.
        """
        if self._lock.mine:  # a leader of others would wait for this thread
            return self._store(events)
        one = _WaitingCall(events)
        with self._guard:
            self._line.append(one)
        try:
            with self._turn:
                while not one.answered:
                    with self._lock:
                        self._lead()
        finally:  # a call that was cut off, by Ctrl-C, is stored by nobody
            with self._guard:
                self._line = [other for other in self._line if other is not one]
        if one.error is not None:
            raise one.error
        return one.stored

    def _lead(self) -> None:
        """Store what waits, in the order in which it came."""
        group = self._group()
        try:
            _store_all(group, self._store)
        finally:  # where this call is cut off, the others are left to whoever leads next
            with self._guard:
                self._line[:0] = [one for one in group if not one.answered]

    def _group(self) -> list[_WaitingCall]:
        """The calls at the head of the line: at least one, few enough to be looked up by key."""
        with self._guard:
            count = events = 0
            for one in self._line:
                events += len(one.events)
                if count and events > FEW:
                    break
                count += 1
            group, self._line = self._line[:count], self._line[count:]
        return group


def _store_all(group: Sequence[_WaitingCall], store: Store) -> None:
    """Store several calls together; one by one where one of them is refused."""
    if len(group) > 1:
        try:
            stored = iter(store([event for one in group for event in one.events]))
        except Exception:  # which call it is about only a try of each can tell
            stored = None
        if stored is not None:
            for one in group:
                one.stored = [next(stored) for _ in one.events]
                one.answered = True
            return
    for one in group:
        one.by(store)
