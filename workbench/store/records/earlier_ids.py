"""Tasks that a project has under an earlier id.

The rows of a folder's table that have no id of their own were once numbered by their line.  They
get ids made of their content now, and are found again by that content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.records import Task
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.records.pending import PICTURES


def with_earlier_ids(database: Database, tasks: Sequence[Task]) -> list[Task]:
    """The tasks, each under the id of its line where the project has it so.

    Args:
        database: the store.
        tasks: with digests for pictures, and ids made of their content.
    """
    if not tasks:
        return []
    rows = database.rows(
        rf"""
        SELECT id, source, {PICTURES} AS images, question, choices FROM task
        WHERE image IN {IDS} AND regexp_matches(id, '/\d+$') ORDER BY seq DESC
        """,
        {"ids": id_list({task.image for task in tasks})},
    )
    by_content = {
        (row["source"], tuple(row["images"]), row["question"], tuple(row["choices"])): row["id"]
        for row in rows
    }
    return [
        replace(task, id=by_content.get(_content(task), task.id)) if by_content else task
        for task in tasks
    ]


def _content(task: Task) -> tuple[str, tuple[str, ...], str, tuple[str, ...]]:
    return task.source, task.images, task.question, task.choices
