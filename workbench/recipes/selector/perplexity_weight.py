"""Perplexity-weighted cross-entropy: what surprises the student counts more.

Numbers, names and boxes are what a student finds hardest to say, and a plain mean gives them no
more weight than the words between.  Here the unit i is a row: its perplexity is that of its targets
under the student before training, so that the weights stand in the snapshot and are the same for
every seed.  In the paper it is a token, and the weights follow the student while it learns.

The ratio of a perplexity to the mean is taken through logarithms, since exp(CE) of an untrained
student overflows; the paper's eps guards a division by 0 that cannot happen, as no perplexity is
below 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.ports import RowWeight, SelectorNeed, SnapshotRow
from workbench.records import PartRef

CARD = Card(
    name="perplexity_weight",
    port="selector",
    paper="Towards Scalable Lightweight GUI Agents via Multi-role Orchestration (LAMO)",
    year=2026,
    grade="A",
    level="V2",
    provenance="N",
    link="https://arxiv.org/abs/2604.13488",
    idea="Rows whose targets surprise the student count more; those that it can say already, less.",
    formula="ppl_i = exp(CE_i); u_i = 1 + alpha ppl_i / mean(ppl); w_i = u_i / mean(u); "
    "L = CE + lam mean(w_i CE_i), as one weight: (1 + lam w_i) / (1 + lam)",
    defaults={"alpha": 1.0, "lam": 1.0},
    sources={
        "alpha": "ours: the paper's value was not found",
        "lam": "ours: the paper's value was not found",
    },
    command="vpd snapshot --automatic --select perplexity_weight --set alpha=1.0",
    expect="Weights from about one half to a few, with the mean 1; accuracy was not measured yet.",
    traps=(
        "The weights must not get a gradient, or the student learns to be surprised evenly.",
        "One row of garbage has most of all perplexity and takes the weight of the others.",
    ),
    not_reproduced=(
        "Weights of single tokens that follow the student in training.",
        "The orchestration of several agents, and the reinforcement learning after it.",
    ),
)


class PerplexityWeight:
    """Weighs rows by the student's perplexity of their targets.

    Args:
        alpha: how much perplexity counts; 0 weighs all rows alike.
        lam: share of the weighted term beside plain cross-entropy; 0 weighs all rows alike.
    """

    needs: frozenset[SelectorNeed] = frozenset({"nats"})

    def __init__(self, alpha: float = 1.0, lam: float = 1.0) -> None:
        for name, value in (("alpha", alpha), ("lam", lam)):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not 0 <= value < math.inf:
                raise ProfileError(
                    f"perplexity_weight needs {name} as a number from 0 on, found {value!r:.40}"
                )
        self._alpha, self._lam = float(alpha), float(lam)
        self.ref = PartRef(
            "selector", "perplexity_weight", arguments={"alpha": self._alpha, "lam": self._lam}
        )

    def weigh(self, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
        """The weight of each row; one without a finite loss is left out."""
        losses = [_loss(row) for row in rows]
        good = [loss for loss in losses if loss is not None]
        weights = iter(self.weights(good))
        missing = RowWeight(0.0, "perplexity_weight: the student gives no loss on it")
        return [missing if loss is None else RowWeight(next(weights)) for loss in losses]

    def weights(self, losses: Sequence[float]) -> list[float]:
        """The weights of units with these cross-entropies in nats; their mean is 1."""
        if not losses:
            return []
        top = max(losses)
        log_mean = top + math.log(sum(math.exp(loss - top) for loss in losses) / len(losses))
        raised = [1 + self._alpha * math.exp(loss - log_mean) for loss in losses]
        mean = sum(raised) / len(raised)
        return [(1 + self._lam * one / mean) / (1 + self._lam) for one in raised]


def _loss(row: SnapshotRow) -> float | None:
    """Mean of a row's lessons in nats; None where the student gives none."""
    if not row.nats or not all(map(math.isfinite, row.nats)):
        return None
    return sum(row.nats) / len(row.nats)
