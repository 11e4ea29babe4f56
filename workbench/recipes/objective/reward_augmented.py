"""Kernel of VP3D's rewards: distillation beside rewards that have a gradient of their own.

The paper adds to a diffusion prior the gradient of models that judge the picture.  What carries
over is the sum: a teacher's distribution, and rewards that are differentiable in what the student
says. Here they are the chance that the student says the whole target, and how sure it is of its
words.

    distil = T^2 KL(t || s; T)
    wrong  = 1 - exp(-sum over the target's tokens of CE): 1 less the chance of the whole target
    unsure = mean entropy of the student's words, as a share of the most there can be
    L = language_weight language + weight distil + right wrong + sure unsure
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import numbers_above, numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import real
from workbench.recipes.maths import kl
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="reward_augmented",
    port="objective",
    paper="Kernel of VP3D: distillation with weighted differentiable rewards",
    year=2024,
    grade="C",
    level="V2",
    needs=("teacher",),
    provenance="R",
    link="https://arxiv.org/abs/2403.17001",
    idea="Learn the teacher's words and at the same time maximise what is wanted of an answer: "
    "that "
    "the whole of it is right, and that the student is sure.",
    formula="L = language + weight T^2 KL(t||s; T) + right (1 - p(target)) + sure H(s)/log V",
    command="vpd train --student bundled --objective reward_augmented --teacher bundled --set "
    "arguments.sure=0.1",
    expect="Three more curves, distil, wrong and unsure, in 0 to 1 but the first; accuracy was not "
    "measured yet.",
    defaults={"weight": 1.0, "right": 1.0, "sure": 0.0, "temperature": 1.0},
    sources={
        "weight": "ours",
        "right": "ours: the paper's weights were not reached",
        "sure": "ours: 0, since a student that is sure of what is wrong is no better",
        "temperature": "ours",
    },
    traps=("The chance of a long target is nearly 0, and so is its gradient.",),
    not_reproduced=(
        "Pictures in three dimensions, score distillation, the visual prompt, and the model of "
        "people's taste: the rewards here are made of the student's own words.",
    ),
)


class RewardAugmented:
    """Language, a teacher's words, and two rewards.

    Args:
        weight: of the teacher's words.
        right: weight of the chance that the target is not said.
        sure: weight of the entropy.
        temperature: T, of teacher and student.
    """

    needs: frozenset[Need] = frozenset({"logits", "teacher"})
    layers: tuple[int, ...] = ()

    def __init__(
        self, weight: float = 1.0, right: float = 1.0, sure: float = 0.0, temperature: float = 1.0
    ) -> None:
        numbers_from("reward_augmented", 0, weight=weight, right=right, sure=sure)
        numbers_above("reward_augmented", 0, temperature=temperature)
        self._temperature = temperature
        arguments = {"weight": weight, "right": right, "sure": sure, "temperature": temperature}
        self.ref = PartRef("objective", "reward_augmented", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "distil": Term(weight),
            "wrong": Term(right),
            "unsure": Term(sure),
        }

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The four terms of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        s = real(student.logits)
        each = kl(real(teacher.logits), s, self._temperature)
        nats = nn.functional.cross_entropy(s, targets.tokens, reduction="none")
        whole = nats.new_zeros(len(targets.lessons)).index_add(0, targets.owners, nats)
        log_shares = s.log_softmax(-1)
        entropy = -(log_shares.exp() * log_shares).sum(-1) / math.log(s.shape[1])
        return {
            LANGUAGE: language(student, targets),
            "distil": self._temperature**2 * targets.mean(each, teacher.speaks),
            "wrong": -torch.expm1(-whole),
            "unsure": targets.mean(entropy),
        }
