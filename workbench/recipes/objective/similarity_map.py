"""DistillDIFT's similarity maps: which places of the picture look alike to the teacher.

From each place of the picture, the similarity to all its other places is a distribution, sharp at a
low temperature.  The student's are drawn to the teacher's; widths need not agree.

    m_ij = softmax over j != i of cos(f_i, f_j) / temperature
    map = mean over i of KL(m_t || m_s)
    L = language + weight * sum over layers map
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from workbench.recipes.arguments import layer_numbers, numbers_above, numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import places_of, relations, row_mean
from workbench.recipes.maths import kl
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="similarity_map",
    port="objective",
    paper="DistillDIFT: distillation of diffusion features for semantic correspondence",
    year=2024,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="C",
    link="https://arxiv.org/abs/2412.03512",
    idea="Places of the picture that look alike to the teacher have to look alike to the student.",
    formula="L = language + weight sum_layers mean_i KL(m_t || m_s), "
    "m_ij = softmax_j(cos(f_i, f_j) / temperature), j != i",
    command="vpd train --student bundled --objective similarity_map --teacher bundled",
    expect="One more curve, map, that falls to 0 where both see alike; accuracy was not measured "
    "yet.",
    defaults={"weight": 1.0, "temperature": 0.01, "layers": (-1,)},
    sources={
        "weight": "ours",
        "temperature": "the released code: 0.01",
        "layers": "ours: the last one",
    },
    traps=(
        "The release feeds maps that are distributions already to a cross-entropy, which takes the "
        "softmax again and along another axis.",
    ),
    not_reproduced=(
        "Two pictures of one object: here the correspondence is between places of one picture.",
        "How the paper merges two teachers; here it is one.",
        "KL in place of cross-entropy: the same gradient, and 0 where the maps are equal.",
    ),
)


class SimilarityMap:
    """Language, and the divergence of the maps.

    Args:
        weight: of the sum over layers.
        temperature: divides the cosines.
        layers: of both models, from the end where they are negative.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})

    def __init__(
        self, weight: float = 1.0, temperature: float = 0.01, layers: Sequence[int] = (-1,)
    ) -> None:
        numbers_from("similarity_map", 0, weight=weight)
        numbers_above("similarity_map", 0, temperature=temperature)
        self.layers = layer_numbers("similarity_map", layers)
        self._temperature = temperature
        arguments = {"weight": weight, "temperature": temperature, "layers": list(layers)}
        self.ref = PartRef("objective", "similarity_map", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "map": Term(weight)}

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and divergence of the maps of each lesson."""
        each = []
        for layer in self.layers:
            places = places_of(student, teacher, layer)
            others = places.pairs & ~torch.eye(places.mask.shape[1], dtype=torch.bool).to(
                places.mask.device
            )
            t, s = (
                # far below all others and finite: a row without any would be NaN
                (relations(one) / self._temperature).masked_fill(~others, -1e9)
                for one in (places.teacher, places.student)
            )
            each.append(row_mean(kl(t, s), others.any(-1)))
        return {LANGUAGE: language(student, targets), "map": torch.stack(each).sum(0)}
