"""After TAIL: pictures without labels are labelled in a schema, by questions with typed answers.

A schema names fields, each with a type and a question.  Every picture is asked every question, of
the whole and of a slightly narrower view; a field's value is taken if both views agree and the
value is of its type.

    field: name:type:question, with ; between fields
    type: integer, number, yesno, text, or a|b|c for one of these words
    task = (question, value) where both views agree and the value is of the type
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.boxes import Box
from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.ports import LabelledRegion, SynthesisRoom, SynthesizedQuestion
from workbench.recipes.views import narrower
from workbench.records import PartRef, Region

CARD = Card(
    name="schema_labels",
    port="synthesizer",
    paper="TAIL: task-aware instruction-based labelling for document understanding",
    year=2024,
    grade="B",
    level="V1",
    provenance="R",
    idea="Label pictures that nobody labelled: ask each of them the questions of a schema, and "
    "keep "
    "values that are of the right type and do not change with the view.",
    formula="for each picture and field: (question, value) if value(whole) = value(narrower view) "
    "and it is an integer, a number, yes or no, a text, or one of the words",
    command="vpd synthesize schema_labels --limit 20 --set "
    "'fields=scene:indoors|outdoors:Is this indoors or outdoors?'",
    expect="For each picture that programs have looked at one candidate for each field; refusals "
    "name the type or the disagreement.  Accuracy was not measured yet.",
    defaults={"fields": "people:yesno:Is there a person?", "margin": 0.02},
    sources={"fields": "ours: to be set", "margin": "ours"},
    traps=("A model that is sure of nonsense says it twice: agreement of two views is no proof.",),
    not_reproduced=(
        "Documents, their layout, and the model that is trained on the labels in one sequence: "
        "here each field is a task of its own.",
        "That a value stands in the text of the document: the profile's model sees pictures.",
    ),
)
KINDS = ("integer", "number", "yesno", "text")


@dataclass(frozen=True, slots=True)
class SchemaField:
    """One thing that is asked of every picture."""

    name: str
    kind: str
    """One of `KINDS`, or the words that may be answered with | between them."""
    question: str

    def value(self, answer: str) -> str | None:
        """The value that an answer gives; None where it is of another type."""
        text = answer.strip().rstrip(".").strip()
        if self.kind == "text":
            return text or None
        if self.kind == "integer":
            return text if text.isascii() and text.isdecimal() else None
        if self.kind == "number":
            return text if _is_number(text) else None
        words = ("yes", "no") if self.kind == "yesno" else self.kind.split("|")
        return next((word for word in words if word.casefold() == text.casefold()), None)


def fields_of(text: str) -> list[SchemaField]:
    """The fields of a schema.

    Raises:
        ProfileError: one is not name:type:question, or its type is not one that there is.
    """
    out = []
    for part in filter(None, (one.strip() for one in str(text).split(";"))):
        name, _, rest = part.partition(":")
        kind, _, question = (one.strip() for one in rest.partition(":"))
        if not name.strip() or not question or not (kind in KINDS or "|" in kind):
            raise ProfileError(
                f"schema_labels reads a field as name:type:question, found {part!r:.80}; the type "
                f"is {', '.join(KINDS)}, or words with | between them, as in "
                "'scene:indoors|outdoors:Is this indoors or outdoors?'"
            )
        out.append(SchemaField(name.strip(), kind, question))
    if not out:
        raise ProfileError(
            "schema_labels has no field to ask for; write name:type:question, such as "
            "'people:integer:How many people are there?'"
        )
    return out


class SchemaLabels:
    """Typed labels of pictures, one task for each field.

    Args:
        fields: the schema.
        margin: share of its sides by which the second view is narrower at each side.
    """

    def __init__(
        self, fields: str = "people:yesno:Is there a person?", margin: float = 0.02
    ) -> None:
        if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin < 0.5:
            raise ProfileError(
                f"schema_labels takes margin as a number above 0 and below 0.5, found {margin!r}"
            )
        self._fields, self._margin = fields_of(fields), margin
        arguments = {"fields": fields, "margin": margin}
        self.ref = PartRef("synthesizer", "schema_labels", arguments=arguments)

    def propose(
        self, regions: Sequence[LabelledRegion], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones: every field of every picture once."""
        origins: dict[str, LabelledRegion] = {}
        for one in regions:
            origins.setdefault(one.region.image, one)
        for one in origins.values():
            region = one.region
            box = Box(0.0, 0.0, float(region.width), float(region.height))
            whole = Region(region.image, region.width, region.height, box)
            origin = LabelledRegion(one.task_id, one.split, whole)
            for field in self._fields:
                views = [whole, narrower(whole, self._margin)]
                answers = room.answer(views, [field.question] * 2)
                yield _judge(origin, field, answers, room)


def _judge(
    origin: LabelledRegion,
    field: SchemaField,
    answers: Sequence[str | None],
    room: SynthesisRoom,
) -> SynthesizedQuestion:
    first, second = answers
    if first is None or second is None:
        return SynthesizedQuestion(origin, field.question, reason="one of its views has no answer")
    facts = {"field": field.name, "type": field.kind, "views": [first, second]}
    value, other = field.value(first), field.value(second)
    reason = ""
    if value is None or other is None:
        reason = f"the field {field.name} is {field.kind}, and a view gives something else"
    elif not room.alike(value, other):
        reason = f"the field {field.name} changes with the view"
    return SynthesizedQuestion(
        origin,
        field.question,
        "" if reason else origin.region.image,
        value or "",
        reason,
        facts,
    )


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
