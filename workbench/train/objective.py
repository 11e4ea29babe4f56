"""What is asked of a student about an example, and what should be said: the curricula.

Their loss is plain cross-entropy, unless the job names an objective that is one (see `plan`).

Visual program distillation (Hu et al. 2024, section 3.3): L = L_label + L_rationale.  The same
picture and question come with two prompts and two targets; each cross-entropy is normalised by the
length of its own target, and the two are added.  `instruct` is the control: the labels of the same
rows, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.errors import ProfileError
from workbench.ports import Teachable
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import Lesson, PartRef


def weighted(lessons: Sequence[Lesson], weight: float) -> Sequence[Lesson]:
    """The lessons of an example that a selector has given a weight."""
    if weight == 1.0:
        return lessons
    return [replace(lesson, weight=lesson.weight * weight) for lesson in lessons]


class Vpd:
    """The published objective: the label, and the rationale where there is one.

    Args:
        weight: what the rationale's term is multiplied by; 1 as published.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if (
            isinstance(weight, bool)
            or not isinstance(weight, int | float)
            or not 0 <= weight < float("inf")
        ):
            raise ProfileError(
                f"the objective's weight must be a number from 0 on, found {weight!r}"
            )
        self._weight = float(weight)
        self.ref = PartRef("objective", "vpd", arguments={"weight": self._weight})

    def lessons(self, example: Teachable) -> Sequence[Lesson]:
        """The label's lesson, then the rationale's."""
        question = question_text(example)
        lessons = [Lesson("label", question + LABEL_SUFFIX, example.answer)]
        if example.rationale and self._weight:
            lessons.append(
                Lesson("rationale", question + RATIONALE_SUFFIX, example.rationale, self._weight)
            )
        return lessons


class Instruct:
    """The control: labels alone, on the same rows and for the same steps."""

    def __init__(self) -> None:
        self.ref = PartRef("objective", "instruct")

    def lessons(self, example: Teachable) -> Sequence[Lesson]:
        """The label's lesson."""
        return [Lesson("label", question_text(example) + LABEL_SUFFIX, example.answer)]
