"""The summary that Browse reads, kept up to date: table `outcome`, and the words of `posting`.

Every write of records leaves rows in `touched`, in its own transaction.  Bringing the summary up
to date takes such rows, asks `outcome.OUTCOMES` again for their tasks, files the words of their
texts, and deletes the rows: one transaction, so that a crash at any point leaves either the old
summary with its rows still waiting, or the new one. A changed scope (another sampler, a larger k)
asks for all tasks again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from workbench.errors import StoreError
from workbench.store.kernel.database import Database, listed
from workbench.store.reading import evidence
from workbench.store.reading.derived import UNREAD, fill
from workbench.store.reading.outcome import OUTCOMES
from workbench.store.reading.search import WORDS
from workbench.store.records.scope import LATEST, Scope, to_scope

BATCH = 50_000
"""Records that one transaction takes; bounds memory and waiting."""

MERGE = 50_000
"""Merge `posting` again once this many rows were added and the table has doubled."""


def bring_up_to_date(database: Database) -> Scope:
    """Make `outcome` and `posting` say what the records say; returns the scope that they are of."""
    return settled(database)[0]


def scope_in_force(database: Database) -> Scope:
    """The parts in force: for each role the one of the latest run that got that far."""
    return to_scope(database.rows(LATEST)[0])


def settled(database: Database) -> tuple[Scope, int]:
    """The scope in force, once the summary is up to date, and the number of times that it was.

    What is read of records after this stands as long as both stay the same.
    """
    while True:
        (state,) = database.rows(
            f"""
            SELECT latest.*, summary.scope AS held, summary.lacking, summary.turn,
                EXISTS (FROM touched) AS waiting
            FROM ({LATEST}) AS latest, summary
            """
        )
        scope = to_scope(state)
        behind = state["waiting"] or state["held"] != _named(scope)
        lacks = state["lacking"] and _lacks(database)
        if not (behind or lacks or (state["lacking"] and not database.read_only)):
            return scope, int(state["turn"])
        _check_writable(database)
        if lacks:
            complete(database)
        if behind:
            database.transaction(_take)
        else:
            evidence.fill_summary(database, UNREAD)


def late_tasks(cursor: Any, tasks: Sequence[str]) -> set[str]:
    """Those of some tasks of which `outcome` does not say what the records say."""
    sql = f"""
    SELECT latest.*, summary.scope AS held,
        (SELECT list(DISTINCT task_id) FROM touched WHERE task_id IN {listed(tasks)}) AS waiting
    FROM ({LATEST}) AS latest, summary
    """
    *latest, scope, waiting = cursor.execute(sql).fetchone()
    row = dict(zip(Scope.__slots__, latest, strict=True))
    return set(waiting or ()) if _named(to_scope(row)) == scope else set(tasks)


def _lacks(database: Database) -> bool:
    """Whether anything is open: a column, or the evidence of a line."""
    lines = f"EXISTS (FROM outcome WHERE {evidence.LACKING}) AS lines"
    (row,) = database.rows(f"SELECT {UNREAD}, {lines}")
    return any(row.values())


def complete(database: Database) -> None:
    """Fill in what an earlier workbench left open (see `derived`).

    Raises:
        StoreError: there is something to fill in, and the store was opened for reading alone.
    """
    (unread,) = database.rows(f"SELECT {UNREAD}")
    if any(unread.values()):
        _check_writable(database)
    while any(unread.values()) and fill(database):
        pass


def _check_writable(database: Database) -> None:
    if database.read_only:
        raise StoreError(
            f"what {database.path} shows is not up to date and it was opened for reading alone; "
            "any command that writes brings it up to date, for example: vpd run --limit 0"
        )


def _named(scope: Scope) -> str:
    return json.dumps(asdict(scope))


def _take(cursor: Any) -> None:
    cursor.execute(LATEST)
    scope = to_scope(dict(zip(Scope.__slots__, cursor.fetchone(), strict=True)))
    everything = cursor.execute("SELECT scope FROM summary").fetchone()[0] != _named(scope)
    (upto,) = cursor.execute(
        f"""
        SELECT coalesce(max(row), -1)
        FROM (SELECT rowid AS row FROM touched ORDER BY row LIMIT {BATCH})
        """
    ).fetchone()
    mine = "true"
    if not everything:
        mine = f"id IN (SELECT task_id FROM touched WHERE rowid <= {upto})"
    cursor.execute(f"DELETE FROM outcome WHERE {mine}")
    cursor.execute(
        f"""
        INSERT INTO outcome
        WITH selected AS (SELECT * FROM task WHERE {mine}), {OUTCOMES} SELECT * FROM outcome
            ORDER BY seq
        """,
        scope.parameters(),
    )
    cursor.execute(
        f"""
        INSERT INTO posting
        SELECT word, part, len(tasks), tasks FROM (
            SELECT word, part, list_sort(list(DISTINCT seq::INTEGER)) AS tasks FROM (
                SELECT seq, part, unnest(list_distinct({WORDS.format("text")})) AS word
                FROM touched JOIN task ON task.id = task_id
                WHERE touched.rowid <= {upto} AND text <> ''
            ) GROUP BY word, part
        ) ORDER BY word
        """
    )
    # Two processes that do this at once both write this row, so that one of them has to begin
    # again.
    cursor.execute(
        f"""
        UPDATE summary SET scope = ?, turn = turn + 1, lacking = lacking
            OR EXISTS (FROM outcome WHERE {evidence.LACKING} AND {mine})
        """,
        [_named(scope)],
    )
    cursor.execute(f"DELETE FROM touched WHERE rowid <= {upto}")
    count, merged = cursor.execute(
        "SELECT (SELECT count(*) FROM posting), merged FROM summary"
    ).fetchone()
    if count - merged > max(MERGE, merged):
        _merge(cursor)


def _merge(cursor: Any) -> None:
    """Bring all rows of a word and a part into one row."""
    (last,) = cursor.execute("SELECT max(rowid) FROM posting").fetchone()
    cursor.execute(
        """
        INSERT INTO posting
        SELECT word, part, len(tasks), tasks FROM (
            SELECT word, part, list_sort(list_distinct(flatten(list(tasks)))) AS tasks FROM posting
                GROUP BY word, part
        ) ORDER BY word
        """
    )
    # Rows of one's own transaction have the highest numbers.
    cursor.execute(f"DELETE FROM posting WHERE rowid <= {last}")
    cursor.execute("UPDATE summary SET merged = (SELECT count(*) FROM posting)")
