"""Runs of the loop: which part played which role in each, and how long every batch took."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from workbench.environment import environment, in_words
from workbench.errors import StoreError
from workbench.records import PartRef
from workbench.store.kernel.database import Database, now
from workbench.store.records import rows as shape
from workbench.store.records.scope import Scope, Selection
from workbench.store.records.tables import arrow_table
from workbench.usage import Usage

ROLES = ("sampler", "executor", "verifier", "writer", "student")
"""Roles that a run has a column for."""


def start(database: Database, scope: Scope, selection: Selection, upto: str) -> int:
    """Open a row for a run; returns its number.

    Args:
        database: the store.
        scope: gives the number of programs of a question and the seed; `set_part` gives the parts.
        selection: the questions that the run is about.
        upto: name of the last stage that it does.
    """
    columns = "id, version, k, seed, split, task_limit, upto, created_at"
    values = [in_words(environment()), scope.k, scope.seed, selection.split, selection.limit, upto]

    def work(cursor: Any) -> int:
        number = int(cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM run").fetchone()[0])
        cursor.execute(
            f"INSERT INTO run ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [number, *values, now()],
        )
        return number

    return database.transaction(work)


def add_part(database: Database, ref: PartRef) -> str:
    """Remember a part; returns its key."""
    database.insert({"part": arrow_table("part", [shape.from_part(ref)], now())})
    return shape.part_key(ref)


def set_part(database: Database, run: int, role: str, ref: PartRef) -> str:
    """Say which part plays a role in a run; returns the part's key.

    Args:
        database: the store.
        run: number of the run.
        role: one of `ROLES`.
        ref: the part.

    Raises:
        StoreError: a run has no such role.
    """
    if role not in ROLES:
        raise StoreError(
            f"a run has no role '{role}'; expected sampler, executor, verifier, writer or student"
        )
    key = add_part(database, ref)
    sql = f"UPDATE run SET {role} = ? WHERE id = ?"
    database.transaction(lambda cursor: cursor.execute(sql, [key, run]))
    return key


def end(database: Database, run: int, peak_rss: int) -> None:
    """Close the row of a run.

    Args:
        database: the store.
        run: number of the run.
        peak_rss: most memory that it used, bytes.
    """
    sql = "UPDATE run SET ended_at = ?, peak_rss = ? WHERE id = ?"
    database.transaction(lambda cursor: cursor.execute(sql, [now(), peak_rss, run]))


def add_timing(
    database: Database, run: int, stage: str, part: str | None, rows: int, seconds: float
) -> None:
    """Remember how long one written batch took.

    Args:
        database: the store.
        run: number of the run.
        stage: name of the stage.
        part: key of the part that worked; None for a stage without one.
        rows: how many rows were written.
        seconds: wall time.
    """
    values = [run, stage, part, rows, seconds, now()]
    sql = "INSERT INTO timing VALUES (?, ?, ?, ?, ?, ?)"
    database.transaction(lambda cursor: cursor.execute(sql, values))


def add_usage(database: Database, run: int, stage: str, part: str | None, usage: Usage) -> None:
    """Remember what endpoints were asked for one written batch.

    Args:
        database: the store.
        run: number of the run.
        stage: name of the stage.
        part: key of the part that worked.
        usage: since the batch before.
    """
    values = [run, stage, part, *astuple(usage), now()]
    sql = "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    database.transaction(lambda cursor: cursor.execute(sql, values))


def usage(database: Database) -> dict[str, Usage]:
    """What endpoints were asked in all runs, by stage; stages without requests are left out."""
    rows = database.rows(
        """
        SELECT stage, sum(requests)::BIGINT AS requests, sum(retries)::BIGINT AS retries,
            sum(prompt_tokens)::BIGINT AS prompt_tokens,
            sum(completion_tokens)::BIGINT AS completion_tokens, sum(cost) AS cost
        FROM usage GROUP BY stage ORDER BY min(created_at)
        """
    )
    return {row.pop("stage"): Usage(**row) for row in map(dict, rows)}


def peak_rss(database: Database) -> int | None:
    """Most memory that the latest finished run used, bytes; None before there is one."""
    rows = database.rows("SELECT arg_max(peak_rss, id) AS peak FROM run")
    return rows[0]["peak"] if rows else None
