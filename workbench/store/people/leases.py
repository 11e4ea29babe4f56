"""Leases: who looks at which question, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from workbench.curate.queue import Lease
from workbench.store.kernel.database import Database, among, listed
from workbench.store.people.decisions import put


def grant(cursor: Any, leases: Sequence[tuple[int, Lease]]) -> None:
    """Write leases, each with its slot, in place of what stands there.

    Args:
        cursor: inside a transaction.
        leases: slots and leases.
    """
    tasks = among([lease.task_id for _, lease in leases])
    sql = f"SELECT task_id, slot FROM lease WHERE task_id IN {tasks}"
    present = set(cursor.execute(sql).fetchall())
    for old in (False, True):  # to replace a row costs five times as much as to add one
        rows = [
            {
                "task_id": lease.task_id,
                "slot": slot,
                "holder": lease.holder,
                "granted_at": lease.granted_at,
                "expires_at": lease.expires_at,
            }
            for slot, lease in leases
            if ((lease.task_id, slot) in present) == old
        ]
        put(cursor, "lease", rows, "task_id, slot" if old else None)


def live(database: Database, moment: datetime, task_ids: Sequence[str] | None) -> list[Lease]:
    """Leases that have not run out.

    Args:
        database: the store.
        moment: the time now (UTC).
        task_ids: only leases of these tasks; None takes all.
    """
    some = "" if task_ids is None else f"AND task_id IN {listed(task_ids)}"
    sql = f"""
        SELECT task_id, holder, granted_at, expires_at FROM lease WHERE expires_at > $moment {some}
        ORDER BY granted_at, task_id
        """
    rows = database.rows(sql, {"moment": moment})
    return [Lease(**row) for row in rows]


def prolong(
    database: Database, reviewer: str, task_id: str, until: datetime, moment: datetime
) -> Lease | None:
    """Let a reviewer's lease end at another time; None where the reviewer has no live lease.

    Args:
        database: the store.
        reviewer: who has the item.
        task_id: the item.
        until: when the lease is to end (UTC).
        moment: the time now (UTC).
    """
    rows = database.transaction(
        lambda cursor: cursor.execute(
            "UPDATE lease SET expires_at = ? WHERE task_id = ? AND holder = ? AND expires_at > ? "
            "RETURNING task_id, holder, granted_at, expires_at",
            [until, task_id, reviewer, moment],
        ).fetchone()
    )
    return Lease(*rows) if rows else None
