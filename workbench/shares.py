"""Shares with their denominators, and how good the best of k samples is; pure functions.

Source of pass@k: Chen et al. 2021 (arXiv 2107.03374), section 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb, sqrt


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its denominator."""

    hits: float
    """Numerator: a sum of chances for pass@k, a whole number for any other share."""
    of: int
    """Denominator: tasks or programs, as the figure says."""
    left_out: int = 0
    """Tasks that could not be counted (fewer than k samples)."""

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None where nothing was counted."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; (0, 1) where nothing was counted."""
        return wilson(self.hits, self.of)

    def to_json(self) -> dict[str, float | None]:
        """Value, numerator, denominator and interval, by name."""
        low, high = self.interval
        return {"hits": self.hits, "of": self.of, "value": self.value, "low": low, "high": high}

    def __str__(self) -> str:
        if not self.of:
            return "- (of 0)"
        low, high = self.interval
        return (
            f"{100 * self.hits / self.of:.1f} % of {self.of} ({100 * low:.1f} to {100 * high:.1f})"
        )


def best_of(scores: Sequence[float], k: int) -> float:
    """The best score among k of these samples, drawn without replacement, on average.

    For scores of 0 and 1 this is pass@k.  Whoever draws knows the label, so that it is an upper
    bound on what choosing among k samples can give.

    Args:
        scores: score of each sample.
        k: number of samples drawn.

    Raises:
        ValueError: not 1 <= k <= number of scores.
    """
    if not 1 <= k <= len(scores):
        raise ValueError(f"the best of k needs 1 <= k <= {len(scores)} samples, found k={k}")
    ordered = sorted(scores)
    draws = comb(len(ordered), k)
    # From the best score each step down is lost where all k come from below it.
    lost = (
        (upper - lower) * (comb(below, k) / draws)
        for below, (lower, upper) in enumerate(pairwise(ordered), 1)
    )
    return ordered[-1] - sum(lost)


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n samples, c of them right, hold a right one: 1 - C(n - c, k) / C(n, k).

    Args:
        n: number of samples.
        c: how many of them are right.
        k: how many are drawn, without replacement.

    Raises:
        ValueError: not 1 <= k <= n, or not 0 <= c <= n.
    """
    if not (1 <= k <= n and 0 <= c <= n):
        raise ValueError(f"pass@k needs 1 <= k <= n and 0 <= c <= n, found k={k}, n={n}, c={c}")
    return best_of([0.0] * (n - c) + [1.0] * c, k)


def wilson(hits: float, of: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a share (Wilson 1927); (0, 1) where nothing was counted.

    Args:
        hits: numerator.
        of: denominator.
        z: standard errors to each side; 1.96 gives 95 %.

    Raises:
        ValueError: hits outside 0 to `of`.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"a share needs 0 <= hits <= of, found {hits} of {of}")
    if of == 0:
        return 0.0, 1.0
    share = hits / of
    middle = share + z * z / (2 * of)
    spread = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    # Rounding must not leave the share outside of its own interval.
    low = max(0.0, min(share, (middle - spread) / scale))
    high = min(1.0, max(share, (middle + spread) / scale))
    return low, high
