"""Mutual learning of PP-StructureV2: two students learn the labels and each other's answers.

Nobody has to be the teacher.  Two students see the same batch; each learns the labels, and to say
what the other one says.  In the end there are two of them, and the job says which one gives the
held-out answers the higher chance.

    p: the student, q: its peer
    mutual = (KL(sg q || p) + KL(sg p || q)) / 2, the mean over a lesson's target tokens
    L = CE(p) + beside CE(q) + weight mutual
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.peers import both_ways
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="mutual_dml",
    port="objective",
    paper="PP-StructureV2: mutual learning (U-DML) of two students",
    year=2022,
    grade="B",
    level="V2",
    provenance="C",
    link="https://arxiv.org/abs/2210.05391",
    idea="Two students learn together: from the labels, and each from what the other one says.",
    formula="L = CE(p) + beside CE(q) + weight (KL(sg q || p) + KL(sg p || q)) / 2",
    command="vpd train --objective mutual_dml",
    expect="Two more curves, peer and mutual; the folder peer beside the student is the second "
    "one, "
    "and peers.json says which gives the held-out answers the higher chance.",
    defaults={"weight": 1.0, "beside": 1.0, "peer": ""},
    sources={
        "weight": "the released code: 1",
        "beside": "the released code: 1, both students alike",
        "peer": "ours: the student's own beginning, with adapters of another seed",
    },
    traps=(
        "An older version of the released code compares a student with itself in one of both "
        "divergences.",
        "Two students that begin alike and have no adapters stay alike for ever.",
    ),
    not_reproduced=(
        "The distance of the students' states, and FGD, the distillation of layout detectors.",
    ),
)


class MutualDml:
    """Language of two students, and their divergence.

    Args:
        weight: of the divergence.
        beside: weight of the peer's own language.
        peer: its checkpoint; empty for the student's own, with adapters of another seed.
    """

    needs: frozenset[Need] = frozenset({"logits"})
    layers: tuple[int, ...] = ()

    def __init__(self, weight: float = 1.0, beside: float = 1.0, peer: str = "") -> None:
        numbers_from("mutual_dml", 0, weight=weight, beside=beside)
        self.peer = peer
        arguments = {"weight": weight, "beside": beside, "peer": peer}
        self.ref = PartRef("objective", "mutual_dml", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "peer": Term(beside),
            "mutual": Term(weight),
        }

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The three terms of each lesson; the peer stands in the teacher's place."""
        assert teacher is not None, "the loop runs the peer"
        learns, teaches = both_ways(student, teacher)
        return {
            LANGUAGE: language(student, targets),
            "peer": language(teacher, targets),
            "mutual": targets.mean((learns + teaches) / 2),
        }
