"""What a student learns from an example: the curriculum, and the loss over its outputs.

A curriculum says what is asked and what should be said; an objective is a loss over what the
student says to it.  `vpd` and `instruct` are curricula, whose loss is plain cross-entropy; a job
whose objective is a loss has the lessons of `vpd`, unless it names another curriculum.

Visual program distillation (Hu et al. 2024, section 3.3): L = L_label + L_rationale.  The same
picture and question come with two prompts and two targets; each cross-entropy is normalised by the
length of its own target, and the two are added.  `instruct` is the control: the labels of the same
rows, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from workbench import registry
from workbench.errors import ProfileError
from workbench.ports import Curriculum, Teachable
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.recipes.teaching import (
    LANGUAGE,
    Need,
    Objective,
    Outputs,
    Targets,
    Teacher,
    Term,
    language,
)
from workbench.records import Lesson, PartRef
from workbench.snapshot import Example, Pair, Snapshot
from workbench.train.job import Job
from workbench.train.methods import METHODS


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


class CrossEntropy:
    """The plain loss: the mean cross-entropy of each lesson's own target tokens."""

    needs: frozenset[Need] = frozenset({"logits"})
    terms: Mapping[str, Term] = {LANGUAGE: Term()}
    layers: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.ref = PartRef("objective", "cross_entropy")

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The one term."""
        return {LANGUAGE: language(student, targets)}


@runtime_checkable
class BringsRows(Protocol):
    """A curriculum about other rows of a snapshot than its examples."""

    def rows(self, snapshot: Snapshot) -> Sequence[Example | Pair]:
        """What is learnt from.

        Raises:
            SnapshotError: there is nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts that a job names: what is asked, by what the student is taught, and by whom."""

    curriculum: Curriculum
    objective: Objective
    teacher: Teacher | None
    ref: PartRef
    """Of the part that the job calls its objective."""

    def rows(self, snapshot: Snapshot) -> Sequence[Example | Pair]:
        """What is learnt from: the examples of the training side, or what a curriculum brings.

        Raises:
            SnapshotError: the snapshot has nothing that the curriculum asks about.
        """
        if isinstance(self.curriculum, BringsRows):
            return self.curriculum.rows(snapshot)
        return snapshot.examples("train")

    def lessons(self, example: Example | Pair) -> list[Lesson]:
        """The lessons of an example, each with the example's id."""
        return [replace(one, example=example.id) for one in self.curriculum.lessons(example)]


def plan_of(job: Job) -> Plan:
    """The parts of a job, not yet given anything to work on.

    Raises:
        ProfileError: there is no such part, or it does not take these arguments.
    """
    part = registry.build("objective", job.objective, **job.arguments)
    asks, judges = isinstance(part, Curriculum), isinstance(part, Objective)
    if not asks and not judges:
        raise ProfileError(
            f"'{job.objective}' is neither a curriculum, which has `lessons`, nor a loss, which "
            "has `needs`, `terms` and `layers` and can be called; see docs/training.md"
        )
    if asks and job.curriculum:
        raise ProfileError(
            f"the objective '{job.objective}' asks its own questions; take the curriculum out of "
            "the job, or an objective that is a loss"
        )
    curriculum, teacher = job.curriculum or {"part": "vpd"}, job.teacher
    if own := METHODS.get(job.objective):  # learns from pairs, beside itself before training
        curriculum = job.curriculum or own
        teacher = job.teacher or {"part": "checkpoint", "path": job.student}
    return Plan(
        curriculum=part if asks else _part("curriculum", curriculum),
        objective=part if judges else CrossEntropy(),
        teacher=_part("teacher", teacher) if teacher else None,
        ref=part.ref,
    )


def _part(role: str, table: Mapping[str, object]) -> Any:
    arguments = dict(table)
    name = arguments.pop("part", None)
    if not isinstance(name, str) or not name:
        raise ProfileError(
            f"the table of the {role} names no part; write {role} = {{ part = 'NAME' }}; there "
            f"are: {', '.join(registry.parts(role)) or 'none'}"
        )
    return registry.build(role, name, **arguments)
