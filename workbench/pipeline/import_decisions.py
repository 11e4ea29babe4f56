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
    """What came of a file of decisions."""

    added: int
    known: int
    """Decisions that were imported before."""
    edited: int
    """Rationales that were changed over there, of those added."""
    refused: tuple[RefusedEntry, ...]


def import_decisions(project: Project, path: Path, tool: str) -> DecisionImport:
    """Add the decisions of a file that `tool` exported; a second time adds nothing.

    A rationale that was changed over there becomes an edit with the old one as its parent, and the
    decision is about the new one.

    Raises DatasetError when the file cannot be read at all; single entries are listed instead.
    """
    found, refused = read(path, tool)
    known = decision_ids(project.database, [said.id for said in found])
    tasks = project.known_tasks([said.task_id for said in found])
    added = edited = 0
    for said in (said for said in found if said.id not in known):
        if said.task_id not in tasks:
            refused.append(
                RefusedEntry(said.where, f"there is no task '{said.task_id}' in this project")
            )
            continue
        try:
            edited += _decide(project, said)
            added += 1
        except InputError as error:
            refused.append(RefusedEntry(said.where, str(error)))
    return DecisionImport(added, len(known), edited, tuple(refused))


def _decide(project: Project, said: ImportedDecision) -> bool:
    """Store one decision, and the edit it rests on; returns whether there was one."""
    common: dict[str, Any] = {
        "author": said.author,
        "role": "curator",
        "task_id": said.task_id,
        "trace_id": said.trace_id,
        "client_time": said.client_time,
    }
    rationale = said.rationale_id
    changed = (
        said.kind == "accept"
        and rationale is not None
        and _changed(project, rationale, said.rationale)
    )
    if changed:
        edit = Decision(f"{said.id}:edit", "edit", rationale_id=rationale, **common)
        rationale = project.curation.edit_rationale(edit, said.rationale or "").id
    decision = Decision(
        said.id,
        said.kind,
        rationale_id=rationale,
        reason=said.reason,
        text=said.note,
        seconds=said.seconds,
        **common,
    )
    project.curation.decide([decision])
    return changed


def _changed(project: Project, rationale_id: str, text: str | None) -> bool:
    stored = rationale_text(project.database, rationale_id)
    if stored is None or not text:
        return False
    return text.strip() != stored.strip()
