"""MaKD's aspects: beside the answer, what a large model says to yes-or-no questions of the picture.

Before the first step a model is asked Q yes-or-no questions about every picture.  A head over the
student's state where the answer begins has to give the same Q answers, each as a chance, so that
the boolean steps behind an answer are in the state before it is written.

    q_a = softmax(z_yes, z_no)_yes of the model asked, for each aspect a
    aspects = mean over a of BCE(sigma(head(s))_a, q_a)
    L = language + alpha * aspects on labels
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="aspect_bce",
    port="objective",
    paper="MaKD: multi-aspect knowledge distillation with a large language model",
    year=2025,
    grade="B",
    level="V2",
    provenance="X",
    link="https://github.com/taegyeong-lee/MaKD",
    idea="Ask a large model yes-or-no questions about every picture, and let the student tell its "
    "answers beside the question's own.",
    formula="L = language + alpha mean_a BCE(sigma(head(s))_a, softmax(z_yes, z_no)_yes) on labels",
    command="vpd train --objective aspect_bce --set arguments.tool=bundled",
    expect="One more curve, aspects, that falls; accuracy was not measured yet.",
    defaults={
        "tool": "bundled",
        "aspects": "Is there a person?|Is there an animal?|Is there a vehicle?|Is there furniture?",
        "alpha": 4.0,
    },
    sources={
        "tool": "ours: the model that is asked",
        "aspects": "ours: four; the paper lets a language model write 50",
        "alpha": "the released code: 4",
    },
    traps=("An aspect that is the same in every picture teaches nothing but its own frequency.",),
    not_reproduced=("The aspects are written by hand, with | between them.",),
)
LABEL = "label"
"""Name of the lessons that ask for an answer alone."""


class AspectBce:
    """Language, and what a model says to yes-or-no questions of the picture.

    Args:
        tool: the checkpoint that is asked: `bundled`, `small`, `distilled`, a folder, or a hub id.
        aspects: the questions, with `|` between them.
        alpha: weight of the term.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "auxiliary"})
    layers: tuple[int, ...] = (-1,)

    def __init__(
        self,
        tool: str = "bundled",
        aspects: str = "Is there a person?|Is there an animal?|Is there a vehicle?"
        "|Is there furniture?",
        alpha: float = 4.0,
    ) -> None:
        numbers_from("aspect_bce", 0, alpha=alpha)
        questions = tuple(one.strip() for one in str(aspects).split("|") if one.strip())
        if not questions:
            raise ProfileError(
                "aspect_bce takes aspects as one yes-or-no question or more with | between them, "
                f"found {aspects!r:.60}"
            )
        self.tool, self.aspects = tool, questions
        arguments = {"tool": tool, "aspects": aspects, "alpha": alpha}
        self.ref = PartRef("objective", "aspect_bce", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "aspects": Term(alpha, (LABEL,))}

    def build(self, shapes: Shapes) -> nn.Module:
        """The head of Q chances."""
        self.head = nn.Linear(shapes.width, shapes.auxiliary)
        return self.head

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language of each lesson, and aspects of labels."""
        assert targets.auxiliary is not None, "the loop asks the model"
        guess = self.head(student.states(-1)[targets.first()].to(self.head.weight.dtype))
        chances = targets.auxiliary.to(guess.dtype)
        each = nn.functional.binary_cross_entropy_with_logits(guess, chances, reduction="none")
        nats = each.mean(-1)
        return {
            LANGUAGE: language(student, targets),
            "aspects": torch.where(targets.with_names(LABEL), nats, torch.zeros_like(nats)),
        }
