"""Kernel of Hallo-Live's reward: rows that are rewarded more count more, exponentially.

The paper weighs the samples of a distilled generator by rewards.  What carries over: a row's reward
is how many of its programs are right, or what the checks say of its tool calls; the weight grows
with the reward in units of its own spread.

    r_i: the row's reward;  z_i = (r_i - mean r) / max(std r, 1e-6)
    w_i = exp(beta z_i), scaled to the mean 1

beta = 0 weighs all rows alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.ports import RowWeight, SelectorNeed, SnapshotRow
from workbench.records import PartRef

CARD = Card(
    name="reward_weight",
    port="selector",
    paper="Kernel of Hallo-Live: reward-weighted distillation",
    year=2026,
    grade="C",
    level="V2",
    provenance="C",
    idea="Rows whose programs agree with the label, or whose tool calls have credit, count more: "
    "noise in the labels weighs less.",
    formula="w_i = exp(beta z_i) / mean, z_i = (r_i - mean r) / max(std r, 1e-6), r = share of "
    "right programs or mean credit of the calls",
    defaults={"beta": 1.0, "reward": "programs"},
    sources={"beta": "the released code: 1", "reward": "ours"},
    command="vpd snapshot --automatic --select reward_weight --set beta=1.0",
    expect="Weights from about a third to a few, with the mean 1; where all rewards are alike, 1 "
    "each.  Accuracy was not measured yet.",
    traps=(
        "Several rewards that are multiplied without being normalised let the one with the widest "
        "spread decide alone.",
        "Weights must not have a gradient; here they are numbers before training.",
    ),
    not_reproduced=(
        "Avatars, distribution matching and the product of several rewards; the paper's own "
        "settings leave the reward off.",
    ),
)
REWARDS: dict[str, SelectorNeed] = {"programs": "programs", "credit": "credit"}


class RewardWeight:
    """Weighs rows by their reward.

    Args:
        beta: how much a spread of the reward counts; 0 weighs all rows alike.
        reward: `programs`, the share of the question's programs that are right, or `credit`, the
            mean credit of the kept run's calls.
    """

    def __init__(self, beta: float = 1.0, reward: str = "programs") -> None:
        numbers_from("reward_weight", 0, beta=beta)
        if reward not in REWARDS:
            raise ProfileError(
                f"reward_weight takes reward as one of {', '.join(REWARDS)}, found {reward!r:.40}"
            )
        self._beta, self._reward = float(beta), reward
        self.needs: frozenset[SelectorNeed] = frozenset({REWARDS[reward]})
        self.ref = PartRef(
            "selector", "reward_weight", arguments={"beta": self._beta, "reward": reward}
        )

    def weigh(self, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
        """The weight of each row; one without a reward is left out."""
        rewards = [self._of(row) for row in rows]
        weights = iter(self.weights([one for one in rewards if one is not None]))
        missing = RowWeight(0.0, f"reward_weight: it has no reward by {self._reward}")
        return [missing if one is None else RowWeight(next(weights)) for one in rewards]

    def weights(self, rewards: Sequence[float]) -> list[float]:
        """The weights of rows with these rewards; their mean is 1."""
        if not rewards:
            return []
        mean = sum(rewards) / len(rewards)
        spread = math.sqrt(sum((one - mean) ** 2 for one in rewards) / len(rewards))
        scores = [self._beta * (one - mean) / max(spread, 1e-6) for one in rewards]
        top = max(scores)
        powers = [math.exp(one - top) for one in scores]
        return [one * len(powers) / sum(powers) for one in powers]

    def _of(self, row: SnapshotRow) -> float | None:
        if self._reward == "credit":
            return row.credit
        if not row.programs:
            return None
        return sum(score for _, score in row.programs) / len(row.programs)
