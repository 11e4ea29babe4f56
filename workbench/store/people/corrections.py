"""Answers that people have put right: events with author and reason, and what depends on them.

A task holds its latest answers.  What was judged by the ones before is judged again: its verdicts
go, so that the next run makes new ones, and the forms of answers are derived again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from workbench.records import Task, content_key
from workbench.store.kernel.database import Database, now


@dataclass(frozen=True, slots=True)
class Correction:
    """One answer that was put right."""

    task_id: str
    earlier: tuple[str, ...]
    """The answers before."""
    answers: tuple[str, ...]
    """The answers from then on."""
    author: str
    reason: str
    created_at: datetime


def add(
    database: Database,
    earlier: Task,
    task: Task,
    author: str,
    reason: str,
    score: Callable[[str], float],
) -> Correction:
    """Give a task its new answers, and remember who did so and why: one transaction.

    Args:
        database: the store.
        earlier: the task as it stands in the store.
        task: the same with other answers.
        author: who corrects.
        reason: why.
        score: how well a student's answer fits the new answers.
    """
    event = Correction(task.id, earlier.answers, task.answers, author, reason, now())

    def work(cursor: Any) -> None:
        cursor.execute(
            "INSERT INTO correction VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                uuid4().hex,
                event.task_id,
                list(event.earlier),
                list(event.answers),
                author,
                reason,
                event.created_at,
            ],
        )
        cursor.execute(
            "UPDATE task SET answers = ?, answer_type = ?, content = ? WHERE id = ?",
            [list(task.answers), task.answer_type, content_key(task), task.id],
        )
        cursor.execute("DELETE FROM verdict WHERE task_id = ?", [task.id])
        cursor.execute("UPDATE trace SET form = NULL WHERE task_id = ?", [task.id])
        cursor.execute("UPDATE prediction SET form = NULL WHERE task_id = ?", [task.id])
        answers = "SELECT id, answer FROM prediction WHERE task_id = ? AND rationale = ''"
        for id_, answer in cursor.execute(answers, [task.id]).fetchall():
            cursor.execute("UPDATE prediction SET score = ? WHERE id = ?", [score(answer), id_])
        cursor.execute("INSERT INTO touched VALUES (?, '', '')", [task.id])
        cursor.execute("UPDATE summary SET lacking = true")

    database.transaction(work)
    return event


def of_task(database: Database, task_id: str) -> list[Correction]:
    """The corrections of a task's answers, the first one first."""
    rows = database.rows(
        """
        SELECT task_id, earlier, answers, author, reason, created_at FROM correction
        WHERE task_id = $task ORDER BY created_at, id
        """,
        {"task": task_id},
    )
    return [
        Correction(**{**row, "earlier": tuple(row["earlier"]), "answers": tuple(row["answers"])})
        for row in rows
    ]
