"""What an earlier workbench left open in its rows, and SQL alone cannot fill in.

Tools and words of traces, forms of answers, how long runs worked, and whether rationales are bare:
each in small transactions, so that the work can stop anywhere and go on.  What answers rest on is
left open by every workbench (see `evidence`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.events import decode_events, tool_seconds
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.reading import views
from workbench.store.reading.evidence import evidence
from workbench.store.records import rows as shape
from workbench.store.records.tables import arrow_table
from workbench.store.records.words import text_of, tools_of

READ = 1_000
"""Traces whose events are read in one transaction."""

ANSWERS = 10_000
"""Answers and rationales that are filled in together."""

UNREAD = """
    EXISTS (FROM trace WHERE tools IS NULL) AS words,
    EXISTS (FROM trace WHERE form IS NULL) AS trace,
    EXISTS (FROM prediction WHERE form IS NULL) AS prediction,
    EXISTS (FROM trace WHERE work IS NULL) AS work,
    EXISTS (FROM rationale WHERE bare IS NULL) AS bare"""
"""Whether columns are open, for each of `STEPS`."""


def fill(database: Database) -> bool:
    """Fill in the next rows that are open; False where there are none.

    Args:
        database: open for writing.
    """
    (unread,) = database.rows(f"SELECT {UNREAD}")
    for name, step in STEPS.items():
        if unread[name]:
            step(database)
            return True
    return False


def _events(database: Database) -> None:
    """Fill in tools and words of traces."""
    rows = database.rows(f"SELECT * FROM trace WHERE tools IS NULL LIMIT {READ}")
    parts = {row["key"]: shape.to_part(row) for row in database.rows("SELECT * FROM part")}
    by_tools: dict[str, list[str]] = {}
    read = []
    for row in rows:
        trace = shape.to_trace(row, parts)
        try:
            tools = tools_of(trace.events)
        except ValueError:
            trace, tools = replace(trace, events=()), ""  # `vpd doctor` names it
        by_tools.setdefault(tools, []).append(trace.id)
        read.append({**row, "text": text_of(trace)})

    def update(cursor: Any) -> None:
        for tools, ids in by_tools.items():
            sql = f"UPDATE trace SET tools = $tools WHERE id IN {IDS} AND tools IS NULL"
            cursor.execute(sql, {"tools": tools, "ids": id_list(ids)})

    database.insert(
        {"touched": arrow_table("touched", shape.touches("trace", read), now())}, update
    )


def _trace_forms(database: Database) -> None:
    _forms(database, "trace")


def _prediction_forms(database: Database) -> None:
    _forms(database, "prediction")


def _forms(database: Database, table: str) -> None:
    """Fill in forms of answers, and touch their tasks."""
    sql = f"SELECT id, task_id, answer FROM {table} WHERE form IS NULL LIMIT {ANSWERS}"
    rows = database.rows(sql)
    tasks = {
        task.id: task for task in views.tasks(database, list({row["task_id"] for row in rows}))
    }
    forms = [shape.form_of(row["answer"], tasks.get(row["task_id"])) for row in rows]
    _set(database, table, "form", rows, forms)


def _work(database: Database) -> None:
    """Fill in how long models worked for runs, whose processor's time nobody took."""
    rows = database.rows(f"SELECT id, task_id, events FROM trace WHERE work IS NULL LIMIT {READ}")
    times = []
    for row in rows:
        try:
            times.append(str(tool_seconds(decode_events(row["events"]))))
        except ValueError:
            times.append("0")  # its events cannot be read: `vpd doctor` names it
    _set(database, "trace", "work", rows, times)


def _bare(database: Database) -> None:
    """Fill in whether rationales are bare."""
    from workbench.rationalize.check.bare import is_bare  # its room is large, and this is rare

    sql = f"""
    SELECT rationale.id, rationale.task_id, rationale.text, rationale.answer, task.question,
        rationale.trace_id
    FROM (FROM rationale WHERE bare IS NULL LIMIT {ANSWERS}) AS rationale
    LEFT JOIN task ON task.id = rationale.task_id
    """
    rows = database.rows(sql)
    kinds: Mapping[str, Any] = evidence(database, [row["trace_id"] for row in rows])
    values = [
        str(is_bare(row["text"], row["question"] or "", row["answer"], kind or None))
        for row in rows
        for kind in [kinds.get(row["trace_id"])]
    ]
    _set(database, "rationale", "bare", rows, values)


def _set(
    database: Database,
    table: str,
    column: str,
    rows: Sequence[Mapping[str, Any]],
    values: Sequence[str],
) -> None:
    """Set a column that is still open, and touch the rows' tasks.

    Args:
        database: the store.
        table: the table.
        column: the column; its values are cast to its type.
        rows: have the ids of the rows and of their tasks.
        values: one for each of the rows.
    """
    touched = shape.touches(table, [{"id": row["id"], "task_id": row["task_id"]} for row in rows])

    def update(cursor: Any) -> None:
        cursor.execute(
            f"""
            UPDATE {table} SET {column} = fresh.value FROM (
                SELECT unnest(from_json($ids, '["VARCHAR"]')) AS id,
                    unnest(from_json($values, '["VARCHAR"]')) AS value
            ) AS fresh WHERE {table}.id = fresh.id AND {table}.{column} IS NULL
            """,
            {"ids": id_list(row["id"] for row in rows), "values": id_list(values)},
        )

    database.insert({"touched": arrow_table("touched", touched, now())}, update)


STEPS: Mapping[str, Callable[[Database], None]] = {
    "words": _events,
    "trace": _trace_forms,
    "prediction": _prediction_forms,
    "work": _work,
    "bare": _bare,
}
"""What fills in each kind of column."""
