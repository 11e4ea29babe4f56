"""Blind pairs of models to rate, and which model stands at which side.

The form and its order are the paper's human evaluation: correct? does it explain? if so, factual?
consistent? then which of the two is preferred.  `evaluate.human` counts what raters said.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.records import content_key

SAMPLE = 600
"""Number of questions that raters saw in the paper."""

PIPELINE = "pipeline"
"""What stands for the programs' own rationale in the place of a model's key."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two answers, as a rater sees it; `model` is for the server alone."""

    model: str
    answer: str
    rationale: str


@dataclass(frozen=True, slots=True)
class TwoAnswers:
    """Two answers to one task, to be rated."""

    task_id: str
    left: Side
    right: Side


def sides(task_id: str, first: str, second: str, reviewer: str) -> tuple[str, str]:
    """The model at the left and the one at the right: shuffled, but the same each time.

    Args:
        task_id: the question.
        first: a model's key, or `PIPELINE`.
        second: another one; the order of the two does not matter.
        reviewer: who rates.
    """
    models = sorted((first, second))
    if int(content_key("sides", task_id, models, reviewer)[:8], 16) % 2:
        models.reverse()
    return models[0], models[1]
