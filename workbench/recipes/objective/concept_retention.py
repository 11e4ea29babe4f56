"""OvSGTR's concept retention: what the new labels say nothing about stays as it was.

In a second round of training the labels speak of answers alone.  The states of the picture's places
have no label; there the student is held to the model of the round before, by the L1 distance, so
that what it knew of the picture is not lost while it learns to answer.

    retain = mean over places and numbers |s - t|
    L = language + weight * sum over layers retain
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from workbench.errors import InputError
from workbench.recipes.arguments import layer_numbers, numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import places_of, row_mean
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="concept_retention",
    port="objective",
    paper="OvSGTR: expanding scene graph boundaries, fully open-vocabulary scene graph generation",
    year=2023,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="C",
    link="https://github.com/gpt4vision/OvSGTR",
    idea="Train a second round and keep what the first one knew: where no label speaks, the "
    "student's view of the picture stays that of the earlier model.",
    formula="L = language + weight sum_layers mean |s - t| over the places of the picture",
    command="vpd train --student bundled --objective concept_retention --teacher bundled",
    expect="One more curve, retain: 0 before the first step where student and teacher begin alike; "
    "accuracy on the first round's questions was not measured yet.",
    defaults={"weight": 0.1, "layers": (-1,)},
    sources={"weight": "the released code: 0.1", "layers": "ours: the last one"},
    traps=("Applied where labels speak too, the term works against the new labels.",),
    not_reproduced=(
        "The detector and its focal loss on pairs of objects: here the unlabelled things are the "
        "places of the picture, there they are pairs that are labelled background.",
    ),
)


class ConceptRetention:
    """Language, and the distance from the earlier model where no label speaks.

    Args:
        weight: of the sum over layers.
        layers: of both models, from the end where they are negative.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})

    def __init__(self, weight: float = 0.1, layers: Sequence[int] = (-1,)) -> None:
        numbers_from("concept_retention", 0, weight=weight)
        self.layers = layer_numbers("concept_retention", layers)
        arguments = {"weight": weight, "layers": list(layers)}
        self.ref = PartRef("objective", "concept_retention", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "retain": Term(weight)}

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language and retention of each lesson.

        Raises:
            InputError: the teacher's states have another width: it is no earlier student.
        """
        each = []
        for layer in self.layers:
            places = places_of(student, teacher, layer)
            own, other = places.student.shape[-1], places.teacher.shape[-1]
            if own != other:
                raise InputError(
                    f"concept_retention holds the student to the model that it was, and this "
                    f"teacher's states have {other} numbers, the student's {own}; take the "
                    "student's own checkpoint of the round before"
                )
            each.append(row_mean((places.student - places.teacher).abs().mean(-1), places.mask))
        return {LANGUAGE: language(student, targets), "retain": torch.stack(each).sum(0)}
