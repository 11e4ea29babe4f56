"""Which items will be accepted: logistic regression on a few plain facts about their runs.

The model is small on purpose, since it orders a queue and decides nothing.  Its weights are plain
numbers, so that the store can order by them without reading an item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FEATURES = (
    "correct", "executed", "siblings", "apart", "answered", "steps", "seconds", "tools",
    "faithful", "told", "labelled",
)  # fmt: skip
"""correct    share of its judged runs that are right
executed   share of its programs that ended with an answer
siblings   share of its runs that do not give the most frequent answer
apart      how far the student is from the programs, 0 to 1
answered   1 where the student has answered
steps      log(1 + statements of the longest run)
seconds    log(1 + seconds of sampling and running)
tools      different tools called
faithful   1 where the kept run's rationale is
told       1 where there is a rationale
labelled   1 where the question has a gold answer"""

ENOUGH = 30
"""Number of decided items below which nothing is learnt."""


@dataclass(frozen=True, slots=True)
class AcceptanceModel:
    """A linear score; the larger, the likelier to be accepted."""

    weights: Mapping[str, float]
    """The weight of each feature's plain value, by the feature's name."""
    intercept: float
    n: int
    """Number of decided items that it has learnt from."""

    def chance(self, row: Mapping[str, float]) -> float:
        """The chance that an item is accepted, 0 to 1."""
        score = self.intercept + sum(weight * row[name] for name, weight in self.weights.items())
        return float(1 / (1 + np.exp(-score)))


def fit(rows: Sequence[Mapping[str, float]], accepted: Sequence[bool]) -> AcceptanceModel | str:
    """A model of past decisions, or the reason why there cannot be one, in words.

    Args:
        rows: one per decided item, with every feature.
        accepted: what people decided, in the same order.
    """
    if len(rows) < ENOUGH:
        return f"too few decisions yet: {len(rows)} of {ENOUGH}"
    if len(set(accepted)) < 2:
        outcome = "accepted" if accepted[0] else "rejected"
        return f"all {len(rows)} decided items were {outcome}: nothing to tell apart"
    # Imported here, since it takes a second and most commands do without.
    from sklearn.linear_model import LogisticRegression

    values = np.array([[row[name] for name in FEATURES] for row in rows], dtype=float)
    middle, spread = values.mean(axis=0), values.std(axis=0)
    spread[spread == 0] = 1.0
    learnt = LogisticRegression(max_iter=1000).fit((values - middle) / spread, np.array(accepted))
    weights = learnt.coef_[0] / spread
    intercept = float(learnt.intercept_[0] - weights @ middle)
    return AcceptanceModel(
        dict(zip(FEATURES, map(float, weights), strict=True)), intercept, len(rows)
    )
