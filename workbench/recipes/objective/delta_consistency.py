"""Kernel of EventVGGT's temporal consistency: the student changes its mind where the teacher does.

The paper aligns how depth changes between frames.  What carries over is that changes are matched
and not values: from one target token of a rationale to the next, the logits of the teacher's
likeliest words have to change by as much as they do in the teacher.

    d_i = z_(i+1) - z_i over the words that are among the teacher's likeliest in either place
    delta = mean over i and words |d_i(s) - d_i(t)|, logits less their mean over these words
    L = language + weight * delta
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.recipes.arguments import numbers_from, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import real
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="delta_consistency",
    port="objective",
    paper="Kernel of EventVGGT: consistency of changes between consecutive steps",
    year=2026,
    grade="C",
    level="V2",
    needs=("teacher",),
    provenance="R",
    link="https://arxiv.org/abs/2603.09385",
    idea="Teach not what the teacher thinks at each step of a rationale but how that changes from "
    "one step to the next.",
    formula="L = language + weight mean |(s_(i+1) - s_i) - (t_(i+1) - t_i)| over the teacher's "
    "likeliest words in either place",
    command="vpd train --student bundled --objective delta_consistency --teacher bundled",
    expect="One more curve, delta, that falls; 0 for targets of one token.  Accuracy was not "
    "measured yet.",
    defaults={"weight": 1.0, "most": 16},
    sources={"weight": "ours", "most": "ours: so many words in each of both places"},
    traps=(
        "Over the whole vocabulary the mean is that of words which nobody would say.",
        "A model's logits may all be higher by one number: changes are taken less their mean.",
    ),
    not_reproduced=("Frames, depth and the two other levels of the paper.",),
)


class DeltaConsistency:
    """Language, and how what is said next changes along a target.

    Args:
        weight: of the term.
        most: how many of the teacher's likeliest words count in each place.
    """

    needs: frozenset[Need] = frozenset({"logits", "teacher"})
    layers: tuple[int, ...] = ()

    def __init__(self, weight: float = 1.0, most: int = 16) -> None:
        numbers_from("delta_consistency", 0, weight=weight)
        whole_numbers("delta_consistency", 1, most=most)
        self._most = most
        self.ref = PartRef(
            "objective", "delta_consistency", arguments={"weight": weight, "most": most}
        )
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "delta": Term(weight)}

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and delta of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        s, t = real(student.logits), real(teacher.logits)
        each = [
            delta(s[own], t[own], self._most)
            for own in (targets.owners == at for at in range(len(targets.lessons)))
        ]
        return {LANGUAGE: language(student, targets), "delta": torch.stack(each)}


def delta(student: Tensor, teacher: Tensor, most: int) -> Tensor:
    """The mean difference of the changes along one target, a scalar; 0 for one token.

    Args:
        student: `(n, V)` logits, in the order of the target.
        teacher: `(n, V)` logits.
        most: how many of the teacher's likeliest words count in each place.
    """
    if len(student) < 2:
        return student.sum() * 0
    best = teacher.topk(min(most, teacher.shape[1]), dim=1).indices
    either = torch.cat([best[:-1], best[1:]], 1)

    def changes(logits: Tensor) -> Tensor:
        step = logits[1:].gather(1, either) - logits[:-1].gather(1, either)
        return step - step.mean(1, keepdim=True)

    return (changes(student) - changes(teacher)).abs().mean()
