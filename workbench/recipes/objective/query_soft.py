"""GKD's query-based soft distillation: the student's places look their values up by the teacher's.

Each place of the student asks which of the teacher's places it is like, and takes the student's own
values in these shares; what comes out has to be the teacher's state.  It is asked three times: for
the mean state of the picture, for all places, and with a share of the student's places hidden.

    Q(x) = softmax(W_q s . t') W_v s
    L = language + weight * (|Q(mean) - mean t|^2 + |Q(whole) - t|^2 + |Q(hidden) - t|^2)
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import bridge, dtype_of, hidden_places, places_of, row_mean
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="query_soft",
    port="objective",
    paper="GKD: generalizable knowledge distillation from vision foundation models",
    year=2026,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="X",
    link="https://github.com/Younger-hua/GKD",
    idea="The student's places take up the teacher's states by asking which of them they are like, "
    "so that no place is forced onto its exact neighbour.",
    formula="L = language + weight (|Q(mean) - mean t|^2 + |Q(s) - t|^2 + |Q(s with a share "
    "hidden) - t|^2), Q = softmax(W_q s . t') W_v s",
    command="vpd train --student bundled --objective query_soft --teacher bundled",
    expect="Three more curves, mean, whole and hidden, that fall; accuracy was not measured yet.",
    defaults={"weight": 1.0, "share": 0.5},
    sources={"weight": "the released code: 1 for each", "share": "the released code: 0.5"},
    traps=(
        "The values are the student's: with the teacher's as values there is nothing to learn.",
        "The scores are not divided by the root of the width.",
    ),
    not_reproduced=(
        "The second stage, in which the encoder is frozen for another task.",
        "The places are hidden in every step; the paper does so in half of them.",
        "The same places of a lesson are hidden in every epoch, so that runs can be repeated.",
    ),
)


class QuerySoft:
    """Language, and what the student's places look up.

    Args:
        weight: of each of the three distances.
        share: of the places that are hidden in the third, 0 to 1.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    layers: tuple[int, ...] = (-1,)

    def __init__(self, weight: float = 1.0, share: float = 0.5) -> None:
        numbers_from("query_soft", 0, weight=weight, share=share)
        if share >= 1:
            raise ProfileError(f"query_soft takes a share below 1 of places, found {share!r}")
        self._share = share
        self.ref = PartRef("objective", "query_soft", arguments={"weight": weight, "share": share})
        names = ("mean", "whole", "hidden")
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), **dict.fromkeys(names, Term(weight))}

    def build(self, shapes: Shapes) -> nn.Module:
        """W_q and W_v."""
        self.maps = nn.ModuleDict(
            {"query": bridge("query_soft", shapes), "value": bridge("query_soft", shapes)}
        )
        return self.maps

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The four terms of each lesson."""
        places = places_of(student, teacher, -1)
        s, t = (one.to(dtype_of(self.maps)) for one in (places.student, places.teacher))
        count = places.mask.sum(1, keepdim=True).clamp(min=1).unsqueeze(-1)
        means = [one.sum(1, keepdim=True) / count for one in (s, t)]
        some = places.mask[:, :1]
        shut = hidden_places(targets, places.mask, self._share)
        views = {
            "mean": (means[0], means[1], some),
            "whole": (s, t, places.mask),
            "hidden": (s.masked_fill(shut.unsqueeze(-1), 0.0), t, places.mask),
        }
        terms = {LANGUAGE: language(student, targets)}
        for name, (own, wanted_states, mask) in views.items():
            apart = (self.look_up(own, wanted_states, mask) - wanted_states).square().mean(-1)
            terms[name] = row_mean(apart, mask)
        return terms

    def look_up(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Q: what the student's places take up, `(R, P, W)` of the teacher's width.

        Args:
            student: `(R, P, W)`.
            teacher: `(R, P, W)` of its own width.
            mask: `(R, P)`, bool.
        """
        scores = self.maps["query"](student) @ teacher.mT
        shares = scores.masked_fill(~mask[:, None, :], -1e9).softmax(-1)
        looked: Tensor = shares @ self.maps["value"](student)
        return looked
