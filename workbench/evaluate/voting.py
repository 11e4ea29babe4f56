"""One answer out of k programs without a label, and how good k of n programs can be with one."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from workbench.records import Task
from workbench.verify.compare import canonical


def vote(task: Task, said: Sequence[tuple[str | None, float]]) -> int | None:
    """Which program's answer stands for all: the most frequent answer, as self-consistency does (Wang et al., 2023).

    Answers that mean the same under the question's type are one; of equally frequent ones the one with the program
    that the sampler found most probable wins, then the one sampled first.  The label is not looked at.

    Args:
        said: of each program in order of sampling, its answer (None where it failed) and its score.

    Returns:
        The place of the winning answer's most probable program; None where every program failed.
    """
    groups: dict[str, list[int]] = {}
    for at, (answer, _) in enumerate(said):
        if answer is not None:
            groups.setdefault(canonical(answer, task), []).append(at)
    if not groups:
        return None
    best = {key: max(places, key=lambda at: (said[at][1], -at)) for key, places in groups.items()}
    winner = max(groups, key=lambda key: (len(groups[key]), said[best[key]][1], -best[key]))
    return best[winner]


def best_of(scores: Sequence[float], k: int) -> float:
    """The best score among k of these programs, drawn without replacement, on average.

    For scores of 0 and 1 this is pass@k of Chen et al. 2021 (arXiv 2107.03374, section 2.1); for soft scores, the
    same expectation.  It knows the label: an upper bound on what choosing among k programs can give.

    Raises ValueError unless 1 <= k <= number of scores.
    """
    if not 1 <= k <= len(scores):
        raise ValueError(f"the best of k needs 1 <= k <= {len(scores)} programs, found k={k}")
    ways = comb(len(scores), k)
    return sum(score * comb(below, k - 1) for below, score in enumerate(sorted(scores))) / ways
