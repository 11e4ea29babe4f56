"""Kernel of MG-UKD's masked graph attention: what is hidden is told by the places that are near.

The paper compresses a segmenter for underwater pictures.  What carries over: a share of the places
is hidden, and each hidden place of the teacher has to be rebuilt from those of the student's places
that stay and are nearest to it in the teacher's view, by graph attention.

    h_j = E s_j for places that stay;  e_ij = LeakyReLU(a . [t_near_mean_i; h_j])
    rebuilt_i = sum over the `near` nearest j of softmax_j(e_ij) h_j
    graph = mean over hidden i of |rebuilt_i - t_i|^2
    L = language + weight * graph

Near is what the teacher's states say; t_near_mean is the mean of the teacher's near places.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_from, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import (
    bridge,
    dtype_of,
    hidden_places,
    places_of,
    row_mean,
    teacher_width,
)
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="masked_graph",
    port="objective",
    paper="Kernel of MG-UKD (UWSAM): masked graph attention distillation",
    year=2025,
    grade="C",
    level="V2",
    needs=("teacher",),
    provenance="R",
    link="https://arxiv.org/abs/2505.15581",
    idea="Hide some places of the picture; the teacher's view of them has to be rebuilt from the "
    "student's view of the places near by.",
    formula="L = language + weight mean_hidden |sum_j softmax_j(LeakyReLU(a.[mean t_near; E s_j])) "
    "E s_j - t_i|^2 over the near places j that stay",
    command="vpd train --student bundled --objective masked_graph --teacher bundled --set "
    "arguments.share=0.5",
    expect="One more curve, graph, that falls; accuracy was not measured yet.",
    defaults={"weight": 1.0, "share": 0.5, "near": 4},
    sources={"weight": "ours", "share": "ours", "near": "ours"},
    traps=("A hidden place that is among its own neighbours rebuilds itself.",),
    not_reproduced=(
        "The segmenter and its pictures; the paper's loss was not reached.",
        "The same places of a lesson are hidden in every epoch, so that runs can be repeated.",
    ),
)


class MaskedGraph:
    """Language, and hidden places that are rebuilt from those near by.

    Args:
        weight: of the term.
        share: of the places that is hidden, above 0 and below 1.
        near: how many places rebuild one.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    layers: tuple[int, ...] = (-1,)

    def __init__(self, weight: float = 1.0, share: float = 0.5, near: int = 4) -> None:
        numbers_from("masked_graph", 0, weight=weight, share=share)
        whole_numbers("masked_graph", 1, near=near)
        if not 0 < share < 1:
            raise ProfileError(
                f"masked_graph takes a share above 0 and below 1 of places, found {share!r}"
            )
        self._share, self._near = share, near
        arguments = {"weight": weight, "share": share, "near": near}
        self.ref = PartRef("objective", "masked_graph", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "graph": Term(weight)}

    def build(self, shapes: Shapes) -> nn.Module:
        """E and a."""
        width = teacher_width("masked_graph", shapes)
        self.maps = nn.ModuleDict(
            {"view": bridge("masked_graph", shapes), "score": nn.Linear(2 * width, 1, bias=False)}
        )
        return self.maps

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and graph of each lesson."""
        places = places_of(student, teacher, -1)
        s, t = (one.to(dtype_of(self.maps)) for one in (places.student, places.teacher))
        shut = hidden_places(targets, places.mask, self._share)
        near = self.near_places(t, places.mask, shut)
        apart = (self.rebuild(s, t, near) - t).square().mean(-1)
        return {
            LANGUAGE: language(student, targets),
            "graph": row_mean(apart, shut & near.any(-1)),
        }

    def near_places(self, teacher: Tensor, mask: Tensor, shut: Tensor) -> Tensor:
        """`(R, P, P)`, bool: for each hidden place the nearest places that stay.

        Args:
            teacher: `(R, P, W)`.
            mask: `(R, P)`, bool.
            shut: `(R, P)`, bool: the hidden places.
        """
        apart = torch.cdist(teacher, teacher).masked_fill((~mask | shut)[:, None, :], 1e9)
        # those that stay have hidden ones for neighbours too, which nobody reads
        order = neighbours_by(apart, self._near)
        return order & (mask & ~shut)[:, None, :] & shut[:, :, None]

    def rebuild(self, student: Tensor, teacher: Tensor, near: Tensor) -> Tensor:
        """The hidden places as their neighbours tell them, `(R, P, W)` of the teacher's width.

        Args:
            student: `(R, P, W)`.
            teacher: `(R, P, W)` of its own width.
            near: `(R, P, P)`, bool.
        """
        view = self.maps["view"](student)
        kept = near.to(teacher.dtype)
        middle = kept @ teacher / kept.sum(-1, keepdim=True).clamp(min=1)
        size = near.shape[1]
        both = torch.cat(
            [
                middle[:, :, None].expand(-1, -1, size, -1),
                view[:, None].expand(-1, size, -1, -1),
            ],
            -1,
        )
        scores = nn.functional.leaky_relu(self.maps["score"](both).squeeze(-1), 0.2)
        guess: Tensor = scores.masked_fill(~near, -1e9).softmax(-1) @ view
        return guess


def neighbours_by(apart: Tensor, count: int) -> Tensor:
    """`(R, P, P)`, bool: the `count` nearest by a table of distances."""
    nearest = apart.topk(min(count, apart.shape[-1]), dim=-1, largest=False).indices
    return torch.zeros_like(apart, dtype=torch.bool).scatter(-1, nearest, True)
