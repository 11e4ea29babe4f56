"""Decisions made in other tools become events of the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.records import Decision
from workbench.snapshot.imports import ImportedDecision, RefusedEntry, read
from workbench.store import Project
from workbench.store.reading.ids import decision_ids
from workbench.store.reading.views import rationale_text


@dataclass(frozen=True, slots=True)
class DecisionImport:
    """What an import of a file of decisions did."""

    added: int
    repeats: int
    """Decisions that were imported before."""
    edited: int
    """Rationales that were changed over there, of those added."""
    refused: tuple[RefusedEntry, ...]
    notes: tuple[RefusedEntry, ...] = ()
    """What was taken in part, or not again, and why."""


def import_decisions(project: Project, path: Path, tool: str) -> DecisionImport:
    """Add the decisions of a file that `tool` exported; a second time adds nothing.

    A rationale that was changed over there becomes an edit with the old one as its parent, and the
    decision is about the new one; one that was changed and not accepted is listed, as are entries
    that cannot be taken.

    Args:
        project: open for writing.
        path: file that the tool exported.
        tool: `argilla` or `label-studio`.

    Raises:
        DatasetError: the file cannot be read at all.
    """
    decisions, refused = read(path, tool)
    known_ids = decision_ids(project.database, [decision.id for decision in decisions])
    tasks = project.known_tasks([decision.task_id for decision in decisions])
    added = edited = 0
    notes = _changed_back(project, [one for one in decisions if one.id in known_ids])
    for decision in (decision for decision in decisions if decision.id not in known_ids):
        if decision.task_id not in tasks:
            refused.append(
                RefusedEntry(
                    decision.where, f"there is no task '{decision.task_id}' in this project"
                )
            )
            continue
        try:
            edited += _decide(project, decision)
            added += 1
            if decision.kind != "accept" and _is_changed(project, decision):
                notes.append(
                    RefusedEntry(
                        decision.where,
                        f"its rationale was changed, and the decision is '{decision.kind}': only "
                        "an accepted rationale is kept as an edit",
                    )
                )
        except InputError as error:
            refused.append(RefusedEntry(decision.where, str(error)))
    return DecisionImport(added, len(known_ids), edited, tuple(refused), tuple(notes))


def _changed_back(project: Project, repeats: Sequence[ImportedDecision]) -> list[RefusedEntry]:
    """The decisions that were imported before and are not their authors' last ones here.

    An old file says the same as one of somebody who went back to their first opinion.
    """
    if not repeats:
        return []
    standing = {
        (one.author, one.task_id): one.kind
        for one in project.curation.standing([row.task_id for row in repeats])
    }
    return [
        RefusedEntry(
            row.where,
            f"'{row.kind}' was imported before, and {row.author} decided '{now}' since; if this "
            "file is the newer one, decide so in Curate",
        )
        for row in repeats
        if (now := standing.get((row.author, row.task_id), row.kind)) != row.kind
    ]


def _decide(project: Project, row: ImportedDecision) -> bool:
    """Store a decision and the edit that it rests on; returns whether there is such an edit."""
    common: dict[str, Any] = {
        "author": row.author,
        "role": "curator",
        "task_id": row.task_id,
        "trace_id": row.trace_id,
        "client_time": row.client_time,
    }
    rationale = row.rationale_id
    changed = row.kind == "accept" and _is_changed(project, row)
    if changed and rationale is not None:
        edit = Decision(f"{row.id}:edit", "edit", rationale_id=rationale, **common)
        rationale = project.curation.edit_rationale(edit, row.rationale or "").id
    decision = Decision(
        row.id,
        row.kind,
        rationale_id=rationale,
        reason=row.reason,
        text=row.note,
        seconds=row.seconds,
        **common,
    )
    project.curation.decide([decision])
    return changed


def _is_changed(project: Project, row: ImportedDecision) -> bool:
    """Whether the rationale that stands there is another than the one here."""
    if row.rationale_id is None or not row.rationale:
        return False
    stored = rationale_text(project.database, row.rationale_id)
    return stored is not None and row.rationale.strip() != stored.strip()
