"""VidLanKD's neuron selectivity transfer: the student's neurons fire where the teacher's fire.

A neuron is one number of a state; how strongly it fires at each place of the picture is its
pattern.  The patterns of all the student's neurons are drawn to those of the teacher's as one cloud
to another, by the maximum mean discrepancy with K(x, y) = (x . y)^2, so that neither the width nor
the order of the neurons has to agree.

    x, y: patterns over a picture's places, of length 1
    nst = mean K(s, s) - 2 mean K(s, t) + mean K(t, t)
    L = language + weight * sum over layers nst
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import layer_numbers, numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import places_of
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="nst_mmd",
    port="objective",
    paper="VidLanKD: improving language understanding via video-distilled knowledge transfer",
    year=2021,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="X",
    link="https://arxiv.org/abs/2107.02681",
    idea="Match what a teacher of any width attends to: the patterns in which its neurons fire "
    "over "
    "the places of the picture, as a cloud and not one by one.",
    formula="L = language + weight sum_layers (mean K(s,s) - 2 mean K(s,t) + mean K(t,t)), "
    "K(x, y) = (x . y)^2 over unit patterns of neurons",
    command="vpd train --student bundled --objective nst_mmd --teacher bundled",
    expect="One more curve, nst, that is never below 0 and falls; accuracy was not measured yet.",
    defaults={"weight": 1.0, "layers": (-1,)},
    sources={"weight": "ours", "layers": "ours: the last one"},
    traps=("Without unit length the patterns of a few loud neurons are the whole loss.",),
    not_reproduced=(
        "The contrastive half (CRD) and the teacher's own training with vokens.",
        "The last summand has no gradient: it is ours, so that equal clouds have the value 0.",
    ),
)


class NstMmd:
    """Language, and the discrepancy between the neurons' patterns.

    Args:
        weight: of the sum over layers.
        layers: of both models, from the end where they are negative.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})

    def __init__(self, weight: float = 1.0, layers: Sequence[int] = (-1,)) -> None:
        numbers_from("nst_mmd", 0, weight=weight)
        self.layers = layer_numbers("nst_mmd", layers)
        arguments = {"weight": weight, "layers": list(layers)}
        self.ref = PartRef("objective", "nst_mmd", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "nst": Term(weight)}

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and discrepancy of each lesson."""
        each = []
        for layer in self.layers:
            places = places_of(student, teacher, layer)
            each.append(discrepancy(places.student, places.teacher))
        return {LANGUAGE: language(student, targets), "nst": torch.stack(each).sum(0)}


def discrepancy(student: Tensor, teacher: Tensor) -> Tensor:
    """The squared maximum mean discrepancy of two clouds of neurons, `(R,)`.

    Args:
        student: `(R, P, W)`; places that a row does not have hold zeros.
        teacher: `(R, P, W)` of its own width.
    """
    s, t = (nn.functional.normalize(one, dim=1) for one in (student, teacher))

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x.mT @ y).square().mean((1, 2))

    return kernel(s, s) - 2 * kernel(s, t) + kernel(t, t)
