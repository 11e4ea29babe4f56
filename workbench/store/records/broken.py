"""Traces that broke (`infra`), and how they give way to their repetition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.records import Trace
from workbench.store.kernel.database import IDS, id_list

_BROKEN = f"""
SELECT id, task_id, executor FROM trace WHERE failure_kind = 'infra' AND id IN {IDS}
"""

_VERDICTS = """
DELETE FROM verdict
WHERE task_id = ? AND trace_id IN (SELECT id FROM trace WHERE executor = ?)
"""


def replaced_by(traces: Sequence[Trace]) -> Callable[[Any], None]:
    """What deletes broken traces of the same ids, with the verdicts of their tasks' runs."""
    ids = id_list(trace.id for trace in traces)

    def make_room(cursor: Any) -> None:
        for trace_id, task_id, executor in cursor.execute(_BROKEN, {"ids": ids}).fetchall():
            cursor.execute(_VERDICTS, [task_id, executor])
            cursor.execute("DELETE FROM trace WHERE id = ?", [trace_id])

    return make_room
