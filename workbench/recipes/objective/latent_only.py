"""Kernel of Orion-Lite: the teacher's thought without its words.

The paper drops the language path of a driving model: the student learns the one state that the
teacher's reasoning ends in, and the plan.  What carries over: rationales are not taught at all; on
labels the student's state, where the answer begins, has to tell the teacher's.

    guess = LayerNorm(E s) where the answer begins
    latent = mean |guess - LayerNorm(t)|
    L = language on labels + weight * latent on labels; rationales have no loss
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import bridge, dtype_of, teacher_width
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="latent_only",
    port="objective",
    paper="Kernel of Orion-Lite: one latent feature in place of the reasoning's words",
    year=2026,
    grade="C",
    level="V2",
    needs=("teacher",),
    provenance="C",
    link="https://github.com/tue-mps/Orion-Lite",
    idea="Teach a student that answers at once: what the teacher has in mind where its answer "
    "begins "
    "takes the place of the rationale.",
    formula="L = CE on labels + weight mean |LayerNorm(E s) - LayerNorm(t)| where the answer "
    "begins",
    command="vpd train --student bundled --objective latent_only --teacher bundled",
    expect="One more curve, latent, that falls, and no curve of rationales; accuracy and time "
    "against a student with rationales were not measured yet.",
    defaults={"weight": 1.0},
    sources={"weight": "the released code: 1"},
    traps=(
        "A teacher that was never taught rationales has nothing in mind that the student would "
        "not learn from the labels.",
    ),
    not_reproduced=(
        "The driving model, its trajectories and their losses.",
        "The weight that may fall to 0 during training.",
        "The teacher's side is normalised here too, so that the loss does not hang on its scale.",
    ),
)
LABEL = "label"
"""Name of the lessons that ask for an answer alone."""


class LatentOnly:
    """Labels, and the teacher's state where the answer begins.

    Args:
        weight: of the state.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden"})
    layers: tuple[int, ...] = (-1,)

    def __init__(self, weight: float = 1.0) -> None:
        numbers_from("latent_only", 0, weight=weight)
        self.ref = PartRef("objective", "latent_only", arguments={"weight": weight})
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(1.0, (LABEL,)),
            "latent": Term(weight, (LABEL,)),
        }

    def build(self, shapes: Shapes) -> nn.Module:
        """The layer from the student's states to the teacher's, and its normalisation."""
        width = teacher_width("latent_only", shapes)
        self.view = nn.Sequential(bridge("latent_only", shapes), nn.LayerNorm(width))
        return self.view

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and latent of labels; 0 for other lessons."""
        assert teacher is not None, "the loop asks the teacher"
        first, labels = targets.first(), targets.with_names(LABEL)
        guess = self.view(student.states(-1)[first].to(dtype_of(self.view)))
        other = teacher.states(-1)[first].to(guess.dtype)
        apart = (guess - nn.functional.layer_norm(other, other.shape[-1:])).abs().mean(-1)
        own = language(student, targets)
        return {
            LANGUAGE: torch.where(labels, own, torch.zeros_like(own)),
            "latent": torch.where(labels, apart, torch.zeros_like(apart)),
        }
