"""How far reviewers agree with each other, and the automatic verdict with them.

Source: Cohen 1960; kappa = (observed - expected agreement) / (1 - expected), computed by
scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

ENOUGH = 30
"""Items decided by both, under which a kappa says too little."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree."""

    first: str
    second: str
    n: int
    """Items that both accepted or rejected."""
    same: int
    """Items of these that both decided alike."""
    kappa: float | None
    """None where it is not defined (nothing in common, or one verdict throughout)."""
    note: str
    """Empty, or why the figure is to be taken with care."""


@dataclass(frozen=True, slots=True)
class VerdictConfusion:
    """The automatic verdict against a person's, over standing decisions that name a trace."""

    right_accepted: int
    right_rejected: int
    wrong_accepted: int
    wrong_rejected: int

    @property
    def n(self) -> int:
        """Number of decisions."""
        return self.right_accepted + self.right_rejected + self.wrong_accepted + self.wrong_rejected


def kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Cohen's kappa of two lists of verdicts on the same items; None where it is not defined."""
    if not first or len({*first, *second}) < 2:
        return None
    # Imported here, since it takes a second and most commands do without.
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(first, second))


def agreements(verdicts: Iterable[tuple[str, str, str]]) -> list[Agreement]:
    """Every pair of reviewers with an item in common, by name.

    Args:
        verdicts: task, reviewer, `accept` or `reject`; at most one for a task and reviewer.
    """
    by_reviewer: dict[str, dict[str, str]] = {}
    for task_id, reviewer, verdict in verdicts:
        by_reviewer.setdefault(reviewer, {})[task_id] = verdict
    result = []
    for first, second in combinations(sorted(by_reviewer), 2):
        if pairs := _common(by_reviewer[first], by_reviewer[second]):
            value = kappa([a for a, _ in pairs], [b for _, b in pairs])
            note = f"too few: {len(pairs)} of {ENOUGH}" if len(pairs) < ENOUGH else ""
            if value is None and not note:
                note = "not defined: one verdict throughout"
            result.append(
                Agreement(first, second, len(pairs), sum(a == b for a, b in pairs), value, note)
            )
    return result


def _common(first: Mapping[str, str], second: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(first[task], second[task]) for task in sorted(first.keys() & second.keys())]
