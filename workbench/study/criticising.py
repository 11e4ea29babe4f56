"""A critic of what people accept: measured on decisions that it has not learnt from, then in force.

Decisions are divided by picture, so that no critic is asked about a picture it has learnt from.
Each part in turn is left out, and the scores of all parts are judged together.  The model of plain
facts that orders the queue otherwise is measured on the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench import registry
from workbench.curate import predict
from workbench.errors import InputError
from workbench.evaluate.statistics.ranking import (
    auc_difference,
    cutoff,
    precision_at_recall,
    roc_auc,
)
from workbench.recipes.ports import Critic, ReviewedRow
from workbench.records import PartRef, content_key
from workbench.store import Project
from workbench.store.people import reviewed

FOLDS = 5
RECALLS = (0.8, 0.5)
"""Shares of the accepted rows at which precision is told: the paper calls them medium and high."""

Chances = Callable[[Sequence[ReviewedRow]], Sequence[float]]
Fit = Callable[[Sequence[ReviewedRow], Sequence[bool]], Chances]


@dataclass(frozen=True, slots=True)
class RankFigures:
    """How well a model orders decisions that it has not learnt from."""

    auc: float
    precision: Mapping[str, float]
    """By recall."""
    cutoff: Mapping[str, float]
    """The score from which on rows are kept, by recall."""


@dataclass(frozen=True, slots=True)
class CriticReport:
    """What a critic learnt, and whether it orders the queue now."""

    critic: PartRef
    decisions: int
    accepted: int
    pictures: int
    figures: RankFigures
    """Of the critic."""
    facts: RankFigures
    """Of the model of plain facts."""
    difference: tuple[float, float]
    """95 % interval of the critic's AUC less that of the facts."""
    better: bool
    """Whether the whole interval is above 0."""
    scored: int
    """Number of runs that it scored for the queue; 0 where it does not order it."""


def fit(
    project: Project, name: str, arguments: Mapping[str, Any] | None = None, dry: bool = False
) -> CriticReport:
    """Let a critic learn and be measured; where it is better it orders the queue from now on.

    Args:
        project: has the decisions; open for writing unless `dry`.
        name: of the critic.
        arguments: of the critic.
        dry: measure, and change nothing.

    Raises:
        ProfileError: there is no such critic, or it does not take these arguments.
        InputError: there are too few decisions, or they are all of one side.
    """
    critic: Critic = registry.build("critic", name, **(arguments or {}))
    rows, accepted = reviewed.decided(project.database)
    _check(rows, accepted)
    ours = out_of_fold(rows, accepted, lambda some, yes: critic.fit(some, yes).chances)
    facts = out_of_fold(rows, accepted, _facts)
    pictures = [row.picture for row in rows]
    difference = auc_difference(ours, facts, accepted, pictures)
    better = difference[0] > 0
    scored = 0
    if not dry:
        scored = _score_all(project, critic, rows, accepted) if better else 0
        if not better:
            reviewed.put_scores(project.database, critic.ref, 0, (), {})
    return CriticReport(
        critic.ref,
        len(rows),
        sum(accepted),
        len(set(pictures)),
        _figures(ours, accepted),
        _figures(facts, accepted),
        difference,
        better,
        scored,
    )


def _check(rows: Sequence[ReviewedRow], accepted: Sequence[bool]) -> None:
    if len(rows) < predict.ENOUGH:
        raise InputError(
            f"a critic needs {predict.ENOUGH} decided questions, and {len(rows)} are decided one "
            "by one (those decided in bulk teach nothing); decide on more: vpd app, Curate"
        )
    for side, words in ((True, "accepted"), (False, "rejected")):
        pictures = {row.picture for row, yes in zip(rows, accepted, strict=True) if yes is side}
        if len(pictures) < 2:
            raise InputError(
                f"a critic needs {words} questions about two pictures or more, and of "
                f"{len(rows)} decided ones {accepted.count(side)} are {words}, about "
                f"{len(pictures)}; decide on others: vpd app, Curate"
            )


def out_of_fold(rows: Sequence[ReviewedRow], accepted: Sequence[bool], fit_to: Fit) -> list[float]:
    """The score of each row by a model that has learnt from other pictures alone.

    Args:
        rows: decided rows.
        accepted: what people decided on each.
        fit_to: learns from rows.
    """
    parts = folds([row.picture for row in rows], accepted)
    scores = [0.0] * len(rows)
    for part in range(max(parts) + 1):
        learn = [at for at, own in enumerate(parts) if own != part]
        test = [at for at, own in enumerate(parts) if own == part]
        chances = fit_to([rows[at] for at in learn], [accepted[at] for at in learn])
        for at, score in zip(test, chances([rows[at] for at in test]), strict=True):
            scores[at] = score
    return scores


def folds(pictures: Sequence[str], accepted: Sequence[bool]) -> list[int]:
    """The part of each row: rows of one picture have the same, and all parts have both sides.

    Pictures with an accepted row and those without are dealt out one after the other, in an order
    drawn by hash.  There are at most `FOLDS` parts, and so few that each misses neither side.
    """
    sides: dict[bool, list[str]] = {True: [], False: []}
    for picture in sorted(set(pictures), key=lambda one: content_key("fold", one)):
        own = [yes for one, yes in zip(pictures, accepted, strict=True) if one == picture]
        sides[sum(own) * 2 > len(own)].append(picture)
    number = max(2, min(FOLDS, *(len(side) for side in sides.values())))
    part_of = {one: at % number for side in sides.values() for at, one in enumerate(side)}
    return [part_of[one] for one in pictures]


def _facts(rows: Sequence[ReviewedRow], accepted: Sequence[bool]) -> Chances:
    """The model of plain facts; where it can learn nothing it scores all alike."""
    model = predict.fit([row.facts for row in rows], accepted)
    if isinstance(model, str):
        return lambda some: [0.5] * len(some)
    return lambda some: [model.chance(row.facts) for row in some]


def _figures(scores: Sequence[float], accepted: Sequence[bool]) -> RankFigures:
    return RankFigures(
        roc_auc(scores, accepted),
        {str(recall): precision_at_recall(scores, accepted, recall) for recall in RECALLS},
        {str(recall): cutoff(scores, accepted, recall) for recall in RECALLS},
    )


def _score_all(
    project: Project, critic: Critic, rows: Sequence[ReviewedRow], accepted: Sequence[bool]
) -> int:
    model = critic.fit(rows, accepted)
    runs, traces = reviewed.kept_runs(project.database)
    scores = dict(zip(traces, model.chances(runs), strict=True))
    reviewed.put_scores(project.database, critic.ref, len(rows), runs, scores)
    return len(scores)
