"""What the answers of runs rest on, derived when it is asked for and kept from then on.

To store a trace takes a fiftieth of the time that it takes to follow the run through its program.
So a trace is stored without its evidence, and the summary asks for that of the runs that are kept.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.records import Trace
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.records import rows as shape
from workbench.store.records.stored_trace import StoredTrace

_filling = threading.Lock()
READ = 1_000
"""Traces whose events are read at once."""

LACKING = "chosen IS NOT NULL AND evidence IS NULL"
"""Which lines of the summary lack the evidence of the run that is kept."""


def evidence(database: Database, trace_ids: Sequence[str]) -> dict[str, str]:
    """What the answers of these runs rest on, by the id of the trace; '' where that is nothing.

    What the store lacks is derived, and kept unless the store was opened for reading alone.
    Unknown ids are left out.
    """
    kinds: dict[str, str] = {}
    for start in range(0, len(trace_ids), READ):
        kinds |= _evidence(database, trace_ids[start : start + READ])
    return kinds


def _evidence(database: Database, trace_ids: Sequence[str]) -> dict[str, str]:
    sql = f"""
    SELECT trace.*, program.source, task.choices FROM (
        FROM trace WHERE id IN {IDS} AND evidence IS NULL
    ) AS trace LEFT JOIN program ON program.id = trace.program_id
        LEFT JOIN task ON task.id = trace.task_id
    """
    rows = database.rows(sql, {"ids": id_list(trace_ids)})
    fresh: dict[str, str] = {}
    if rows:
        parts = {row["key"]: shape.to_part(row) for row in database.rows("SELECT * FROM part")}
        fresh = {row["id"]: _derived(row, shape.to_trace(row, parts)) for row in rows}
        keep(database, fresh)
    sql = f"SELECT id, evidence FROM trace WHERE id IN {IDS} AND evidence IS NOT NULL"
    stored = database.rows(sql, {"ids": id_list(trace_ids)})
    return fresh | {row["id"]: row["evidence"] for row in stored}


def _derived(row: Mapping[str, Any], trace: Trace) -> str:
    return shape.evidence_in(trace, row["source"], tuple(row["choices"] or ()))


def keep(database: Database, kinds: Mapping[str, str]) -> None:
    """Keep what was derived, by the id of the trace, unless the store is open for reading alone."""
    if kinds and not database.read_only:
        values = {"ids": id_list(kinds), "kinds": id_list(kinds.values())}
        database.transaction(lambda cursor: cursor.execute(_KEEP.format("trace", "id"), values))


def keep_derived(database: Database, traces: Iterable[Trace]) -> None:
    """Keep the evidence of those stored traces that somebody has looked at."""
    looked = [trace for trace in traces if isinstance(trace, StoredTrace) and trace.derived]
    keep(database, {trace.id: trace.evidence or "" for trace in looked})


def fill_summary(database: Database, unread: str) -> None:
    """Fill in the evidence of the next lines of the summary that lack it, or note that none do.

    Args:
        database: open for writing.
        unread: what else may be open, as columns of a SELECT: it may have been opened meanwhile.
    """
    sql = f"SELECT chosen FROM outcome WHERE {LACKING} LIMIT {READ}"
    with _filling:  # who waits here finds the lines filled in that another thread was at
        ids = [row["chosen"] for row in database.rows(sql)]
        kinds = dict.fromkeys(ids, "") | evidence(database, ids)
        values = {"ids": id_list(kinds), "kinds": id_list(kinds.values())}

        def work(cursor: Any) -> None:
            cursor.execute(_KEEP.format("outcome", "chosen"), values)
            lines = f"EXISTS (FROM outcome WHERE {LACKING}) AS lines"
            lacks = any(cursor.execute(f"SELECT {unread}, {lines}").fetchone())
            cursor.execute(f"UPDATE summary SET lacking = {str(lacks).lower()}")

        database.transaction(work)


_KEEP = """
UPDATE {0} SET evidence = fresh.kind FROM (
    SELECT unnest(from_json($ids, '["VARCHAR"]')) AS id,
        unnest(from_json($kinds, '["VARCHAR"]')) AS kind
) AS fresh WHERE {0}.{1} = fresh.id AND {0}.evidence IS NULL
"""
