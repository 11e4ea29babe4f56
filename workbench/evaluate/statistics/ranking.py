"""How well scores put what is right before what is wrong: ROC-AUC, precision at a recall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def roc_auc(scores: Sequence[float], right: Sequence[bool]) -> float:
    """The chance that a right one scores above a wrong one; equal scores count one half.

    Args:
        scores: the higher, the likelier right.
        right: at least one that is, and one that is not.
    """
    return _auc(np.asarray(scores, dtype=float), np.asarray(right, dtype=bool))


def _auc(values: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """As `roc_auc`, over arrays."""
    yes, no = values[labels], np.sort(values[~labels])
    below = np.searchsorted(no, yes, side="left")
    through = np.searchsorted(no, yes, side="right")
    return float((below + through).sum() / (2 * len(yes) * len(no)))


def cutoff(scores: Sequence[float], right: Sequence[bool], recall: float) -> float:
    """The highest score such that keeping all from it on keeps at least this share of the right.

    Args:
        scores: the higher, the likelier right.
        right: at least one that is.
        recall: above 0, at most 1.
    """
    yes = np.sort(np.asarray(scores, dtype=float)[np.asarray(right, dtype=bool)])[::-1]
    return float(yes[int(np.ceil(recall * len(yes))) - 1])


def precision_at_recall(scores: Sequence[float], right: Sequence[bool], recall: float) -> float:
    """The share of right ones among all that score at least the `cutoff` of a recall.

    Args:
        scores: the higher, the likelier right.
        right: at least one that is.
        recall: above 0, at most 1.
    """
    bar = cutoff(scores, right, recall)
    kept = [is_right for score, is_right in zip(scores, right, strict=True) if score >= bar]
    return sum(kept) / len(kept)


def auc_difference(
    one: Sequence[float],
    other: Sequence[float],
    right: Sequence[bool],
    groups: Sequence[str],
    draws: int = 1000,
) -> tuple[float, float]:
    """The 95 % interval of `roc_auc(one) - roc_auc(other)`, by a bootstrap over groups.

    Rows of one group are drawn together, since they are not independent.  A drawing without both
    sides says nothing and is left out.

    Args:
        one: scores of a system.
        other: scores of another system on the same rows.
        right: which rows are right.
        groups: the group of each row.
        draws: number of drawings.
    """
    dice = np.random.default_rng(0)
    names = sorted(set(groups))
    rows_of = {name: [at for at, group in enumerate(groups) if group == name] for name in names}
    labels = np.asarray(right, dtype=bool)
    first, second = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    differences = []
    for _ in range(draws):
        rows = [
            at for pick in dice.integers(len(names), size=len(names)) for at in rows_of[names[pick]]
        ]
        sides = labels[rows]
        if sides.all() or not sides.any():
            continue
        differences.append(_auc(first[rows], sides) - _auc(second[rows], sides))
    if not differences:
        return -1.0, 1.0
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)
