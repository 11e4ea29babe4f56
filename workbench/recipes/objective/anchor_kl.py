"""SgVA-CLIP's anchor: while it learns a new task, the student keeps saying what it said before.

The teacher is the student as it was, or any model whose manner is to be kept.  The divergence from
it is a term beside the language loss, and its curve is the drift: how far the student has gone.

    anchor = T^2 KL(t || s; T), the mean over a lesson's target tokens
    L = language + weight * anchor
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from workbench.recipes.arguments import numbers_above, numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import real
from workbench.recipes.maths import kl
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="anchor_kl",
    port="objective",
    paper="SgVA-CLIP: semantic-guided visual adapting of vision-language models",
    year=2022,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="C",
    link="https://arxiv.org/abs/2211.16191",
    idea="Learn the new task and stay close to the model you began with; the term's curve shows "
    "how "
    "far the student has drifted from it.",
    formula="L = language + weight T^2 KL(t || s; T)",
    command="vpd train --student bundled --objective anchor_kl --teacher bundled --set "
    "arguments.weight=1.0",
    expect="One more curve, anchor: 0 before the first step where the teacher is the student's own "
    "beginning, and the drift from then on; accuracy was not measured yet.",
    defaults={"weight": 1.0, "temperature": 1.0},
    sources={
        "weight": "ours: the release takes it from the command line",
        "temperature": "ours: the release takes it from the command line",
    },
    traps=(
        "The release divides the divergence by samples and by classes: its weight is the number of "
        "classes times ours.",
    ),
    not_reproduced=(
        "The contrast between pictures and prototypes of pictures.",
        "The two separate optimizers: the release trains the prompt by one term and the adapter by "
        "the others.",
    ),
)


class AnchorKl:
    """Language, and the divergence from a model whose manner is kept.

    Args:
        weight: of the divergence.
        temperature: T, of both.
    """

    needs: frozenset[Need] = frozenset({"logits", "teacher"})
    layers: tuple[int, ...] = ()

    def __init__(self, weight: float = 1.0, temperature: float = 1.0) -> None:
        numbers_from("anchor_kl", 0, weight=weight)
        numbers_above("anchor_kl", 0, temperature=temperature)
        self._temperature = temperature
        arguments = {"weight": weight, "temperature": temperature}
        self.ref = PartRef("objective", "anchor_kl", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "anchor": Term(weight)}

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and anchor of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        each = kl(real(teacher.logits), real(student.logits), self._temperature)
        return {
            LANGUAGE: language(student, targets),
            "anchor": self._temperature**2 * targets.mean(each, teacher.speaks),
        }
