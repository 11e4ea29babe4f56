"""The parts that a job names: what is asked, by what the student is taught, and by whom.

A curriculum says what is asked and what should be said; an objective is a loss over what the
student says to it.  A job whose objective is a loss has the lessons of `vpd`, unless it names
another curriculum; one whose objective is a curriculum has plain cross-entropy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from workbench import registry
from workbench.errors import ProfileError
from workbench.ports import Curriculum
from workbench.recipes.teaching import (
    LANGUAGE,
    Need,
    Objective,
    Outputs,
    Policy,
    Targets,
    Teacher,
    Term,
    Transform,
    language,
)
from workbench.records import Lesson, PartRef
from workbench.snapshot import Example, Pair, Snapshot
from workbench.train.job import Job
from workbench.train.methods import METHODS
from workbench.train.objective import weighted


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
    policy: Policy | None
    """Who makes the lessons of a step of the student's own answers; None without reward."""
    transform: Transform | None
    """What is done to the finished student."""
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
        """The lessons of an example, each with the example's id and weight."""
        lessons = self.curriculum.lessons(example)
        if isinstance(example, Example):
            lessons = weighted(lessons, example.weight)
        return [replace(one, example=example.id) for one in lessons]


def plan_of(job: Job) -> Plan:
    """The parts of a job, not yet given anything to work on.

    Raises:
        ProfileError: there is no such part, or it does not take these arguments.
    """
    part = registry.build("objective", job.objective, **job.arguments)
    policy = _policy(job)
    if own := METHODS.get(job.objective):  # learns from pairs, beside itself before training
        reference = {"part": "checkpoint", "path": job.student}
        job = replace(job, curriculum=job.curriculum or own, teacher=job.teacher or reference)
    curriculum = _curriculum(job, part)
    if policy is not None and isinstance(curriculum, BringsRows):
        raise ProfileError(
            f"a policy answers the questions of the snapshot's examples, and '{job.objective}' "
            "learns from its preference pairs; take one of them out of the job"
        )
    objective = part if isinstance(part, Objective) else CrossEntropy()
    return Plan(
        curriculum=curriculum,
        objective=objective if policy is None else policy,
        teacher=_part("teacher", job.teacher) if job.teacher else None,
        policy=policy,
        transform=_part("transform", job.transform) if job.transform else None,
        ref=part.ref if policy is None else policy.ref,
    )


def _curriculum(job: Job, part: object) -> Curriculum:
    """What is asked: the job's objective itself, or what the job names beside a loss."""
    if not isinstance(part, Curriculum):
        if not isinstance(part, Objective):
            raise ProfileError(
                f"'{job.objective}' is neither a curriculum, which has `lessons`, nor a loss, "
                "which has `needs`, `terms` and `layers` and can be called; see docs/training.md"
            )
        curriculum: Curriculum = _part("curriculum", job.curriculum or {"part": "vpd"})
        return curriculum
    if job.curriculum:
        raise ProfileError(
            f"the objective '{job.objective}' asks its own questions; take the curriculum out of "
            "the job, or an objective that is a loss"
        )
    return part


def _policy(job: Job) -> Policy | None:
    if not job.policy:
        return None
    policy = _part("policy", job.policy)
    if not isinstance(policy, Policy):
        raise ProfileError(
            f"the policy '{job.policy.get('part')}' is not one: it has `answers`, `lessons` and "
            "more, and is an objective; see workbench/recipes/teaching.py"
        )
    return policy


def _part(role: str, table: Mapping[str, object]) -> Any:
    arguments = dict(table)
    name = arguments.pop("part", None)
    if not isinstance(name, str) or not name:
        raise ProfileError(
            f"the table of the {role} names no part; write {role} = {{ part = 'NAME' }}; there "
            f"are: {', '.join(registry.parts(role)) or 'none'}"
        )
    return registry.build(role, name, **arguments)
