"""Paired differences of systems: overall and by family of questions.

Intervals keep a picture's questions together and draw seeds again (`over_seeds`), as the table of
results does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.evaluate.statistics.over_seeds import apart
from workbench.store import Project
from workbench.store.reading import evaluations
from workbench.study.results import Results, SystemRow


@dataclass(frozen=True, slots=True)
class ArmDifference:
    """How much oftener one system is right than another, on the same questions."""

    system: str
    other: str
    family: str
    """Family of the questions; empty for all of them."""
    difference: float
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""
    p: float
    of: int
    """Number of questions."""
    seconds: float | None
    """Of one question for the system, the median; None where nothing was timed."""
    other_seconds: float | None
    """The same for the other one."""


def differences(
    project: Project, table: Results, pairs: Sequence[tuple[str, str]]
) -> tuple[ArmDifference, ...]:
    """The differences of pairs of systems: all questions first, then family by family.

    Args:
        project: has the evaluations.
        table: has the systems.
        pairs: names of systems, each with that of the one that is taken off it; a pair of which
            the table lacks a system is left out.
    """
    rows = {row.system: row for row in table.rows}
    there = [(rows[one], rows[other]) for one, other in pairs if one in rows and other in rows]
    ids = {id_ for pair in there for row in pair for id_ in row.evaluations}
    scores = {id_: project.evaluation_scores(id_) for id_ in sorted(ids)}
    about = evaluations.about(
        project.database, sorted({task for one in scores.values() for task in one})
    )
    return tuple(
        difference
        for one, other in there
        for family in ("", *sorted({family for _, family in about.values()}))
        if (difference := _difference(one, other, family, scores, about)) is not None
    )


def _difference(
    one: SystemRow,
    other: SystemRow,
    family: str,
    scores: Mapping[str, Mapping[str, float]],
    about: Mapping[str, tuple[str, str]],
) -> ArmDifference | None:
    """One difference; None where no question of the family has been answered by every seed of both.

    Args:
        one: the system.
        other: the system that is taken off it.
        family: of the questions; empty for all.
        scores: by evaluation and question.
        about: picture and family of each question.
    """
    mine, theirs = (
        [_of_family(scores[id_], family, about) for id_ in row.evaluations] for row in (one, other)
    )
    if not set.intersection(*map(set, [*mine, *theirs])):
        return None
    figures = apart(mine, theirs, {task: picture for task, (picture, _) in about.items()})
    return ArmDifference(
        one.system,
        other.system,
        family,
        figures.difference,
        figures.low,
        figures.high,
        figures.p,
        figures.of,
        _seconds(one),
        _seconds(other),
    )


def _of_family(
    scores: Mapping[str, float], family: str, about: Mapping[str, tuple[str, str]]
) -> dict[str, float]:
    return {task: score for task, score in scores.items() if family in ("", about[task][1])}


def _seconds(row: SystemRow) -> float | None:
    median = row.latency.get("median")
    return float(median) if isinstance(median, int | float) else None
