"""pass@1, pass@k and yield, always with their denominators; pure functions over verdicts.

Source of the estimator: Chen et al. 2021 (arXiv 2107.03374), section 2.1: with n samples of which c are
right, pass@k = 1 - C(n-c, k) / C(n, k), the chance that k samples drawn without replacement hold a right one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, sqrt

from workbench.records import Verdict


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its denominator."""

    hits: float
    """Numerator; a sum of chances for pass@k, else whole."""
    of: int
    """Denominator: tasks or programs, as the figure says."""
    left_out: int = 0
    """Tasks that could not be counted (fewer than k samples)."""

    @property
    def value(self) -> float | None:
        """0 to 1; None where nothing was counted."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; (0, 1) where nothing was counted."""
        return wilson(self.hits, self.of)

    def to_json(self) -> dict[str, float | None]:
        """Value, numbers and interval."""
        low, high = self.interval
        return {"hits": self.hits, "of": self.of, "value": self.value, "low": low, "high": high}

    def __str__(self) -> str:
        if not self.of:
            return "- (of 0)"
        low, high = self.interval
        return f"{100 * self.hits / self.of:.1f} % of {self.of} ({100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run gave."""

    passed: Mapping[int, Share]
    """pass@k by k, over labelled tasks with at least k programs."""
    kept: Share
    """Yield: labelled tasks with a chosen correct program, of labelled tasks."""
    correct: Share
    """Correct programs, of all programs of labelled tasks."""
    agreed: Share
    """Unlabelled tasks with a chosen program, of unlabelled tasks; says nothing about correctness."""


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n samples, c of them right, hold a right one.

    Raises:
        ValueError: not 1 <= k <= n, or not 0 <= c <= n.
    """
    if not (1 <= k <= n and 0 <= c <= n):
        raise ValueError(f"pass@k needs 1 <= k <= n and 0 <= c <= n, found k={k}, n={n}, c={c}")
    return 1.0 - comb(n - c, k) / comb(n, k)


def wilson(hits: float, of: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a share (Wilson 1927); z = 1.96 is 95 %; nothing counted gives (0, 1).

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
    return max(0.0, min(share, (middle - spread) / scale)), min(1.0, max(share, (middle + spread) / scale))


def figures(verdicts: Iterable[Verdict], k: Sequence[int] = (1, 5)) -> Figures:
    """All figures of a set of verdicts, grouped by task whatever their order.

    Verdicts of method `agreement` count in `agreed` alone.  A task whose every program failed has verdicts too
    and stays in the denominators; a task without any program has none and is the caller's to add.
    """
    tasks: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        tasks.setdefault(verdict.task_id, []).append(verdict)
    gold = [group for group in tasks.values() if group[0].method != "agreement"]
    free = [group for group in tasks.values() if group[0].method == "agreement"]
    counts = [(len(group), sum(verdict.correct for verdict in group)) for group in gold]
    return Figures(
        passed={size: _passed(counts, size) for size in k},
        kept=Share(sum(any(v.chosen and v.correct for v in group) for group in gold), len(gold)),
        correct=Share(sum(c for _, c in counts), sum(n for n, _ in counts)),
        agreed=Share(sum(any(v.chosen for v in group) for group in free), len(free)),
    )


def by_family(
    verdicts: Iterable[Verdict], families: Mapping[str, str], k: Sequence[int] = (1, 5)
) -> dict[str, Figures]:
    """Figures per family of task, in alphabetical order; `families` maps task id to family ("" where absent)."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(families.get(verdict.task_id, ""), []).append(verdict)
    return {name: figures(groups[name], k) for name in sorted(groups)}


def _passed(counts: Sequence[tuple[int, int]], k: int) -> Share:
    enough = [(n, c) for n, c in counts if n >= k]
    return Share(sum(pass_at_k(n, c, k) for n, c in enough), len(enough), len(counts) - len(enough))
