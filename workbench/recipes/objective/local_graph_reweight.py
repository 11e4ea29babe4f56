"""Kernel of PointDistiller: the neighbourhoods of important places are matched, and weigh more.

The paper distils detectors of point clouds.  What carries over: of the places of the picture the
teacher's most important ones are taken, each with its nearest places in the teacher's view; the
student's pairs of neighbour and centre, through a layer, have to tell the teacher's pairs.

    score_i = mean |t_i|, as a share of the row's highest;  w = N softmax(score / tau)
    local = 2 mean over the N highest i and their near j of w_i |G[s_j; s_i] - [t_j; t_i]|^2
    L = language + weight * local
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import numbers_above, numbers_from, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import neighbours, places_of, teacher_width
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="local_graph_reweight",
    port="objective",
    paper="Kernel of PointDistiller: local graphs of important places, weighed by importance",
    year=2022,
    grade="C",
    level="V2",
    needs=("teacher",),
    provenance="X+",
    link="https://github.com/RunpeiDong/PointDistiller",
    idea="Match the neighbourhoods of the places that matter most to the teacher, and these the "
    "more, the more they matter.",
    formula="L = language + weight 2 mean_(i,j) w_i |G[s_j; s_i] - [t_j; t_i]|^2, w = N "
    "softmax(score / tau) over the N highest scores, j near i",
    command="vpd train --student bundled --objective local_graph_reweight --teacher bundled",
    expect="One more curve, local, that falls; accuracy was not measured yet.",
    defaults={"weight": 1.0, "important": 16, "near": 4, "tau": 0.1},
    sources={
        "weight": "ours",
        "important": "ours",
        "near": "ours: a picture has tens of places here; the paper takes 128 of thousands",
        "tau": "ours: scores are shares of the highest; the paper has 0.01 or 0.0001",
    },
    traps=(
        "The release's batched variant takes the softmax over an axis of length 1, so that its "
        "weights are all alike.",
    ),
    not_reproduced=("Point clouds, voxels and the detector.",),
)


class LocalGraphReweight:
    """Language, and the neighbourhoods of important places.

    Args:
        weight: of the term.
        important: N, how many places of a picture.
        near: how many neighbours of each.
        tau: divides the scores.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    layers: tuple[int, ...] = (-1,)

    def __init__(
        self, weight: float = 1.0, important: int = 16, near: int = 4, tau: float = 0.1
    ) -> None:
        numbers_from("local_graph_reweight", 0, weight=weight)
        numbers_above("local_graph_reweight", 0, tau=tau)
        whole_numbers("local_graph_reweight", 1, important=important, near=near)
        self._most, self._near, self._tau = important, near, tau
        arguments = {"weight": weight, "important": important, "near": near, "tau": tau}
        self.ref = PartRef("objective", "local_graph_reweight", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "local": Term(weight)}

    def build(self, shapes: Shapes) -> nn.Module:
        """G, which begins as the identity where both models are as wide."""
        width = teacher_width("local_graph_reweight", shapes)
        self.pairs = nn.Linear(2 * shapes.width, 2 * width)
        if width == shapes.width:
            nn.init.eye_(self.pairs.weight)
            nn.init.zeros_(self.pairs.bias)
        return self.pairs

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and local of each lesson."""
        places = places_of(student, teacher, -1)
        weights = importance(places.teacher, places.mask, self._most, self._tau)
        near = neighbours(places.teacher, places.mask, self._near) & (weights > 0)[:, :, None]
        guess = self.pairs(edges(places.student).to(self.pairs.weight.dtype))
        apart = (guess - edges(places.teacher).to(guess.dtype)).square().mean(-1)
        total = (weights[:, :, None] * apart * near).sum((1, 2))
        return {
            LANGUAGE: language(student, targets),
            "local": 2 * total / near.sum((1, 2)).clamp(min=1),
        }


def importance(teacher: Tensor, mask: Tensor, most: int, tau: float) -> Tensor:
    """The weights of places, `(R, P)`: their mean over the N highest is 1, all others have 0.

    Args:
        teacher: `(R, P, W)`.
        mask: `(R, P)`, bool.
        most: N.
        tau: divides the scores.
    """
    scores = teacher.abs().mean(-1).masked_fill(~mask, -1.0)
    shares = scores / scores.max(1, keepdim=True).values.clamp(min=1e-12)
    best = shares.topk(min(most, shares.shape[1]), dim=1)
    kept = mask.gather(1, best.indices)
    chances = (best.values / tau).masked_fill(~kept, -1e9).softmax(-1) * kept
    return torch.zeros_like(shares).scatter(1, best.indices, chances * kept.sum(1, keepdim=True))


def edges(states: Tensor) -> Tensor:
    """Neighbour and centre of every pair, `(R, P, P, 2 W)`; row i has the centre i."""
    size = states.shape[1]
    neighbour = states[:, None].expand(-1, size, -1, -1)
    centre = states[:, :, None].expand(-1, -1, size, -1)
    return torch.cat([neighbour, centre], -1)
