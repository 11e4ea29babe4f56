"""Where a project's tasks come from, which of them it is to have, and what was read to its end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from workbench.records import content_key
from workbench.settings import Choice
from workbench.store.kernel.database import Database, now


@dataclass(frozen=True, slots=True)
class SourceSelection:
    """The questions of a source that a project is to have."""

    choice: Choice
    """Name and arguments of the source."""
    split: str | None = None
    """Only this split; None means all."""
    limit: int | None = None
    """Only so many, in the source's order; None means all."""

    def __str__(self) -> str:
        first = "all questions" if self.limit is None else f"the first {self.limit} questions"
        of = f" of split {self.split}" if self.split is not None else ""
        return f"{first}{of}"


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


def select(database: Database, selection: SourceSelection) -> None:
    """Remember which questions of a source the project is to have.

    It stands beside what was selected of other splits, and in place of an earlier selection of the
    same split.
    """
    key, split = _key(selection.choice), selection.split or ""
    parameters = {"source": key, "split": split, "limit": selection.limit}

    def work(cursor: Any) -> None:
        put = cursor.execute
        same = put(
            "SELECT 1 FROM selection WHERE source = $source AND split = $split "
            "AND task_limit IS NOT DISTINCT FROM $limit",
            parameters,
        ).fetchall()
        if same:
            return
        where = {"source": key, "split": split}
        earlier = put(
            "DELETE FROM selection WHERE source = $source AND split = $split RETURNING 1", where
        ).fetchall()
        if earlier:
            put("DELETE FROM imported WHERE source = $source AND split = $split", where)
        put(
            "INSERT INTO selection VALUES ($source, $split, $limit, $now)",
            {**parameters, "now": now()},
        )

    database.transaction(work)


def selections(database: Database) -> list[SourceSelection]:
    """What the project is to have of each source, in the order in which the sources were added."""
    rows = database.rows(
        """
        SELECT name, arguments, selection.split, task_limit FROM source
        LEFT JOIN selection ON selection.source = source.key
        ORDER BY source.created_at, source.key, selection.created_at, selection.split
        """
    )
    return [
        SourceSelection(
            Choice(row["name"], json.loads(row["arguments"])),
            row["split"] or None,
            row["task_limit"],
        )
        for row in rows
    ]


def imported(database: Database, source: Choice, split: str | None) -> bool:
    """Whether what the project is to have of a split was read to its end.

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


def selection_is_read(database: Database, selection: SourceSelection) -> bool:
    """Whether all that the project is to have by a selection was read."""
    if selection.split is not None:
        return imported(database, selection.choice, selection.split)
    chosen = database.rows(
        "SELECT 1 FROM selection WHERE source = $source", {"source": _key(selection.choice)}
    )
    # Without a selection, a split that a run asked for stands for the whole, as it always did.
    split = "" if chosen else None
    return imported(database, selection.choice, split)


def mark_imported(database: Database, source: Choice, split: str | None, tasks: int) -> None:
    """Remember that what the project is to have of a split was read to its end.

    Args:
        database: the store.
        source: where the tasks came from.
        split: None where the source has no splits.
        tasks: how many were read.
    """
    values = [_key(source), split or "", tasks, now()]
    sql = "INSERT OR REPLACE INTO imported VALUES (?, ?, ?, ?)"
    database.transaction(lambda cursor: cursor.execute(sql, values))


def first_bad_rows(database: Database, count: int = 3) -> list[str]:
    """The first rows that could not be imported, each with its place and the reason."""
    rows = database.rows(
        "SELECT file, line, reason FROM bad_row ORDER BY file, line LIMIT $count", {"count": count}
    )
    return [f"{row['file']}:{row['line']}: {row['reason']}" for row in rows]


def _key(source: Choice) -> str:
    return content_key(source.part, dict(source.arguments))
