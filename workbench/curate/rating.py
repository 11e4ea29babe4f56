"""Blind pairs: which model stands at which side, and what raters said, with n.

The form and its order are the paper's human evaluation: correct? does it explain? if so, factual? consistent? then
which of the two is preferred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.records import Form, Rating, content_key

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


@dataclass(frozen=True, slots=True)
class Rated:
    """What raters said of one model: counts, each with its own denominator."""

    model: str
    rated: int
    correct: int
    explains: int
    factual: int
    """Of those that explain."""
    consistent: int
    """Of those that explain."""
    preferred: int


@dataclass(frozen=True, slots=True)
class RatingFigures:
    """Of a pair of models."""

    n: int
    first: Rated
    second: Rated
    both: int
    """Both preferred alike."""
    neither: int


def sides(task_id: str, first: str, second: str, reviewer: str) -> tuple[str, str]:
    """Left and right: shuffled, the same for a reviewer each time, whichever model is named first."""
    ordered = sorted((first, second))
    if int(content_key("sides", task_id, ordered, reviewer)[:8], 16) % 2:
        ordered.reverse()
    return ordered[0], ordered[1]


def figures(ratings: Iterable[Rating], first: str, second: str) -> RatingFigures:
    """Counts over the ratings of these two models; others, and votes without forms, are left out."""
    held = [r for r in ratings if {r.left, r.right} == {first, second} and r.left_form is not None]
    said = [rating.preference for rating in held]
    return RatingFigures(
        len(held), _rated(held, first), _rated(held, second), said.count("both"), said.count("neither")
    )  # fmt: skip


def _rated(ratings: list[Rating], model: str) -> Rated:
    given = (r.left_form if r.left == model else r.right_form for r in ratings)
    forms: list[Form] = [form for form in given if form is not None]
    return Rated(
        model,
        len(forms),
        sum(form.correct for form in forms),
        sum(form.explains for form in forms),
        sum(form.factual is True for form in forms),
        sum(form.consistent is True for form in forms),
        sum((r.left if r.preference == "left" else r.right) == model for r in ratings if r.preference in _ONE),
    )


_ONE = ("left", "right")
