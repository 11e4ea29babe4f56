"""Everything about the questions that come next, read together before they are asked for.

To look for the records of one question DuckDB passes over as much as for those of fifty.  A queue
says which questions come next, so that their records are read in one go; what was read holds until
records are written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from workbench.records import PartRef
from workbench.store.kernel.database import Database
from workbench.store.reading.summary import scope_in_force, settled
from workbench.store.reading.views import TaskView, task_views
from workbench.store.records.scope import Scope

AHEAD = 96
"""Questions that are read with those that are asked for."""
MOST = 512
"""Questions that are kept."""


class ReadAhead:
    """What is known of some questions of a store, within the scope in force.

    Args:
        database: the store.
        parts: gives every part that made a record, by key.
    """

    def __init__(self, database: Database, parts: Callable[[], Mapping[str, PartRef]]) -> None:
        self._database = database
        self._parts = parts
        self._reading = threading.Lock()
        self._views: dict[str, TaskView] = {}
        self._state: tuple[Scope, int] | None = None

    def views(
        self, task_ids: Sequence[str], then: Callable[[], Iterable[str]] = tuple
    ) -> dict[str, TaskView]:
        """Everything about some questions, by id; unknown ids are left out.

        Args:
            task_ids: ids of the questions.
            then: gives those that come next; asked where one of the first is not known yet.
        """
        if self._database.read_only:  # it may not be up to date, and cannot be brought there
            scope = scope_in_force(self._database)
            return task_views(self._database, self._parts(), task_ids, scope)
        scope, turn = settled(self._database)
        # one at a time: what one reads, the others would read as well
        with self._reading:
            if self._state != (scope, turn) or len(self._views) > MOST:
                self._views, self._state = {}, (scope, turn)
            missing = [id for id in task_ids if id not in self._views]
            if missing:
                ahead = [id for id in then() if id not in self._views][:AHEAD]
                ids = list(dict.fromkeys([*missing, *ahead]))
                self._views |= task_views(self._database, self._parts(), ids, scope)
            return {id: self._views[id] for id in task_ids if id in self._views}
