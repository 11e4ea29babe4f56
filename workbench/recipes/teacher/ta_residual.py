"""Kernel of MonoTAKD: an assistant between teacher and student, and the part that it lacks.

A teacher that is far above the student is hard to follow; an assistant of a size in between is
easier.  What the assistant lacks of the teacher, where that is much, is added to what it says.

    R = z_teacher - z_assistant, 0 where |R| < keep * max |R| of the token
    what it says = z_assistant + share * R

Logits are less their mean over the words.  An assistant that is the teacher has R = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import real
from workbench.recipes.mixtures import ask, members
from workbench.recipes.teaching import Classroom, Need, Outputs, Targets, Teacher
from workbench.records import PartRef

CARD = Card(
    name="ta_residual",
    port="teacher",
    paper="Kernel of MonoTAKD: teaching assistant with a residual branch",
    year=2024,
    grade="C",
    level="V2",
    needs=("objective",),
    provenance="C",
    link="https://github.com/hoiliu-0801/MonoTAKD",
    idea="A teacher's assistant of a size in between teaches, and what it lacks of the teacher is "
    "added where that is much.",
    formula="t = z_assistant + share R, R = z_teacher - z_assistant where |R| >= keep max|R|, else "
    "0",
    command="vpd train --student bundled --objective anchor_kl --teacher ta_residual --set "
    "teacher.path=bundled "
    "--set teacher.via=bundled",
    expect="The objective's own curves; a large gap between teacher and student is needed to see "
    "more, and was not measured yet.",
    defaults={"path": "bundled", "via": "bundled", "share": 0.2, "keep": 0.6},
    sources={
        "path": "ours: to be set to the large teacher",
        "via": "ours: to be set to the assistant",
        "share": "the released code: 0.2, the weight of the residual's loss",
        "keep": "the released code: 0.6",
    },
    traps=(
        "The release's normalisation cuts the gradient to the student, so that its assistant "
        "teaches nothing.",
    ),
    not_reproduced=(
        "Cameras, laser scans and maps from above: here it is logits in place of feature maps.",
        "The student's own branch for the residual: here it is added to the target.",
    ),
)


class TaResidual:
    """An assistant's logits, and the highest part of what it lacks.

    Args:
        path: checkpoint of the teacher.
        via: checkpoint of the assistant.
        share: of the residual that is added; 0 leaves the assistant alone.
        keep: share of the token's highest residual below which it is left out, 0 to 1.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(
        self, path: str = "bundled", via: str = "bundled", share: float = 0.2, keep: float = 0.6
    ) -> None:
        numbers_from("ta_residual", 0, share=share, keep=keep)
        if keep > 1:
            raise ProfileError(f"ta_residual takes keep as a number from 0 to 1, found {keep!r}")
        self._paths, self._share, self._keep = (path, via), share, keep
        arguments = {"path": path, "via": via, "share": share, "keep": keep}
        self.ref = PartRef("teacher", "ta_residual", arguments=arguments)

    def enter(self, room: Classroom) -> None:
        """Load teacher and assistant.

        Raises:
            InputError: one of them cannot teach this student.
        """
        self.pair: list[Teacher] = members("ta_residual", room, self._paths)

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """The assistant's outputs with the residual.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read: logits.
            layers: unused.
        """
        teacher, assistant = ask(self.pair, targets)
        lacks = residual(real(teacher.logits), real(assistant.logits), self._keep)
        return replace(assistant, logits=real(assistant.logits) + self._share * lacks)


def residual(teacher: Tensor, assistant: Tensor, keep: float) -> Tensor:
    """What an assistant lacks, `(N, V)`, where that is much; 0 elsewhere.

    Args:
        teacher: `(N, V)` logits.
        assistant: `(N, V)` logits.
        keep: share of the token's highest residual below which it is left out.
    """
    apart = teacher - assistant
    apart = apart - apart.mean(-1, keepdim=True)
    highest = apart.abs().max(-1, keepdim=True).values
    return torch.where(apart.abs() >= keep * highest, apart, torch.zeros_like(apart))
