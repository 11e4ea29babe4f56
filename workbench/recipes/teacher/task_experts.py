"""Kernel of PosterOmni: an expert for each skill, put together in one student.

Experts are students that were trained on one kind of question each, say counting.  A lesson is
taught by the expert of its kind, so that one student gets what each of them knows, and no weights
have to be merged.  The kind is read off the example's answer: `count` for a number, `yesno` for yes
or no, `other` for anything else.

    what it says = z of the expert of the lesson's kind; nothing where there is none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.mixtures import ask, blank_outputs, members
from workbench.recipes.teaching import Classroom, Need, Outputs, Targets, Teacher
from workbench.records import Lesson, PartRef

CARD = Card(
    name="task_experts",
    port="teacher",
    paper="Kernel of PosterOmni: task experts distilled into one student",
    year=2026,
    grade="C",
    level="V2",
    needs=("objective",),
    provenance="N",
    idea="Train one expert for each kind of question, then one student by all of them: every "
    "lesson "
    "is taught by the expert of its kind.",
    formula="t = z of the expert of the lesson's kind, count, yesno or other; no term without one",
    command="vpd train --student bundled --objective anchor_kl --teacher task_experts --set "
    "teacher.count=bundled",
    expect="The objective's own curves; joint training, merging and this one side by side were not "
    "measured yet.",
    defaults={"count": "bundled", "yesno": "", "other": ""},
    sources={
        "count": "ours: to be set to the job of a student that counts",
        "yesno": "ours: to be set to a job, or left out",
        "other": "ours: to be set to a job, or left out",
    },
    traps=("An expert is asked about its own kind alone: outside of it, it knows less than most.",),
    not_reproduced=(
        "Posters, the flow model, its reward model and the training by reward.",
        "The experts are whole students here; the paper has adapters.",
    ),
)
KINDS = ("count", "yesno", "other")


class TaskExperts:
    """For each lesson the expert of its kind.

    Args:
        count: checkpoint for questions that a number answers; empty for none.
        yesno: checkpoint for questions that yes or no answers; empty for none.
        other: checkpoint for all others; empty for none.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(self, count: str = "bundled", yesno: str = "", other: str = "") -> None:
        paths = dict(zip(KINDS, (count, yesno, other)))
        self._paths = {kind: path for kind, path in paths.items() if path}
        if not self._paths:
            raise ProfileError(
                "task_experts takes a checkpoint for one kind of question or more: count, yesno, "
                "other; none was given"
            )
        self.ref = PartRef("teacher", "task_experts", arguments=paths)

    def enter(self, room: Classroom) -> None:
        """Load the experts.

        Raises:
            InputError: one of them cannot teach this student.
        """
        teachers = members("task_experts", room, list(self._paths.values()))
        self.experts: Mapping[str, Teacher] = dict(zip(self._paths, teachers))
        self._answers, self._words = room.answers, room.words

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """What the experts say of the lessons of their kinds.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read: logits.
            layers: unused.
        """
        kinds = [self.kind(lesson) for lesson in targets.lessons]
        device = targets.tokens.device
        logits = torch.zeros(len(targets.tokens), self._words, device=device)
        speaks = torch.zeros(len(targets.tokens), dtype=torch.bool, device=device)
        for kind, expert in self.experts.items():
            numbers = [at for at, own in enumerate(kinds) if own == kind]
            if numbers:
                rows = torch.isin(targets.owners, torch.tensor(numbers, device=device))
                (outputs,) = ask([expert], _of_lessons(targets, numbers))
                logits[rows], speaks[rows] = outputs.logits.to(logits.dtype), True
        return blank_outputs(targets, logits, speaks)

    def kind(self, lesson: Lesson) -> str:
        """The kind of the question behind a lesson."""
        answer = self._answers.get(lesson.example, lesson.target).strip().lower()
        if answer.isdecimal():
            return "count"
        return "yesno" if answer in ("yes", "no") else "other"


def _of_lessons(targets: Targets, numbers: Sequence[int]) -> Targets:
    """Some of the lessons, in their order."""
    kept = torch.tensor(numbers, device=targets.owners.device)
    matches = targets.owners[:, None] == kept
    rows = matches.any(1)
    return replace(
        targets,
        tokens=targets.tokens[rows],
        owners=matches[rows].int().argmax(1),
        lessons=[targets.lessons[at] for at in numbers],
        images=[targets.images[at] for at in numbers],
        by_person=targets.by_person[kept],
        auxiliary=None,
        bank=None,
    )
