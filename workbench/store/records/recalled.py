"""Archived events put back into the store, of traces that a person takes up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workbench.errors import InputError
from workbench.events import ARCHIVED
from workbench.store.kernel.database import IDS, Database, id_list


def recall(database: Database, traces: Collection[str]) -> None:
    """Have the events of these traces in the store itself again; most are there already.

    Raises InputError where a trace's file in the archive is missing or was changed.
    """
    if not traces:
        return
    sql = f"SELECT id, events FROM trace WHERE id IN {IDS} AND archived <> ''"
    rows = database.rows(sql, {"ids": id_list(traces)})
    for row in rows:
        if row["events"].startswith(ARCHIVED):
            raise InputError(
                f"the steps of trace {row['id']} were archived, and their file in archive/ is "
                "missing or was changed; put it back from a backup (vpd doctor names it)"
            )

    def work(cursor: Any) -> None:
        for row in rows:
            cursor.execute("UPDATE trace SET archived = NULL, events = $events WHERE id = $id", row)

    if rows:
        database.transaction(work)
