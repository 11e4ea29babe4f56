"""Where a project's tasks come from, and which splits of it were read to their end."""

from __future__ import annotations

import json

from workbench.records import content_key
from workbench.settings import Choice
from workbench.store.kernel.database import Database, now


def add(database: Database, source: Choice) -> None:
    """Remember a source; one that is there already is left alone."""
    arguments = json.dumps(dict(source.arguments), sort_keys=True)
    values = [_key(source), source.part, arguments, now()]
    sql = "INSERT INTO source VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    database.transaction(lambda cursor: cursor.execute(sql, values))


def sources(database: Database) -> list[Choice]:
    """All sources, in the order in which they were added."""
    rows = database.rows("SELECT name, arguments FROM source ORDER BY created_at, key")
    return [Choice(row["name"], json.loads(row["arguments"])) for row in rows]


def imported(database: Database, source: Choice, split: str | None) -> bool:
    """Whether a split of a source was read to its end.

    Args:
        database: the store.
        source: where the tasks come from.
        split: None asks whether any split was.
    """
    sql = """
    SELECT 1 FROM imported
    WHERE source = $source AND ($split IS NULL OR split IN ('', $split))
    """
    return bool(database.rows(sql, {"source": _key(source), "split": split}))


def mark_imported(database: Database, source: Choice, split: str | None, tasks: int) -> None:
    """Remember that a split of a source was read to its end.

    Args:
        database: the store.
        source: where the tasks came from.
        split: None where the source has no splits.
        tasks: how many were read.
    """
    values = [_key(source), split or "", tasks, now()]
    sql = "INSERT OR REPLACE INTO imported VALUES (?, ?, ?, ?)"
    database.transaction(lambda cursor: cursor.execute(sql, values))


def _key(source: Choice) -> str:
    return content_key(source.part, dict(source.arguments))
