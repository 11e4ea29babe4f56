"""What new events change: the store hands down events and facts, and gets rows back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workbench.curate.fold import History, Item, Standing
from workbench.curate.rules import Facts, check
from workbench.records import Decision


def apply(
    history: History, events: Iterable[Decision], facts: Iterable[Facts], overlap: int
) -> tuple[list[Decision], list[Standing], list[Item]]:
    """Check new events in their order, add them to the history, and work out its tasks' states.

    Args:
        history: everything that bears on the tasks whose states may change; it grows by the events.
        events: the new events, each with its `seq` and `created_at`.
        facts: what the project has of the records that each event names, in the same order.
        overlap: number of reviewers that each task needs.

    Returns:
        The events with all that the store fills in; what each reviewer who ever judged a task of
        the history says of it now (kind `none` where nothing stands); the state of each task of
        the history.

    Raises:
        InputError: an event breaks a rule; the history may then hold the events before it.
    """
    complete = []
    for event, fact in zip(events, facts, strict=True):
        check(event, history, fact)
        complete.append(
            replace(
                event,
                program_id=event.program_id or fact.trace_program,
                automatic=fact.automatic,
                tool=fact.tool,
            )
        )
        history.add(complete[-1])
    tasks = sorted(history.by_task.keys() - {""})
    standing = [one for task_id in tasks for one in _every_standing(history, task_id)]
    return complete, standing, [history.item(task_id, overlap) for task_id in tasks]


def _every_standing(history: History, task_id: str) -> list[Standing]:
    """A standing for each person who ever judged the task, by name."""
    standing = {one.author: one for one in history.standing(task_id)}
    return [
        standing.get(author, Standing(task_id, author)) for author in history.reviewers(task_id)
    ]
