"""Results of the checks for wrong reasons, one row per checked trace, and figures about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.records import JSON, storable_json
from workbench.store.kernel.database import IDS, Database, id_list, now


@dataclass(frozen=True, slots=True)
class CheckRow:
    """What the checks say about one trace."""

    id: str
    """Content key of all that the checks looked at."""
    trace_id: str
    task_id: str
    suspicion: float
    """How suspicious the trace is, 0 to 1."""
    flags: tuple[str, ...]
    """Names of the checks that speak against the trace."""
    findings: tuple[tuple[str, float, str], ...]
    """Check, score and sentence, the gravest first; sentences quote hostile text."""
    calls: tuple[tuple[int, float | None], ...] | None = None
    """How far the answer depends on each call, by the call's number; None where it was not asked,
    as by checks of earlier versions.
    """


def add(database: Database, rows: Sequence[CheckRow]) -> None:
    """Write rows, each in place of its trace's earlier one."""
    _replace(
        database,
        "trace_check",
        "trace_id",
        [
            {
                "trace_id": row.trace_id,
                "id": row.id,
                "task_id": row.task_id,
                "suspicion": row.suspicion,
                "flags": "".join(f"|{name}" for name in row.flags) + "|" if row.flags else "",
                "findings": json.dumps(row.findings),
                "calls": None if row.calls is None else json.dumps(row.calls),
            }
            for row in rows
        ],
    )


def check_rows(database: Database, trace_ids: Sequence[str]) -> dict[str, CheckRow]:
    """What the checks say about these traces, by trace; unchecked ones are left out."""
    rows = database.rows(
        f"SELECT * FROM trace_check WHERE trace_id IN {IDS}",
        {"ids": id_list(trace_ids)},
    )
    return {
        row["trace_id"]: CheckRow(
            row["id"],
            row["trace_id"],
            row["task_id"],
            row["suspicion"],
            tuple(name for name in row["flags"].split("|") if name),
            tuple((check, score, text) for check, score, text in json.loads(row["findings"])),
            _calls(row["calls"]),
        )
        for row in rows
    }


def checked_traces(database: Database) -> list[str]:
    """Ids of the traces whose calls were checked, in order of import."""
    sql = """
    SELECT trace_id AS id FROM trace_check JOIN task ON task.id = trace_check.task_id
    WHERE calls IS NOT NULL ORDER BY task.seq, trace_id
    """
    return [row["id"] for row in database.rows(sql)]


def _calls(text: str | None) -> tuple[tuple[int, float | None], ...] | None:
    return None if text is None else tuple((number, used) for number, used in json.loads(text))


def flag_counts(database: Database) -> tuple[int, dict[str, int]]:
    """How many kept traces were checked, and how many of them each check speaks against, the most
    frequent check first.
    """
    kept = "trace_check SEMI JOIN outcome ON outcome.chosen = trace_check.trace_id"
    (total,) = database.rows(f"SELECT count(*) AS n FROM {kept}")
    rows = database.rows(
        f"""
        SELECT flag, count(*) AS n
        FROM (SELECT unnest(string_split(trim(flags, '|'), '|')) AS flag FROM {kept})
        WHERE flag <> '' GROUP BY flag ORDER BY n DESC, flag
        """
    )
    return total["n"], {row["flag"]: row["n"] for row in rows}


def add_figures(database: Database, kind: str, figures: Mapping[str, JSON]) -> None:
    """Keep figures about the checks, in place of earlier ones of their kind.

    Args:
        database: the store.
        kind: name of the figures.
        figures: anything that JSON can hold.
    """
    _replace(database, "check_figure", "kind", [{"kind": kind, "figures": json.dumps(figures)}])


def figures(database: Database, kind: str) -> dict[str, Any] | None:
    """The figures of a kind; None before they were made."""
    rows = database.rows("SELECT figures FROM check_figure WHERE kind = ?", [kind])
    kept: dict[str, Any] | None = json.loads(rows[0]["figures"]) if rows else None
    return kept


def _replace(database: Database, table: str, key: str, rows: Sequence[Mapping[str, JSON]]) -> None:
    if not rows:
        return
    stamped = [{**row, "created_at": str(now())} for row in rows]
    columns = list(stamped[0])
    shape = json.dumps([{name: "DOUBLE" if name == "suspicion" else "VARCHAR" for name in columns}])
    change = ", ".join(f"{name} = excluded.{name}" for name in columns if name != key)
    # One text parameter for all rows, as in `decisions.put`: the same on every connection.
    sql = (
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT unnest(from_json($rows, '{shape}'), max_depth := 2) "
        f"ON CONFLICT ({key}) DO UPDATE SET {change}"
    )
    text = json.dumps(storable_json(stamped))
    database.transaction(lambda cursor: cursor.execute(sql, {"rows": text}))
