"""How sure a figure is: intervals, paired comparisons, and care with many of them.

Questions about one picture share its difficulty, so pictures, not questions, are drawn again
(cluster bootstrap: Davison and Hinkley 1997, section 3.8) and exchanged between systems.
Everything random is seeded; the same numbers give the same result, whatever the order of the
mappings.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.shares import wilson

RESAMPLES = 2000
PERMUTATIONS = 9999
LEVEL = 0.95
_AT_ONCE = 500_000
"""Most numbers that are drawn in one batch, which bounds the memory of resampling."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """Number of questions."""
    clusters: int
    """Number of pictures they are about."""
    method: Literal["wilson", "bootstrap"]
    """`wilson` or, by percentiles, `bootstrap`.

    `wilson` serves scores of 0 and 1 with one question a picture, and scores that are all equal.
    """


@dataclass(frozen=True, slots=True)
class Paired:
    """The difference of two systems on the same questions."""

    difference: float
    """Mean score of the first minus mean score of the second."""
    low: float
    high: float
    p: float
    """Two-sided p value under exchange of the two systems."""
    n: int
    """Number of questions that both have a score for."""
    clusters: int
    """Number of pictures they are about."""
    only_a: int
    """Number of questions on which the first scores higher."""
    only_b: int
    """Number of questions on which the second scores higher."""
    test: Literal["mcnemar", "permutation"]
    """`mcnemar` (exact) for scores of 0 and 1 with one question a picture, else `permutation`.

    The permutations flip the signs of whole pictures.
    """
    mcnemar: float | None
    """McNemar's exact p where all scores are 0 or 1 and some differ.

    It is too small where several questions share a picture.
    """


def mean_interval(
    values: Mapping[str, float], clusters: Mapping[str, str] | None = None, seed: int = 0
) -> Interval | None:
    """The mean over questions and its interval; None over nothing.

    Args:
        values: score by question, 0 to 1.
        clusters: picture by question; without it every question stands alone.
        seed: decides the draws.
    """
    if not values:
        return None
    ids = sorted(values)
    scores = np.array([values[i] for i in ids])
    number, of = _cluster_numbers(ids, clusters)
    value = float(scores.mean())
    same = bool((scores == scores[0]).all())
    if same or of == 1 or (_zero_one(scores) and of == len(ids)):
        # Drawing equal scores again gives an interval of no width; the evidence is as many pictures
        # as there are.
        low, high = wilson(value * of, of)
        return Interval(value, low, high, len(ids), of, "wilson")
    sums, counts = _cluster_sums(scores, number, of)
    low, high = percentile_bootstrap([sums, counts], lambda x, n: x / n, seed)
    return Interval(value, low, high, len(ids), of, "bootstrap")


def auc_interval(
    labels: Mapping[str, bool],
    chances: Mapping[str, float],
    clusters: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Interval | None:
    """The area under the ROC curve and its interval.

    Draws that hold one class alone have no area and are left out.

    Args:
        labels: by question, whether it is of the positive class.
        chances: by question, the score that should rank the positive class higher.
        clusters: picture by question; without it every question stands alone.
        seed: decides the draws.

    Returns:
        None unless both labels occur and there are two pictures or more.
    """
    # Imported here, as scipy.stats is: they take seconds.
    from sklearn.metrics import roc_auc_score

    ids = sorted(labels)
    truth = np.array([labels[i] for i in ids], bool)
    chance = np.array([chances[i] for i in ids], float)
    number, of = _cluster_numbers(ids, clusters)
    if truth.all() or not truth.any() or of < 2:
        return None
    order = np.argsort(chance)
    starts = np.flatnonzero(np.diff(chance[order], prepend=-np.inf))

    def areas(draws: NDArray[np.int64], axis: int = -1) -> Numbers:
        """The area of each draw, `(draws,)`: the share of pairs in the right order, ties half.

        It equals `roc_auc_score` with a weight for how often a picture is drawn.
        """
        draws = draws.reshape(-1, of)
        rows = np.arange(len(draws))[:, None] * of
        weights = np.bincount((draws + rows).ravel(), minlength=draws.size).reshape(draws.shape)[
            :, number[order]
        ]
        above = np.add.reduceat(weights * truth[order], starts, axis=1)
        below = np.add.reduceat(weights * ~truth[order], starts, axis=1)
        pairs = (above * (below.cumsum(1) - below / 2)).sum(1)
        values: Numbers = pairs / (above.sum(1) * below.sum(1))
        return values

    low, high = _resampled([np.arange(of)], areas, seed)
    return Interval(float(roc_auc_score(truth, chance)), low, high, len(ids), of, "bootstrap")


def percentile_bootstrap(
    columns: Sequence[Numbers], statistic: Callable[..., Any], seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap over clusters of a statistic of sums.

    Args:
        columns: one number per cluster each, two clusters or more; for example the hits and the
            questions of each picture.
        statistic: elementwise function of the columns' sums, which are arrays of one entry per
            draw: `lambda hits, n: hits / n`.  Draws for which it is not a number are left out.
        seed: decides the draws.
    """

    def of_sums(*draws: Numbers, axis: int = -1) -> Any:
        return statistic(*(column.sum(axis) for column in draws))

    return _resampled(columns, of_sums, seed)


def compare_systems(
    a: Mapping[str, float],
    b: Mapping[str, float],
    clusters: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Paired | None:
    """Two systems over the questions that both have a score for; None where there are none.

    Scores may be soft, also means over seeds.  The interval is a paired bootstrap of the
    difference.  The test asks how often a difference as large comes about when, for each picture, a
    coin decides which system is which.

    Args:
        a: score by question of the first system.
        b: score by question of the second system.
        clusters: picture by question; without it every question stands alone.
        seed: decides the draws.
    """
    ids = sorted(a.keys() & b.keys())
    if not ids:
        return None
    first, second = np.array([a[i] for i in ids], float), np.array([b[i] for i in ids], float)
    apart = first - second
    only_a, only_b = int((apart > 0).sum()), int((apart < 0).sum())
    number, of = _cluster_numbers(ids, clusters)
    exact = mcnemar(only_a, only_b) if _zero_one(first) and _zero_one(second) else None
    sums, counts = _cluster_sums(apart, number, of)
    value = float(apart.mean())
    low, high = (
        percentile_bootstrap([sums, counts], lambda x, n: x / n, seed) if of > 1 else (-1.0, 1.0)
    )
    if exact is not None and of == len(ids):
        return Paired(value, low, high, exact, len(ids), of, only_a, only_b, "mcnemar", exact)
    return Paired(
        value, low, high, _flips(sums, seed), len(ids), of, only_a, only_b, "permutation", exact
    )


def mcnemar(only_a: int, only_b: int) -> float | None:
    """McNemar's exact two-sided p from the numbers of questions that one side alone got right.

    None where there are no such questions.  Source: McNemar, Psychometrika 12, 1947; under chance
    alone each side has half of them.
    """
    from scipy.stats import binomtest

    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else None


def holm(ps: Mapping[str, float | None]) -> dict[str, float | None]:
    """p values adjusted for being several (Holm, Scandinavian Journal of Statistics 6, 1979).

    The chance of any false finding stays below the level at which the adjusted values are read.  A
    comparison without a p has made no test and keeps None.
    """
    tested = sorted((p, name) for name, p in ps.items() if p is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(ps)
    floor = 0.0
    for done, (p, name) in enumerate(tested):
        floor = max(floor, min(1.0, p * (len(tested) - done)))
        adjusted[name] = floor
    return adjusted


def _flips(sums: Numbers, seed: int) -> float:
    """Two-sided p of a sum of per-picture differences under random signs."""
    from scipy.stats import permutation_test

    apart = sums[np.abs(sums) > 1e-12]
    if len(apart) < 2:
        return 1.0  # Of one picture, both signs are as far from nothing.
    test = permutation_test(
        (apart,),
        lambda x, axis=-1: x.sum(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=max(1, _AT_ONCE // len(apart)),
        rng=np.random.default_rng(seed),
    )
    return min(1.0, float(test.pvalue))


def _cluster_numbers(
    ids: Sequence[str], clusters: Mapping[str, str] | None
) -> tuple[NDArray[np.int64], int]:
    """Each question's cluster as a number from 0, and how many there are."""
    if clusters is None:
        return np.arange(len(ids)), len(ids)
    names = [clusters[i] for i in ids]
    order = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([order[name] for name in names]), len(order)


def _cluster_sums(values: Numbers, number: NDArray[np.int64], of: int) -> tuple[Numbers, Numbers]:
    """The sum of the values in each cluster, and how many there are."""
    return np.bincount(number, values, of).astype(np.float64), np.bincount(
        number, minlength=of
    ).astype(np.float64)


def _zero_one(scores: Numbers) -> bool:
    return bool(((scores == 0) | (scores == 1)).all())


def _resampled(
    columns: Sequence[NDArray[Any]], statistic: Callable[..., Any], seed: int
) -> tuple[float, float]:
    from scipy.stats import DegenerateDataWarning, bootstrap

    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        # The warning is about scipy's own interval, which cannot leave out NaN and is not used.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        draws = bootstrap(
            columns,
            statistic,
            n_resamples=RESAMPLES,
            batch=max(1, _AT_ONCE // len(columns[0])),
            vectorized=True,
            paired=True,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
