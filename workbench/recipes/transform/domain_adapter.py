"""Kernel of GazeGen: a tiny adapter from a few samples of one domain, and what it costs elsewhere.

The paper fits a few numbers of a small gaze model to one user.  What carries over: the finished
student is frozen, and each of its linear layers gets a product of two thin matrices, learnt from at
most `samples` examples of one source, of one kind of question, or of those that people accepted.

    W' = W + B A,  A (rank, columns) random, B (rows, rank) begins as 0
    L = mean cross-entropy of the samples' lessons; A and B alone learn

The student that is offered has the products added in.  Beside it stand the matrices, and how many
held-out questions of the domain and of everything else it answers before and after.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import parametrize

from workbench.errors import InputError, ProfileError
from workbench.recipes.arguments import numbers_above, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.features import linear_layers
from workbench.recipes.workshop import Fit, TaughtExample, Workshop, fit, share_right
from workbench.records import PartRef

CARD = Card(
    name="domain_adapter",
    port="transform",
    paper="Kernel of GazeGen: a small gaze model adapted to one user from a few samples",
    year=2024,
    grade="C",
    level="V2",
    provenance="R",
    link="https://arxiv.org/abs/2411.04335",
    idea="Fit a tiny adapter of the finished student to a few examples of one domain, and tell "
    "what it gains there and loses in general.",
    formula="W' = W + B A; A and B learn from at most `samples` examples of the domain, all else "
    "is frozen",
    command="vpd train --set transform.part=domain_adapter --set transform.domain=count",
    expect="domain_adapter.json in the student: right answers before and after, in the domain and "
    "in general, and the adapter's size; domain_adapter.safetensors has the matrices.  What it "
    "gains was not measured yet.",
    defaults={
        "domain": "person",
        "samples": 20,
        "rank": 2,
        "steps": 40,
        "batch": 4,
        "rate": 0.001,
        "most": 32,
    },
    sources={
        "domain": "ours: the rows that people accepted; else a source or a kind of question",
        "samples": "ours: the paper says few",
        "rank": "ours",
        "steps": "ours",
        "batch": "ours",
        "rate": "ours",
        "most": "ours: held-out questions that are asked on each side",
    },
    traps=("What is gained on the samples themselves says nothing: other questions are asked.",),
    not_reproduced=(
        "Gaze, and the masked autoencoder that the small model is distilled with: its loss was not "
        "reached.",
    ),
)


class LowRank(nn.Module):
    """A matrix and the product of two thin ones, which begins as 0.

    Args:
        weight: the matrix.
        rank: of the product.
        dice: of the first values.
    """

    def __init__(self, weight: Tensor, rank: int, dice: torch.Generator) -> None:
        super().__init__()
        rows, columns = weight.shape
        first = torch.randn(rank, columns, generator=dice) / columns**0.5
        self.a = nn.Parameter(first.to(weight.device))
        self.b = nn.Parameter(torch.zeros(rows, rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        """The sum, in the type of the matrix."""
        return weight + (self.b @ self.a).to(weight.dtype)


class DomainAdapter:
    """The student with an adapter for one domain added in.

    Args:
        domain: a source, a kind of question, or `person` for the rows that people accepted.
        samples: most examples that it learns from.
        rank: of each product.
        steps: how often it learns.
        batch: lessons of a step.
        rate: learning rate.
        most: held-out questions of the domain, and of all others, that are asked.
    """

    def __init__(
        self,
        domain: str = "person",
        samples: int = 20,
        rank: int = 2,
        steps: int = 40,
        batch: int = 4,
        rate: float = 0.001,
        most: int = 32,
    ) -> None:
        if not isinstance(domain, str) or not domain:
            raise ProfileError(f"domain_adapter takes the name of a domain, found {domain!r:.40}")
        whole_numbers("domain_adapter", 1, samples=samples, rank=rank, steps=steps, batch=batch)
        whole_numbers("domain_adapter", 1, most=most)
        numbers_above("domain_adapter", 0, rate=rate)
        self._domain, self._samples, self._rank, self._most = domain, samples, rank, most
        self._how = Fit(steps, batch, rate)
        arguments = {
            "domain": domain, "samples": samples, "rank": rank, "steps": steps, "batch": batch,
            "rate": rate, "most": most,
        }  # fmt: skip
        self.ref = PartRef("transform", "domain_adapter", arguments=arguments)

    def enter(self, shop: Workshop) -> None:
        """Choose the samples and the questions.

        Raises:
            InputError: no example is of the domain.
        """
        self._shop = shop
        self._chosen = [one for one in shop.training if self._has(one)][: self._samples]
        if not self._chosen:
            there = sorted({name for one in shop.training for name in (one.source, one.family)})
            raise InputError(
                f"no training example is of the domain '{self._domain}'; there are: "
                f"{', '.join(there)}, and person for rows that somebody accepted"
            )
        self._own = [one for one in shop.held_out if self._has(one)][: self._most]
        self._others = [one for one in shop.held_out if not self._has(one)][: self._most]

    def _has(self, one: TaughtExample) -> bool:
        if self._domain == "person":
            return one.by_person
        return self._domain in (one.source, one.family)

    def __call__(self, model: Any, folder: Path) -> Any:
        """The adapted student.

        Args:
            model: a finished student, adapters merged.
            folder: of its checkpoint; `domain_adapter.safetensors` and `.json` go there.

        Raises:
            InputError: it has no linear layer beside its head.
        """
        if not hasattr(self, "_shop"):
            raise InputError(
                "domain_adapter learns from the examples of a job's snapshot, and nothing lent "
                "them; use it as the transform of vpd train"
            )
        layers = dict(linear_layers(model))
        if not layers:
            raise InputError("the student has no linear layer beside its head to adapt")
        before = self._report(model)
        dice = torch.Generator().manual_seed(self._shop.seed)
        thin = {name: LowRank(layer.weight, self._rank, dice) for name, layer in layers.items()}
        for name, layer in layers.items():
            parametrize.register_parametrization(layer, "weight", thin[name])
        rows = [row for one in self._chosen for row in one.rows]
        matrices = [side for one in thin.values() for side in (one.a, one.b)]
        fit(model, matrices, rows, self._shop, self._how)
        for layer in layers.values():
            parametrize.remove_parametrizations(layer, "weight")
        figures = {
            "domain": self._domain,
            "samples": len(self._chosen),
            "lessons": len(rows),
            "parameters": sum(one.a.numel() + one.b.numel() for one in thin.values()),
            "before": before,
            "after": self._report(model),
        }
        tensors = {
            f"{name}.{side}": getattr(one, side).detach().cpu().contiguous()
            for name, one in thin.items()
            for side in ("a", "b")
        }
        save_file(tensors, folder / "domain_adapter.safetensors")
        (folder / "domain_adapter.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        return model

    def _report(self, model: Any) -> dict[str, Any]:
        """Right answers in the domain and in general."""
        model.eval()
        sides: dict[str, Sequence[TaughtExample]] = {"domain": self._own, "general": self._others}
        return {
            name: share_right(model, [one.rows[0] for one in some], self._shop)
            for name, some in sides.items()
        }
