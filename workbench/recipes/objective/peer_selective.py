"""Kernel of collaborative distillation of CNN and ViT: of two students the one that knows teaches.

Two students see the same batch.  For each target token the one that finds it likelier teaches the
other; what the other one believes is not learnt.

    p: the student, q: its peer
    selective = KL(sg q || p) where CE(q) < CE(p), KL(sg p || q) where CE(p) < CE(q), else 0
    L = CE(p) + beside CE(q) + weight selective
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.peers import both_ways, nats
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="peer_selective",
    port="objective",
    paper="Kernel of a CNN and ViT collaboration: selective bidirectional distillation",
    year=2023,
    grade="C",
    level="V2",
    provenance="R",
    link="https://arxiv.org/abs/2307.12574",
    idea="Two students learn together, and for each word the one that knows it better teaches the "
    "other.",
    formula="L = CE(p) + beside CE(q) + weight (KL(sg q||p) where CE(q) < CE(p), KL(sg p||q) where "
    "CE(p) < CE(q))",
    command="vpd train --objective peer_selective",
    expect="Two more curves, peer and selective; the folder peer beside the student is the second "
    "one, and peers.json says which gives the held-out answers the higher chance.",
    defaults={"weight": 1.0, "beside": 1.0, "peer": ""},
    sources={
        "weight": "ours",
        "beside": "ours",
        "peer": "ours: the student's own beginning, with adapters of another seed",
    },
    traps=("Taking the surer of both instead of the one that is right spreads mistakes.",),
    not_reproduced=(
        "Segmentation, regions, and the mimicry of low layers.",
        "The paper's criterion was not reached: the lower cross-entropy is our choice.",
    ),
)


class PeerSelective:
    """Language of two students, and what the better one says of each token.

    Args:
        weight: of the divergence.
        beside: weight of the peer's own language.
        peer: its checkpoint; empty for the student's own, with adapters of another seed.
    """

    needs: frozenset[Need] = frozenset({"logits"})
    layers: tuple[int, ...] = ()

    def __init__(self, weight: float = 1.0, beside: float = 1.0, peer: str = "") -> None:
        numbers_from("peer_selective", 0, weight=weight, beside=beside)
        self.peer = peer
        arguments = {"weight": weight, "beside": beside, "peer": peer}
        self.ref = PartRef("objective", "peer_selective", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "peer": Term(beside),
            "selective": Term(weight),
        }

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The three terms of each lesson; the peer stands in the teacher's place."""
        assert teacher is not None, "the loop runs the peer"
        learns, teaches = both_ways(student, teacher)
        own, other = nats(student, targets).detach(), nats(teacher, targets).detach()
        none = torch.zeros_like(learns)
        each = torch.where(other < own, learns, none) + torch.where(own < other, teaches, none)
        return {
            LANGUAGE: language(student, targets),
            "peer": language(teacher, targets),
            "selective": targets.mean(each),
        }
