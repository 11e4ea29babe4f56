"""OLA-VLM's auxiliary embeddings: the student's picture states have to tell what a tool tells.

A tool says a vector T of each example: where the program's boxes lie, what a detector finds, what
a frozen vision model sees.  A small head reads the mean state of the picture's positions at some
layers of the student, E, and is taught T there, so that the answer's states know it.

For each lesson and layer, with T in units of the bank's standard deviation around its mean:

    distance = SmoothL1(E, T)
    contrast = -log softmax(min(e^s, 100) cos(E, [T, bank]))[0]
    L = language + weight * sum over layers (distance + contrast_weight * contrast)

The bank is the same in every step, so that a step's loss does not change with its micro-batches;
vectors equal to T are left out of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.maths import bank_contrast, equal_rows
from workbench.recipes.teaching import (
    LANGUAGE,
    Need,
    Outputs,
    Shapes,
    Targets,
    Term,
    language,
)
from workbench.records import PartRef

CARD = Card(
    name="aux_embed",
    port="objective",
    paper="OLA-VLM: auxiliary embedding distillation into a language model's states",
    year=2024,
    grade="A",
    level="V2",
    provenance="X",
    link="https://github.com/SHI-Labs/OLA-VLM",
    idea="Teach the student's picture states to predict what a tool says of the picture, so that "
    "what the program measured is there before the answer is written.",
    formula="L = language + weight sum_layers (SmoothL1(E, T) + contrast_weight "
    "CE(min(e^s, 100) cos(E, [T, bank]), 0))",
    command="vpd train --objective aux_embed --set arguments.tool=boxes",
    expect="Two more curves, distance and contrast, that fall; what they are worth in accuracy was "
    "not measured yet.",
    defaults={"tool": "boxes", "weight": 0.5, "contrast_weight": 0.3, "layers": (-1,)},
    sources={
        "weight": "the released settings: 0.5 for each tool",
        "contrast_weight": "the released settings: 0.3",
        "layers": "ours: the last one; the paper takes layers 10 to 20 of 32",
    },
    traps=(
        "The released loss multiplies the mean contrast by the mean mask instead of masking each "
        "sample; here each lesson has its own.",
        "The released code empties the masks of depth and segmentation before it uses them.",
        "Targets must not get a gradient; here they are made before the first step.",
    ),
    not_reproduced=(
        "The eight task tokens that the paper puts behind the picture.",
        "Negatives from the batch: a bank of up to 64 other pictures takes their place.",
        "Targets are standardised here; the paper teaches raw features.",
    ),
)


class AuxEmbed:
    """Language, and what a tool says, read off the picture's states.

    Args:
        tool: `boxes`, `detector`, or the checkpoint of a vision model.
        weight: of the sum over layers.
        contrast_weight: of the contrast in it.
        layers: the layers that are read, from the end where they are negative.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "auxiliary"})

    def __init__(
        self,
        tool: str = "boxes",
        weight: float = 0.5,
        contrast_weight: float = 0.3,
        layers: Sequence[int] = (-1,),
    ) -> None:
        if not layers or any(isinstance(at, bool) or not isinstance(at, int) for at in layers):
            raise ProfileError(f"layers must be whole numbers, at least one, found {layers!r}")
        self.tool, self.layers = tool, tuple(layers)
        arguments = {
            "tool": tool,
            "weight": weight,
            "contrast_weight": contrast_weight,
            "layers": list(layers),
        }
        self.ref = PartRef("objective", "aux_embed", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "distance": Term(weight),
            "contrast": Term(weight * contrast_weight),
        }

    def build(self, shapes: Shapes) -> nn.Module:
        """A head for each layer, and the scale of the contrast, which begins at e^2."""
        self.heads = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(shapes.width), nn.Linear(shapes.width, shapes.auxiliary))
            for _ in self.layers
        )
        self.scale = nn.ParameterList([nn.Parameter(torch.tensor(2.0))])
        return nn.ModuleDict({"heads": self.heads, "scale": self.scale})

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language, distance and contrast of each lesson."""
        assert targets.auxiliary is not None, "the loop gives the tool's targets"
        assert targets.bank is not None, "and the bank"
        own, bank = standardised(targets.auxiliary, targets.bank)
        same = equal_rows(own, bank)
        distance, contrast = [], []
        for layer, head in zip(self.layers, self.heads, strict=True):
            guess = head(student.picture(layer).to(next(head.parameters()).dtype))
            distance.append(
                nn.functional.smooth_l1_loss(guess, own.to(guess.dtype), reduction="none").mean(-1)
            )
            scale = self.scale[0].exp().clamp(max=100)
            contrast.append(bank_contrast(guess, own, bank, scale, same))
        return {
            LANGUAGE: language(student, targets),
            "distance": torch.stack(distance).sum(0),
            "contrast": torch.stack(contrast).sum(0),
        }


def standardised(own: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Both in units of the bank's standard deviation around its mean.

    A number that is the same everywhere in the bank stays as far from it as it was.
    """
    mean, spread = bank.mean(0), bank.std(0, unbiased=False)
    spread = torch.where(spread > 1e-6, spread, torch.ones_like(spread))
    return (own - mean) / spread, (bank - mean) / spread
