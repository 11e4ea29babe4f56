"""Blind pairs: which model stands at which side.

The form and its order are the paper's human evaluation: correct? does it explain? if so, factual?
consistent? then which of the two is preferred.  `evaluate.human` counts what raters said.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.records import content_key

SAMPLE = 600
"""Questions that the paper had rated."""

PIPELINE = "pipeline"
"""Stands for the programs' own rationale, where a model's key stands otherwise."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two answers, as a rater sees it; `model` is for the server alone."""

    model: str
    answer: str
    rationale: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one task, to be rated."""

    task_id: str
    left: Side
    right: Side


def sides(task_id: str, first: str, second: str, reviewer: str) -> tuple[str, str]:
    """Left and right: shuffled, the same for a reviewer each time, whichever model is named first."""
    ordered = sorted((first, second))
    if int(content_key("sides", task_id, ordered, reviewer)[:8], 16) % 2:
        ordered.reverse()
    return ordered[0], ordered[1]
