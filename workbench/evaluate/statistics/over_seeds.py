"""Means over the seeds of systems that were trained several times.

Two levels are drawn again (Davison and Hinkley, Bootstrap Methods, 1997, section 3.8): pictures
with all their questions, and, of each system, seeds.  With five seeds the second level is coarse:
such an interval is a little short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError

DRAWS = 2_000
_ENDS = (2.5, 97.5)

Seeds = Sequence[Mapping[str, float]]
"""For each seed, score by question."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds and questions with its 95 % interval."""

    value: float
    low: float
    high: float
    of: int
    """Number of questions that every seed answered."""
    seeds: int


@dataclass(frozen=True, slots=True)
class Apart:
    """The difference of two systems over the questions that both answered in every seed."""

    difference: float
    low: float
    high: float
    p: float
    """Two-sided: twice the share of draws on the other side of 0."""
    of: int


def mean(system: Seeds, clusters: Mapping[str, str], seed: int = 0) -> Mean:
    """The mean score over seeds and questions.

    Args:
        system: scores of each seed.
        clusters: the picture of each question.
        seed: decides the draws.

    Raises:
        InputError: no question was answered in every seed.
    """
    (scores,), (draws,) = _draws_by_system([system], clusters, seed)
    low, high = np.percentile(draws, _ENDS)
    return Mean(float(scores.mean()), float(low), float(high), scores.shape[1], len(system))


def apart(system: Seeds, other: Seeds, clusters: Mapping[str, str], seed: int = 0) -> Apart:
    """The mean of `system` less that of `other`, both drawn on the same pictures.

    Where both have as many seeds, these are taken to be pairs: the same seed, the same order of
    examples.

    Args:
        system: scores of each seed.
        other: scores of each seed of the system that it is compared with.
        clusters: the picture of each question.
        seed: decides the draws.

    Raises:
        InputError: no question was answered in every seed of both.
    """
    (mine, theirs), (first, second) = _draws_by_system([system, other], clusters, seed)
    draws = first - second
    low, high = np.percentile(draws, _ENDS)
    p = min(1.0, 2 * (min((draws <= 0).sum(), (draws >= 0).sum()) + 1) / (DRAWS + 1))
    return Apart(
        float(mine.mean() - theirs.mean()), float(low), float(high), float(p), mine.shape[1]
    )


def _draws_by_system(
    systems: Sequence[Seeds], clusters: Mapping[str, str], seed: int
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Each system's scores `(seeds, questions)`, and its means in `DRAWS` draws `(draws,)`."""
    common = sorted(set.intersection(*(set(one) for system in systems for one in system)))
    if not common:
        raise InputError(
            "no question was answered by every one of these systems; "
            "evaluate them on the same questions"
        )
    names, at = np.unique([clusters[task] for task in common], return_inverse=True)
    belongs = np.zeros((len(common), len(names)))
    belongs[np.arange(len(common)), at] = 1.0
    dice = np.random.default_rng(seed)
    pictures = dice.multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    picks = {
        n: dice.multinomial(n, np.full(n, 1 / n), DRAWS) / n
        for n in sorted({len(one) for one in systems})
    }
    scores = [np.array([[one[task] for task in common] for one in system]) for system in systems]
    draws = [
        (
            (pictures @ (table @ belongs).T)
            / (pictures @ belongs.sum(0))[:, None]
            * picks[len(table)]
        ).sum(1)
        for table in scores
    ]
    return scores, draws
