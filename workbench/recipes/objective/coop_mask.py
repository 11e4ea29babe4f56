"""ACAM-KD's masks: student and teacher agree where the distance between their states matters.

Student and teacher states of the picture's places are fused by cross-attention.  M learnt
selectors make of the fused states M masks over places and M masks over the numbers of a state; the
distance is taken within them, and masks that cover the same are punished.

    A = softmax((W_q t)(W_k s)' / sqrt(C / 2)),  F = A W_v s
    M^s = sigma(F m_s) over places,  M^c = sigma(m_c mean_places(F)) over numbers
    L^s = mean over masks of sum M^s |M^s (t - E s)|^2 / sum M^s,  L^c likewise over numbers
    L_div = mean over pairs of masks of 2 <a, b> / (<a, a> + <b, b>)
    L = language + weight (L^s + L^c) + apart L_div
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import numbers_from, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import Places, bridge, dtype_of, places_of, teacher_width
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="coop_mask",
    port="objective",
    paper="ACAM-KD: adaptive and cooperative attention masking for knowledge distillation",
    year=2025,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="N",
    idea="Match states only where student and teacher together find it worth while: masks over "
    "places and numbers are learnt beside the student.",
    formula="L = language + weight (L^s + L^c) + apart L_div, with A = softmax((W_q t)(W_k s)' / "
    "sqrt(C/2)), F = A W_v s, M^s = sigma(F m_s), M^c = sigma(m_c mean F)",
    command="vpd train --student bundled --objective coop_mask --teacher bundled",
    expect="Three more curves: places, numbers and overlap; accuracy was not measured yet.",
    defaults={"masks": 6, "weight": 1.0, "apart": 1.0},
    sources={
        "masks": "the paper, for detection: 6 (19 for segmentation), after two notes",
        "weight": "the paper's 1, after two notes",
        "apart": "the paper's 1, after two notes",
    },
    traps=(
        "A plain sum within learnt masks is smallest where the masks are empty; here each is a "
        "mean over what its mask covers.",
    ),
    not_reproduced=(
        "The division by the mask's own sum is ours, for the reason above.",
        "Pictures of the masks.",
    ),
)


class CoopMask:
    """Language, and the distance to the teacher within learnt masks.

    Args:
        masks: M.
        weight: of both distances.
        apart: weight of the masks' overlap.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    layers: tuple[int, ...] = (-1,)

    def __init__(self, masks: int = 6, weight: float = 1.0, apart: float = 1.0) -> None:
        whole_numbers("coop_mask", 2, masks=masks)
        numbers_from("coop_mask", 0, weight=weight, apart=apart)
        self._count = masks
        arguments = {"masks": masks, "weight": weight, "apart": apart}
        self.ref = PartRef("objective", "coop_mask", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "places": Term(weight),
            "numbers": Term(weight),
            "overlap": Term(apart),
        }

    def build(self, shapes: Shapes) -> nn.Module:
        """The layer to the teacher's states, the cross-attention and the selectors."""
        width = teacher_width("coop_mask", shapes)
        half = max(width // 2, 1)
        self.maps = nn.ModuleDict(
            {
                "align": bridge("coop_mask", shapes),
                "query": nn.Linear(width, half, bias=False),
                "key": nn.Linear(shapes.width, half, bias=False),
                "value": nn.Linear(shapes.width, width, bias=False),
                "places": nn.Linear(width, self._count, bias=False),
                "numbers": nn.Linear(1, self._count, bias=False),
            }
        )
        return self.maps

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The four terms of each lesson."""
        places = places_of(student, teacher, -1)
        dtype = dtype_of(self.maps)
        places = Places(places.student.to(dtype), places.teacher.to(dtype), places.mask)
        by_place, by_number = self.masks(places)
        apart = (places.teacher - self.maps["align"](places.student)).square()
        apart = apart * places.mask.unsqueeze(-1)
        kept = places.mask.sum(1).clamp(min=1)
        return {
            LANGUAGE: language(student, targets),
            "places": within(apart.mean(-1), by_place),
            "numbers": within(apart.sum(1) / kept[:, None], by_number),
            "overlap": (overlap(by_place) + overlap(by_number)) / 2,
        }

    def masks(self, places: Places) -> tuple[Tensor, Tensor]:
        """The masks over places, `(R, M, P)`, and over numbers, `(R, M, C)`, each 0 to 1."""
        query, key = self.maps["query"](places.teacher), self.maps["key"](places.student)
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        attention = scores.masked_fill(~places.mask[:, None, :], -1e9).softmax(-1)
        fusion = attention @ self.maps["value"](places.student)
        by_place = self.maps["places"](fusion).sigmoid() * places.mask.unsqueeze(-1)
        kept = places.mask.unsqueeze(-1)
        middle = (fusion * kept).sum(1) / kept.sum(1).clamp(min=1)
        return by_place.mT, self.maps["numbers"](middle.unsqueeze(-1)).sigmoid().mT


def within(apart: Tensor, masks: Tensor) -> Tensor:
    """The mean over masks of the distance that each covers, `(R,)`.

    Args:
        apart: `(R, n)`: squared distances.
        masks: `(R, M, n)`, 0 to 1.
    """
    covers = (masks * masks.square() * apart[:, None]).sum(-1)
    return (covers / masks.sum(-1).clamp(min=1e-6)).mean(1)


def overlap(masks: Tensor) -> Tensor:
    """The mean Dice overlap of every two of `(R, M, n)` masks, `(R,)`, 0 to 1."""
    products = masks @ masks.mT
    own = products.diagonal(dim1=1, dim2=2)
    dice = 2 * products / (own[:, :, None] + own[:, None, :]).clamp(min=1e-6)
    first, second = torch.triu_indices(masks.shape[1], masks.shape[1], offset=1)
    return dice[:, first, second].mean(1)
