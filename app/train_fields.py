"""One setting of a job as the form shows it, and the teachers with their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench import registry
from workbench.catalogue import recipes
from workbench.errors import WorkbenchError
from workbench.pipeline.program_teacher import PROGRAMS
from workbench.recipes.card import Card
from workbench.records import JSON

FieldKind = Literal["whole", "number", "yes", "text", "choice", "numbers", "names"]
"""Kind of a field's control."""
_VALUE_KINDS: Mapping[type, FieldKind] = {
    bool: "yes", int: "whole", float: "number", str: "text", tuple: "numbers", list: "numbers",
}  # fmt: skip
"""Kind of a field's control, by the type of a default."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One setting of a job, as the form shows it."""

    key: str
    """The setting's key; `lora.r` is one of a table."""
    label: str
    says: str
    """One sentence about the setting, and what it takes where its control does not show that."""
    group: Literal["basic", "advanced"]
    kind: FieldKind
    options: list[str]
    """The values to choose from; none for other kinds than `choice`."""
    default: Any


def card_fields(card: Card, table: str = "arguments") -> list[FormField]:
    """The settings of a published method, as its card has them: nothing is loaded for it.

    Args:
        card: of the method.
        table: of the job that the settings stand in.
    """
    return [
        FormField(
            key=f"{table}.{key}",
            label=key.replace("_", " ").capitalize(),
            says=f"From {source}." if (source := card.sources.get(key, "")) else "",
            group="basic",
            kind=_kind_of(value),
            options=[],
            default=list(value) if isinstance(value, tuple | list) else value,
        )
        for key, value in card.defaults.items()
    ]


def _kind_of(value: JSON) -> FieldKind:
    """The kind of a control, from a default."""
    if isinstance(value, tuple | list) and any(isinstance(one, str) for one in value):
        return "names"
    return _VALUE_KINDS[type(value)]


@dataclass(frozen=True, slots=True)
class TeacherChoice:
    """A teacher, as the form offers it."""

    name: str
    says: str
    """Who it is, in a sentence or two; empty where nobody said it."""
    fields: list[FormField]
    """Its settings; empty for a stranger's without a card."""


def teachers() -> list[TeacherChoice]:
    """Every registered teacher; those that are published methods say so by their cards."""
    cards = {one.card.name: one.card for one in recipes() if one.card.port == "teacher"}
    choices = []
    for name in registry.parts("teacher"):
        if name in cards:
            fields = card_fields(cards[name], "teacher")
            choices.append(TeacherChoice(name, cards[name].idea, fields))
        else:
            choices.append(_OWN_TEACHERS.get(name, TeacherChoice(name, "", [])))
    return choices


def teacher_fields() -> list[FormField]:
    """The choice of a teacher."""
    return [
        FormField(
            key="teacher.part",
            label="Teacher",
            says="A model, several, the programs, or a published method.",
            group="basic",
            kind="choice",
            options=["", *registry.parts("teacher")],
            default="",
        )
    ]


def _teacher_field(key: str, label: str, says: str, kind: FieldKind, default: Any) -> FormField:
    """A setting of a teacher that has no card.

    Args:
        key: the teacher's argument.
        label: its name, as people read it.
        says: one sentence about it.
        kind: of its control.
        default: what holds unless something else is given.
    """
    return FormField(f"teacher.{key}", label, says, "basic", kind, [], default)


_KEEPS = _teacher_field(
    "cache",
    "Keep its outputs",
    "A second job over the same lessons computes none again.",
    "yes",
    False,
)
_OWN_TEACHERS: Mapping[str, TeacherChoice] = {
    one.name: one
    for one in (
        TeacherChoice(
            "checkpoint",
            "A model of the student's own vocabulary.",
            [
                _teacher_field(
                    "path",
                    "Teacher's checkpoint",
                    "A finished job's folder, a checkpoint's folder, bundled, or a hub id.",
                    "text",
                    "",
                ),
                _KEEPS,
            ],
        ),
        TeacherChoice(
            "ensemble",
            "The mean of several such models.",
            [
                _teacher_field(
                    "paths", "Teachers' checkpoints", "With a comma between two.", "names", []
                ),
                _KEEPS,
            ],
        ),
        TeacherChoice(
            PROGRAMS,
            "The answers of the question's programs, each as often as programs gave it.",
            [
                _teacher_field(
                    "smoothing",
                    "Smoothing",
                    "Share of every other word, so that none is impossible.",
                    "number",
                    0.01,
                )
            ],
        ),
    )
}
"""The teachers that are no published methods, and have no card."""


def teacher_problem(table: Mapping[str, Any]) -> str:
    """Why there is no such teacher with these settings; empty where there is one, or none named."""
    arguments = dict(table)
    name = arguments.pop("part", "")
    if not name:
        return "choose a teacher for these settings" if arguments else ""
    if name not in registry.parts("teacher"):
        return (
            f"there is no teacher '{name}'; registered are: {', '.join(registry.parts('teacher'))}"
        )
    lacks = [
        field.label
        for field in (_OWN_TEACHERS[name].fields if name in _OWN_TEACHERS else [])
        if field.default in ("", []) and not arguments.get(field.key.removeprefix("teacher."))
    ]
    if lacks:
        return f"{name} needs: {', '.join(lacks)}"
    try:
        registry.build("teacher", name, **arguments)
    except WorkbenchError as error:
        return str(error)
    return ""
