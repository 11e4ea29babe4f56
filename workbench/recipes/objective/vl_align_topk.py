"""Alignment with a teacher's view of the likeliest words, and with its view of the picture.

Small encoders lose what is not in the labels: how near other answers are.  The teacher's likeliest
`most` words in each place are a small vocabulary; over it the student has to have the teacher's
distribution.  The mean state of the picture has to lie where the teacher's lies.  Lessons that the
teacher itself would answer otherwise are left out of both.

    words   = KL(softmax of t over its top words || softmax of s over the same words)
    feature = |E(s)/|E(s)| - t/|t||^2 of the mean states of the picture
    L = language + words_weight words + feature_weight feature
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import (
    numbers_above,
    numbers_from,
    whole_numbers,
    yes_or_no,
)
from workbench.recipes.card import Card
from workbench.recipes.features import bridge, places_of, real
from workbench.recipes.maths import kl
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="vl_align_topk",
    port="objective",
    paper="Distilling large vision-language model with out-of-distribution generalizability",
    year=2023,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="C",
    link="https://github.com/xuanlinli17/large_vlm_distillation_ood",
    idea="Keep how near other answers are to the teacher: match its likeliest words and its view "
    "of "
    "the picture, where it would itself give the label.",
    formula="L = language + words KL over the teacher's top words + feature |E s/|E s| - t/|t||^2, "
    "both 0 where argmax t at the answer's beginning is not the label's",
    command="vpd train --student bundled --objective vl_align_topk --teacher bundled --set "
    "arguments.most=64",
    expect="Two more curves, words and feature, that fall; accuracy on unseen answers was not "
    "measured yet.",
    defaults={"words": 1.0, "feature": 1.0, "most": 256, "temperature": 1.0, "every": False},
    sources={
        "words": "ours",
        "feature": "the released code: 1",
        "most": "the released code: 256",
        "temperature": "ours: the release learns it",
        "every": "the paper leaves lessons out that the teacher answers otherwise",
    },
    traps=(
        "The teacher's mistakes are taught as well unless lessons that it answers otherwise are "
        "left out.",
    ),
    not_reproduced=(
        "The contrast between the pictures of a batch: it would change with the micro-batch.",
        "Descriptions of attributes from a language model: the words are the model's own.",
    ),
)


class VlAlignTopk:
    """Language, the teacher's likeliest words, and its view of the picture.

    Args:
        words: weight of the divergence over the likeliest words.
        feature: weight of the distance of the mean states of the picture.
        most: how many of the likeliest words.
        temperature: divides the logits of both.
        every: take lessons that the teacher would answer otherwise as well.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    layers: tuple[int, ...] = (-1,)

    def __init__(
        self,
        words: float = 1.0,
        feature: float = 1.0,
        most: int = 256,
        temperature: float = 1.0,
        every: bool = False,
    ) -> None:
        numbers_from("vl_align_topk", 0, words=words, feature=feature)
        numbers_above("vl_align_topk", 0, temperature=temperature)
        whole_numbers("vl_align_topk", 2, most=most)
        yes_or_no("vl_align_topk", every=every)
        self._most, self._temperature, self._every = most, temperature, every
        arguments = {
            "words": words,
            "feature": feature,
            "most": most,
            "temperature": temperature,
            "every": every,
        }
        self.ref = PartRef("objective", "vl_align_topk", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "words": Term(words),
            "feature": Term(feature),
        }

    def build(self, shapes: Shapes) -> nn.Module:
        """The layer from the student's states to the teacher's."""
        self.to_teacher = bridge("vl_align_topk", shapes)
        return self.to_teacher

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The three terms of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        places_of(student, teacher, -1)  # pictures that are cut otherwise are told in words
        agrees = agreement(teacher, targets) | self._every
        best = teacher.logits.topk(min(self._most, teacher.logits.shape[1]), dim=1).indices
        t, s = (real(one.logits).gather(1, best) for one in (teacher, student))
        each = kl(t, s, self._temperature)
        words = targets.mean(each, teacher.speaks)
        layer = self.to_teacher
        guess = layer(student.picture(-1).to(layer.weight.dtype))
        wanted_view = teacher.picture(-1).detach().to(guess.dtype)
        unit, other = (nn.functional.normalize(one, dim=-1) for one in (guess, wanted_view))
        feature = (unit - other).square().sum(-1) * student.image.any(1)
        return {
            LANGUAGE: language(student, targets),
            "words": torch.where(agrees, words, torch.zeros_like(words)),
            "feature": torch.where(agrees, feature, torch.zeros_like(feature)),
        }


def agreement(teacher: Outputs, targets: Targets) -> Tensor:
    """`(L,)`, bool: whether the teacher would begin each lesson as its target begins."""
    first = targets.first()
    return teacher.logits[first].argmax(-1) == targets.tokens[first]
