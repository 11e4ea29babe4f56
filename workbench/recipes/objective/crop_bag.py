"""Kernel of CMD: what crops of a picture say together has to be what the whole picture says.

The paper learns from fine-grained pictures without labels.  What carries over: the student answers
the same question from several crops, each of which shows a part of the picture's places, and the
mean of what they say, the bag, is drawn to what the whole picture makes it say.

    p = softmax(z_whole / temperature), without gradient
    q_c = softmax(z_c / temperature) of crop c
    bag = KL(p || mean_c q_c)
    apart = 1 where the bag's likeliest word is another than the whole's, else 0
    L = language + weight bag

A crop is one of `crops` runs of neighbouring places, in the order in which the student reads them;
a picture with fewer places has a crop for each, and one with a single place has no bag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from workbench.recipes.arguments import numbers_above, numbers_from, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import place_mask, real
from workbench.recipes.maths import kl
from workbench.recipes.mixtures import log_mixture
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="crop_bag",
    port="objective",
    paper="Kernel of CMD: cross-level multi-instance distillation for fine-grained pictures",
    year=2024,
    grade="C",
    level="V2",
    provenance="C",
    link="https://github.com/BiQiWHU/CMD",
    idea="Ask the student the same question about crops of the picture, and teach it that they say "
    "together what the whole picture says.",
    formula="L = language + weight KL(softmax(z_whole / T) || mean_c softmax(z_c / T)), the whole "
    "without gradient",
    command="vpd train --objective crop_bag --set arguments.crops=2",
    expect="Two more curves: bag, which falls, and apart, the share of words in which crops and "
    "whole disagree.  Accuracy was not measured yet, and no gain in it is expected.",
    defaults={"weight": 1.0, "crops": 4, "temperature": 1.0},
    sources={
        "weight": "the released code: 1",
        "crops": "ours: each is one more run of the student",
        "temperature": "ours: the paper's 0.1 and 0.04 are for cosines, not for logits",
    },
    traps=(
        "The released code gives probabilities, and in its other half logits, to a divergence that "
        "takes logarithms: what it computes is none.",
        "Consistency alone is reached by saying one thing always; language is there against that.",
    ),
    not_reproduced=(
        "The teacher that is the student's moving average, and the matching of single crops.",
        "Crops of pixels: here the places outside of a crop are hidden from the student.",
    ),
)


class CropBag:
    """Language, and crops that agree with the whole.

    Args:
        weight: of the bag.
        crops: how many, from 2.
        temperature: divides the logits.
    """

    needs: frozenset[Need] = frozenset({"logits", "image"})
    layers: tuple[int, ...] = ()

    def __init__(self, weight: float = 1.0, crops: int = 4, temperature: float = 1.0) -> None:
        numbers_from("crop_bag", 0, weight=weight)
        numbers_above("crop_bag", 0, temperature=temperature)
        whole_numbers("crop_bag", 2, crops=crops)
        self._crops, self._temperature = crops, temperature
        arguments = {"weight": weight, "crops": crops, "temperature": temperature}
        self.ref = PartRef("objective", "crop_bag", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(), "bag": Term(weight), "apart": Term(0.0)}

    def hides(self, targets: Targets, mask: Tensor) -> Sequence[Tensor]:
        """The whole picture, then each crop.

        Args:
            targets: unused: the crops are the same for every lesson.
            mask: `(R, P)`, bool: the places there are.
        """
        crops = crop_of(mask, self._crops)
        return [torch.zeros_like(mask), *(mask & (crops != at) for at in range(self._crops))]

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language, the bag's divergence and its disagreement for each lesson."""
        mask = place_mask(student.image)
        crops = crop_of(mask, self._crops)
        real_crops = torch.stack([(mask & (crops == at)).any(1) for at in range(self._crops)])
        counts = real_crops.sum(0)
        # a row without crops gets even shares, and is left out below
        shares = torch.where(counts > 0, real_crops / counts.clamp(min=1), 1 / self._crops)
        rows = student.places[:, 0]
        whole = real(student.logits).detach() / self._temperature
        own = [real(one.logits) / self._temperature for one in student.views]
        bag = log_mixture(own, shares[:, rows])
        has_bag = (counts >= 2)[rows]
        apart = (bag.argmax(-1) != whole.argmax(-1)).to(bag.dtype)
        zero = torch.zeros_like(apart)
        return {
            LANGUAGE: language(student, targets),
            "bag": targets.mean(torch.where(has_bag, kl(whole, bag), zero)),
            "apart": targets.mean(torch.where(has_bag, apart, zero)),
        }


def crop_of(mask: Tensor, crops: int) -> Tensor:
    """`(R, P)`: the number of the crop that each place is in.

    Args:
        mask: `(R, P)`, bool: the places there are.
        crops: how many; a row with fewer places has one for each.
    """
    counts = mask.sum(1, keepdim=True)
    numbers = torch.arange(mask.shape[1], device=mask.device)[None]
    return numbers * counts.clamp(max=crops) // counts.clamp(min=1)
