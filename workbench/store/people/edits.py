"""What people make of a rationale or a program: a new record that rests on the old one."""

from __future__ import annotations

from workbench.records import PartRef, Program, Rationale, Task, Trace, content_key

PERSON = PartRef("writer", "person")
"""Writer of an edited rationale; the event says which person it was."""
PERSON_SAMPLER = PartRef("sampler", "person")
"""Sampler of an edited program; the event says which person it was."""


def edited_rationale(parent: Rationale, row: tuple[Task, Program, Trace], text: str) -> Rationale:
    """A person's wording of a rationale, checked against the trace; the parent's id where it is the
    parent's text.

    Args:
        parent: the rationale as it was.
        row: what it is about.
        text: the new wording.
    """
    # its room is large, and most commands edit nothing
    from workbench.rationalize.check.faithful import check

    task, program, trace = row
    checked = check(text, task, program, trace)
    return Rationale(
        parent.id if text == parent.text else content_key("edit", parent.trace_id, text),
        parent.trace_id,
        task.id,
        text,
        parent.answer,
        checked.citations,
        checked.issues,
        PERSON,
        checked.bare,
        checked.unchecked,
    )


def edited_program(parent: Program, source: str) -> Program:
    """A person's version of a program, which has yet to run; the parent's id where it is the
    parent's text.
    """
    return Program(
        parent.id if source == parent.source else content_key("edit", parent.id, source),
        parent.task_id,
        parent.index,
        source,
        parent.score,
        0,
        parent.seed,
        PERSON_SAMPLER,
        0.0,
        parent.id,
    )
