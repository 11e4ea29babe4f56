"""LAD's label-assisted teacher: it may look at the answer, the student never does.

The teacher's own prompt ends in a remark what somebody answered.  The remark is noisy: with the
chance `noise` it names the answer to another question.  Two such remarks are made for each lesson,
and the teacher speaks only where it says the same with both: where it merely repeats the remark,
two different remarks take it apart, and that leak is not taught.

    z_1, z_2: its logits with the first and with the second remark
    what it says = log of the mean of both distributions, where argmax z_1 = argmax z_2
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import torch

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.mixtures import ask, log_mixture, members
from workbench.recipes.teaching import Classroom, Need, Outputs, Targets, Teacher
from workbench.records import Lesson, PartRef

CARD = Card(
    name="label_privileged",
    port="teacher",
    paper="LAD: label-assisted distillation for semantic segmentation",
    year=2024,
    grade="B",
    level="V2",
    needs=("objective",),
    provenance="X+",
    link="https://github.com/skyshoumeng/Label_Assisted_Distillation",
    idea="The teacher sees a noisy answer in its prompt and the student does not; it is believed "
    "only where two noisy answers make it say the same.",
    formula="t = log mean(softmax z_1, softmax z_2) where argmax z_1 = argmax z_2; each remark "
    "names "
    "another question's answer with chance noise",
    command="vpd train --student bundled --objective anchor_kl --teacher label_privileged --set "
    "teacher.path=bundled",
    expect="The objective's own curves, over the tokens in which both agree; accuracy was not "
    "measured yet.",
    defaults={"path": "bundled", "noise": 0.5, "seed": 0},
    sources={
        "path": "ours: to be set to the teacher",
        "noise": "ours: the paper adds noise to codes of labels, not to words",
        "seed": "ours",
    },
    traps=("Without noise the teacher copies, and the student learns from it what it cannot see.",),
    not_reproduced=(
        "Segmentation, codes of labels in a further channel of the picture, and a teacher that is "
        "trained with them: here the answer stands in the prompt of a model that is ready.",
    ),
)
REMARK = " (Somebody answered: {answer}.)"
"""What the teacher's prompt ends in."""


class LabelPrivileged:
    """A checkpoint that is told a noisy answer, twice.

    Args:
        path: checkpoint of the teacher.
        noise: chance that a remark names the answer to another question, 0 to 1.
        seed: of the noise.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(self, path: str = "bundled", noise: float = 0.5, seed: int = 0) -> None:
        numbers_from("label_privileged", 0, noise=noise)
        if noise > 1:
            raise ProfileError(
                f"label_privileged takes noise as a chance from 0 to 1, found {noise!r}"
            )
        self._path, self._noise, self._seed = path, noise, seed
        arguments = {"path": path, "noise": noise, "seed": seed}
        self.ref = PartRef("teacher", "label_privileged", arguments=arguments)

    def enter(self, room: Classroom) -> None:
        """Load the model, and learn what is answered elsewhere.

        Raises:
            InputError: it cannot teach this student.
        """
        self.teachers: list[Teacher] = members("label_privileged", room, [self._path])
        self._answers = room.answers
        self._all = sorted(set(room.answers.values()))

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """The mean of what it says with both remarks.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read: logits.
            layers: unused.
        """
        both = []
        for number in (1, 2):
            lessons = [self.with_remark(lesson, number) for lesson in targets.lessons]
            both += ask(self.teachers, replace(targets, lessons=lessons))
        first, second = (one.logits for one in both)
        even = torch.full((2, len(first)), 0.5, device=first.device)
        return replace(
            both[0],
            logits=log_mixture([first, second], even),
            speaks=first.argmax(-1) == second.argmax(-1),
        )

    def with_remark(self, lesson: Lesson, number: int) -> Lesson:
        """A lesson whose prompt ends in a remark, the same whenever it is made again.

        Args:
            lesson: the student's.
            number: of the remark.
        """
        answer = self._answers.get(lesson.example, lesson.target)
        words = "\0".join([str(self._seed), str(number), lesson.example, lesson.prompt])
        digest = hashlib.sha256(words.encode()).digest()
        others = [one for one in self._all if one != answer]
        if others and int.from_bytes(digest[:4], "big") < self._noise * 2**32:
            answer = others[int.from_bytes(digest[4:8], "big") % len(others)]
        return replace(lesson, prompt=lesson.prompt + REMARK.format(answer=answer))
