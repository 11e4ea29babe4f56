"""The head of a run: what Step and Curate give the step player first, with what people said of the
run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.records import Decision, Rationale
from workbench.screen.player import PlayerModel, model_of
from workbench.screen.steps import Step, places
from workbench.screen.views import PictureView
from workbench.store import Run


def head_of(
    run: Run,
    steps: Sequence[Step],
    picture: PictureView,
    rationale: Rationale | None,
    mark: Decision | None,
) -> PlayerModel:
    """The run in short, and the step that was marked as its first wrong one.

    Args:
        run: a program that was run.
        steps: the run's steps.
        picture: the run's picture.
        rationale: the wording to show beside the steps.
        mark: the event that names the run's first wrong step (`History.first_wrong`).

    Returns:
        `model_of` with `wrong`, the index of the marked step, and `mark`, the id of an event that
        does nothing but mark it: taking that one back takes no decision with it.
    """
    wrong = places(steps).get(mark.step) if mark is not None and mark.step is not None else None
    alone = mark is not None and mark.kind == "wrong_step"
    model = model_of(run, steps, picture, rationale)
    return replace(model, wrong=wrong, mark=mark.id if mark and alone else None)
