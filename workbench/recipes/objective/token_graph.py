"""TRG's token graph: how the places of the picture stand to one another, not what each one is.

Three relations of the teacher's places are taught beside the answer.  Inner: the softmax of the
inner products of all places.  Local: a graph of each place and its nearest, weighed by distance.
Global: each place of the student has to be nearer to its own place of the teacher, through a layer,
than to the teacher's other places of the picture.

    inner  = mean (CS_t - CS_s)^2,  CS = softmax(F F' / sqrt W)
    local  = mean_i KL(softmax A^S_i || softmax A^T_i),  A_ij = exp(-|f_i - f_j|^2 / 2 sigma) among
             the `near` nearest, else 0
    global = mean_i -log softmax_j(cos(E(s_i), t_j) / tau)_i
    L = language + logit T^2 KL(t || s; T) + sum over the three, weights inner, local, around

States have length 1 before their graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import numbers_above, numbers_from, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import Places, bridge, neighbours, places_of, real, row_mean
from workbench.recipes.maths import kl
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="token_graph",
    port="objective",
    paper="TRG: knowledge distillation via token-level relationship graph",
    year=2023,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="N",
    link="https://arxiv.org/abs/2306.12442",
    idea="Teach the student how the places of a picture stand to one another in the teacher's "
    "view: "
    "all pairs, the nearest ones, and which place is which.",
    formula="L = language + logit T^2 KL(t||s; T) + inner MSE(softmax FF'/sqrt W) + local mean_i "
    "KL(softmax A^S_i || softmax A^T_i) + around mean_i CE(cos(E s_i, t_j) / tau, i)",
    command="vpd train --student bundled --objective token_graph --teacher bundled --set "
    "arguments.near=4",
    expect="Four more curves, logit, inner, local and global, that fall; accuracy was not measured "
    "yet.",
    defaults={
        "logit": 1.0,
        "inner": 1.0,
        "local": 1.0,
        "around": 1.0,
        "temperature": 1.0,
        "near": 4,
        "sigma": 1.0,
        "tau": 0.1,
    },
    sources={
        "logit": "ours: the notes do not say it",
        "inner": "ours: the notes do not say it",
        "local": "ours: the notes do not say it",
        "around": "ours: the notes do not say it",
    },
    traps=("A graph over all places instead of the nearest is the inner term once more.",),
    not_reproduced=(
        "tau falls during training in the paper; here it is the same in every step.",
        "A random sample of the places: all of them are used.",
    ),
)


class TokenGraph:
    """Language, the teacher's logits, and three relations of the picture's places.

    Args:
        logit: weight of the divergence of the answers.
        inner: weight of the inner products.
        local: weight of the graph of neighbours.
        around: weight of the global contrast.
        temperature: T, of the answers.
        near: neighbours of a place.
        sigma: twice of it divides squared distances.
        tau: divides the cosines of the contrast.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    layers: tuple[int, ...] = (-1,)

    def __init__(
        self,
        logit: float = 1.0,
        inner: float = 1.0,
        local: float = 1.0,
        around: float = 1.0,
        temperature: float = 1.0,
        near: int = 4,
        sigma: float = 1.0,
        tau: float = 0.1,
    ) -> None:
        weights = {"logit": logit, "inner": inner, "local": local, "around": around}
        positive = {"temperature": temperature, "sigma": sigma, "tau": tau}
        numbers_from("token_graph", 0, **weights)
        numbers_above("token_graph", 0, **positive)
        whole_numbers("token_graph", 1, near=near)
        self._near, self._sigma, self._tau, self._temperature = near, sigma, tau, temperature
        self.ref = PartRef(
            "objective", "token_graph", arguments={**weights, **positive, "near": near}
        )
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "logit": Term(logit),
            "inner": Term(inner),
            "local": Term(local),
            "global": Term(around),
        }

    def build(self, shapes: Shapes) -> nn.Module:
        """The layer from the student's states to the teacher's."""
        self.to_teacher = bridge("token_graph", shapes)
        return self.to_teacher

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The five terms of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        places = places_of(student, teacher, -1)
        each = kl(real(teacher.logits), real(student.logits), self._temperature)
        own, other = (
            self._graph(one, places.mask).masked_fill(~places.pairs, -1e9)
            for one in (places.student, places.teacher)
        )
        return {
            LANGUAGE: language(student, targets),
            "logit": self._temperature**2 * targets.mean(each, teacher.speaks),
            "inner": inner_distance(places),
            "local": row_mean(kl(own, other), places.mask),
            "global": self._contrast(places),
        }

    def _graph(self, states: Tensor, mask: Tensor) -> Tensor:
        unit = nn.functional.normalize(states, dim=-1)
        # from cosines: the gradient of cdist is not finite at equal places
        apart = (2 - 2 * unit @ unit.mT).clamp(min=0)
        weights = torch.exp(-apart / (2 * self._sigma))
        return torch.where(neighbours(unit, mask, self._near), weights, torch.zeros_like(weights))

    def _contrast(self, places: Places) -> Tensor:
        guess = self.to_teacher(places.student.to(self.to_teacher.weight.dtype))
        unit, other = (nn.functional.normalize(one, dim=-1) for one in (guess, places.teacher))
        cosines = (unit @ other.to(unit.dtype).mT) / self._tau
        nats = cosines.masked_fill(~places.mask[:, None, :], -1e9).log_softmax(-1)
        return row_mean(-nats.diagonal(dim1=1, dim2=2), places.mask)


def inner_distance(places: Places) -> Tensor:
    """The mean squared difference of the softmax of all inner products, `(R,)`."""

    def products(states: Tensor) -> Tensor:
        unit = states @ states.mT / math.sqrt(states.shape[-1])
        return unit.masked_fill(~places.pairs, -1e9).softmax(-1)

    apart = (products(places.student) - products(places.teacher)).square()
    return row_mean(apart, places.pairs)
