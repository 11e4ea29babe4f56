"""The automatic verdicts on runs that people decide on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.store.kernel.database import listed
from workbench.store.kernel.literal import literal
from workbench.store.reading.summary import late_tasks
from workbench.store.records.scope import LATEST

FEW = 8
"""Lines of `outcome` that are looked for one by one; more are joined."""

_KNOWN = {"right": True, "wrong": False}
"""Verdicts by what a line of `outcome` calls a run."""


def automatic(cursor: Any, tasks: Mapping[str, str]) -> dict[str, bool]:
    """Whether the verifier holds runs for right; those that it has not judged are left out.

    The verdict in force counts where there is one, else the newest.

    Args:
        cursor: of the store.
        tasks: the task of each run, by the id of its trace.
    """
    if not tasks:
        return {}
    lines = dict(_of_lines(cursor, sorted(set(tasks.values()))))
    verdicts = {trace: lines[trace] for trace in tasks if trace in lines}
    lacking = {task for trace, task in tasks.items() if trace not in verdicts}
    if lacking:
        verdicts |= {
            trace: right for trace, right in _of_verdicts(cursor, lacking) if trace in tasks
        }
    return verdicts


def _of_lines(cursor: Any, tasks: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Verdicts in force, from the lines of `outcome` that are up to date: a fifth of the rows."""
    line = "SELECT id, runs FROM outcome WHERE id"
    if len(tasks) > FEW:
        sql = f"{line} IN {listed(tasks)}"
    else:
        sql = " UNION ALL ".join(f"{line} = {literal(task)}" for task in tasks)
    late = late_tasks(cursor, tasks)
    for task, runs in cursor.execute(sql).fetchall():
        if task not in late:
            for _, _, trace, result, *_ in json.loads(runs):
                if result in _KNOWN:
                    yield trace, _KNOWN[result]


def _of_verdicts(cursor: Any, tasks: set[str]) -> list[tuple[str, bool]]:
    """Verdicts on all runs of some tasks."""
    sql = f"""
    WITH latest AS ({LATEST})
    SELECT trace_id, arg_max(correct, (
        coalesce(verdict.verifier = latest.verifier AND runs = latest.k, false), created_at
    )) FROM verdict, latest WHERE task_id IN {listed(sorted(tasks))} GROUP BY trace_id
    """
    rows: list[tuple[str, bool]] = cursor.execute(sql).fetchall()
    return rows
