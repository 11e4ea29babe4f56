"""People's blind ratings, measured by a probe: each answer with what its question takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import registry
from workbench.errors import InputError
from workbench.recipes.ports import JudgedAnswer, JudgedReport, RatingProbe
from workbench.store import Project
from workbench.store.people import ratings


def judged_answers(project: Project) -> list[JudgedAnswer]:
    """What raters said of each answer, in order of time; votes without the form are left out."""
    knowing = ratings.questions_of_knowledge(project.database)
    rows = []
    for event in project.curation.ratings():
        rating = event.rating
        if rating is None:
            continue
        sides = ((rating.left, rating.left_form), (rating.right, rating.right_form))
        for system, form in sides:
            if form is not None:
                rows.append(
                    JudgedAnswer(
                        event.task_id,
                        event.author,
                        system,
                        "knowledge" if event.task_id in knowing else "sight",
                        form.correct,
                        form.explains,
                        form.factual,
                        form.consistent,
                    )
                )
    return rows


def measure(
    project: Project, name: str, arguments: Mapping[str, Any] | None = None
) -> JudgedReport:
    """What a probe finds in the ratings of a project.

    Args:
        project: has the ratings.
        name: of the probe.
        arguments: of the probe.

    Raises:
        ProfileError: there is no such probe, or it does not take these arguments.
        InputError: nobody has rated anything on the form.
    """
    probe: RatingProbe = registry.build("probe", name, **(arguments or {}))
    rows = judged_answers(project)
    if not rows:
        raise InputError(
            "nobody has rated two systems yet, so there is nothing to measure; rate them in the "
            "app: vpd app, then Curate, Rate models"
        )
    return probe.measure(rows)
