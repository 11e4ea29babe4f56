"""Kernel of multi-layer representation matching: the student's layers tell the teacher's layers.

The paper distils speech foundation models into an audio-visual one.  What carries over is its form:
states of several layers at once, each through a layer of its own, in distance and in direction.

    E_l: a layer for each l
    distance = sum over layers mean |E_l s_l - t_l|
    direction = sum over layers -log sigma(cos(E_l s_l, t_l))
    L = language + weight (distance + lam direction), means over a lesson's target tokens
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import layer_numbers, numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import bridge, dtype_of, real
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="multilayer_repr",
    port="objective",
    paper="Kernel of multi-layer, multi-teacher distillation of speech foundation models",
    year=2025,
    grade="C",
    level="V2",
    needs=("teacher",),
    provenance="R",
    link="https://arxiv.org/abs/2502.05766",
    idea="Match several layers of a teacher at once, each in distance and in direction.",
    formula="L = language + weight sum_l (mean |E_l s_l - t_l| - lam log sigma(cos(E_l s_l, t_l)))",
    command="vpd train --student bundled --objective multilayer_repr --teacher bundled",
    expect="Two more curves, distance and direction, that fall; accuracy was not measured yet.",
    defaults={"weight": 1.0, "lam": 1.0, "layers": (0, -1)},
    sources={
        "weight": "ours",
        "lam": "DistilHuBERT: 1",
        "layers": "ours: what the embeddings give, and the last one",
    },
    traps=("The form with cosines is DistilHuBERT's; the paper has soft labels and a regression.",),
    not_reproduced=(
        "Audio, video, and the mean over several teachers: here it is one model.",
        "The paper's soft labels: how they arise was not reached.",
    ),
)


class MultilayerRepr:
    """Language, and states of several layers.

    Args:
        weight: of both terms.
        lam: of the direction in it.
        layers: of both models, from the end where they are negative.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden"})

    def __init__(
        self, weight: float = 1.0, lam: float = 1.0, layers: Sequence[int] = (0, -1)
    ) -> None:
        numbers_from("multilayer_repr", 0, weight=weight, lam=lam)
        self.layers = layer_numbers("multilayer_repr", layers)
        arguments = {"weight": weight, "lam": lam, "layers": list(layers)}
        self.ref = PartRef("objective", "multilayer_repr", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "distance": Term(weight),
            "direction": Term(weight * lam),
        }

    def build(self, shapes: Shapes) -> nn.Module:
        """A layer from the student's states to the teacher's, for each of the layers."""
        self.maps = nn.ModuleList(bridge("multilayer_repr", shapes) for _ in self.layers)
        return self.maps

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language, distance and direction of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        distance, direction = [], []
        for layer, to_teacher in zip(self.layers, self.maps, strict=True):
            guess = real(to_teacher(student.states(layer).to(dtype_of(to_teacher))))
            other = teacher.states(layer).to(guess.dtype)
            cosine = nn.functional.cosine_similarity(guess, other, dim=-1)
            distance.append(targets.mean((guess - other).abs().mean(-1)))
            direction.append(targets.mean(-nn.functional.logsigmoid(cosine)))
        return {
            LANGUAGE: language(student, targets),
            "distance": torch.stack(distance).sum(0),
            "direction": torch.stack(direction).sum(0),
        }
