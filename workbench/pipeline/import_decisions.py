"""Decisions made in other tools become events of the project."""

from __future__ import annotations

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


def import_decisions(project: Project, path: Path, tool: str) -> DecisionImport:
    """Add the decisions of a file that `tool` exported; a second time adds nothing.

    A rationale that was changed over there becomes an edit with the old one as its parent, and the
    decision is about the new one.  Entries that cannot be taken are listed in the result.

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
        except InputError as error:
            refused.append(RefusedEntry(decision.where, str(error)))
    return DecisionImport(added, len(known_ids), edited, tuple(refused))


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
    changed = (
        row.kind == "accept"
        and rationale is not None
        and _is_changed(project, rationale, row.rationale)
    )
    if changed:
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


def _is_changed(project: Project, rationale_id: str, text: str | None) -> bool:
    stored = rationale_text(project.database, rationale_id)
    if stored is None or not text:
        return False
    return text.strip() != stored.strip()
