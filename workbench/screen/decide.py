"""What a person says of a question, stored as an event in that person's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from workbench.records import Decision, DecisionKind, Reason, Role
from workbench.store import Project


class NamedRole(Protocol):
    """Who looks and decides."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Role: ...


@dataclass(frozen=True)
class Say:
    """What a person says of a question: a verdict, a note or a ruling."""

    id: str
    task: str
    kind: Literal["accept", "reject", "skip", "note", "adjudicate", "gold"]
    trace: str | None = None
    rationale: str | None = None
    edited: str | None = None
    """Another wording of the rationale, which is accepted in its place."""
    verdict: Literal["accept", "reject"] | None = None
    reason: Reason | None = None
    text: str = ""
    seconds: float | None = None
    guideline: str | None = None
    hidden: bool | None = None
    at: datetime | None = None


def person_event(person: NamedRole, some_id: str, kind: DecisionKind, **fields: Any) -> Decision:
    """An event in this person's name.

    Args:
        person: who decides.
        some_id: id of the event, made by the client.
        kind: of the event.
        fields: other fields of `Decision`.
    """
    return Decision(some_id, kind, person.name, person.role, **fields)


def decide(project: Project, person: NamedRole, say: Say) -> Decision:
    """Store what a person says; the same id again is the same event.

    Args:
        project: where it is stored.
        person: who decides.
        say: what is decided.

    Raises:
        InputError: a rule is broken.
    """
    rationale = say.rationale
    common: dict[str, Any] = {
        "task_id": say.task,
        "guideline": say.guideline,
        "client_time": say.at,
    }
    if say.edited is not None:
        edit = person_event(person, f"{say.id}.e", "edit", rationale_id=rationale, **common)
        rationale = project.curation.edit_rationale(edit, say.edited).id
    event = person_event(
        person,
        say.id,
        say.kind,
        trace_id=say.trace,
        rationale_id=rationale,
        ruling=say.verdict,
        reason=say.reason,
        text=say.text,
        seconds=say.seconds,
        hidden=say.hidden,
        **common,
    )
    return project.curation.decide([event])[0]
