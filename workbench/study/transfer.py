"""Stored evaluations of one set of questions side by side, measured by a probe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from workbench.errors import InputError
from workbench.recipes.ports import AnswerProbe, SystemAnswers, SystemKind, TransferReport
from workbench.store import Project
from workbench.store.reading import evaluations
from workbench.store.reading.evaluations import Evaluation

KNOWS = "any"
"""The mode of the pipeline that takes the label to know: it is no way of answering."""


def compare_systems(
    project: Project, probe: AnswerProbe
) -> Mapping[tuple[str, str], TransferReport]:
    """What a probe finds in the latest evaluation of each system, by benchmark and split.

    Args:
        project: has the evaluations.
        probe: measures them.

    Raises:
        InputError: no two systems were evaluated on one set of questions.
    """
    latest: dict[tuple[str, str], dict[str, Evaluation]] = defaultdict(dict)
    for row in evaluations.evaluations(project.database):
        if row.mode != KNOWS:
            latest[row.benchmark, row.split][f"{row.system}, {row.mode}"] = row
    reports = {}
    for place, rows in sorted(latest.items()):
        systems = [
            SystemAnswers(name, _kind(row), evaluations.scores(project.database, row.id))
            for name, row in rows.items()
        ]
        if len(systems) > 1:
            reports[place] = probe.compare(systems)
    if not reports:
        raise InputError(
            "no two systems were evaluated on the same questions yet, so there is nothing to "
            "compare; run vpd evaluate --model small, then vpd evaluate --model JOB or --pipeline"
        )
    return reports


def _kind(row: Evaluation) -> SystemKind:
    if row.kind != "student":
        return "programs"
    return "distilled" if row.is_distilled else "zero-shot"
