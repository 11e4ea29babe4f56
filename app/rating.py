"""Rating mode of Curate: two models' answers to one question, blind, on the form of the paper's
evaluation.

Which model stands at which side is known to the server alone and drawn anew for each question and
rater.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.people import Curator, Viewer
from app.site import Site
from workbench.curate.rating import PIPELINE, SAMPLE, Side, sides
from workbench.evaluate.human import ASKED, human_evaluation
from workbench.records import Form, PartRef, Preference, Rating
from workbench.screen import views
from workbench.screen.review import person_event

AHEAD = 8
"""Pairs given at once, at most."""

Sample = Annotated[int | None, Query(ge=1, le=1_000_000)]
"""Of so many questions, drawn by the seed; None: all that both explain."""
Seed = Annotated[int, Query(ge=0, le=2**31)]


@dataclass(frozen=True)
class Answers:
    """The form of one side."""

    correct: bool
    explains: bool
    factual: bool | None = None
    consistent: bool | None = None

    def form(self) -> Form:
        return Form(self.correct, self.explains, self.factual, self.consistent)


@dataclass(frozen=True)
class Rate:
    """What a rater said of a pair; `a` and `b` are the models that are compared, in any order."""

    id: str
    task: str
    a: str
    b: str
    left: Answers
    right: Answers
    preference: Preference
    seconds: float | None = None
    guideline: str | None = None


def page(site: Site, request: Request) -> Response:
    """`/curate?mode=rate&a=KEY&b=KEY&n=600&seed=0`"""
    models = [(key, _label(ref)) for key, ref in site.project.curation.models_to_rate().items()]
    return site.page(
        request,
        "curate_rate.html",
        "curate",
        {"models": models, "path": str(site.project.path), "sample": SAMPLE},
    )


def add(site: Site) -> None:
    project, server = site.project, site.server
    curation = project.curation

    @server.get("/data/curate/pairs")
    def pairs(
        person: Curator, a: str, b: str, count: int = 3, n: Sample = None, seed: Seed = 0
    ) -> dict[str, Any]:
        """Pairs that this rater has not rated yet; nothing says which model wrote what."""
        found = curation.next_rating(person.name, a, b, max(1, min(count, AHEAD)), n, seed)
        rated, of = curation.rating_progress(person.name, a, b, n, seed)
        tasks = {task.id: task for task in project.tasks([pair.task_id for pair in found])}
        shown = []
        for pair in found:
            task = tasks[pair.task_id]
            asked = {"task": task.id, "question": task.question, "choices": list(task.choices)}
            sides = {"left": _shown(pair.left), "right": _shown(pair.right)}
            shown.append(asked | sides | {"picture": site.picture_of(task.image)})
        return {"pairs": shown, "rated": rated, "of": of}

    @server.post("/do/curate/rate")
    def rate(body: Rate, person: Curator) -> dict[str, str]:
        left, right = sides(body.task, body.a, body.b, person.name)
        rating = Rating(left, right, body.left.form(), body.right.form(), body.preference)
        event = person_event(
            person,
            body.id,
            "rating",
            task_id=body.task,
            rating=rating,
            seconds=body.seconds,
            guideline=body.guideline,
            hidden=True,
        )
        return {"event": curation.decide([event])[0].id}

    @server.get("/data/curate/ratings")
    def ratings(person: Viewer, a: str, b: str) -> dict[str, Any]:
        """What all raters said of two models, each share with its own n, the paper's beside it."""
        found = human_evaluation(curation.ratings(), a, b)
        return found.to_json() | {
            "names": [_label(project.parts.get(key)) for key in (a, b)],
            "asked": dict(ASKED),
        }


def _shown(side: Side) -> dict[str, Any]:
    """One side without its model; boxes that the rationale names are kept apart from its words."""
    words = [{"text": piece.text, "box": piece.box} for piece in views.pieces(side.rationale)]
    return {"answer": side.answer, "rationale": words}


def _label(ref: PartRef | None) -> str:
    return (
        f"{ref.role} {ref.name} {ref.version}".strip()
        if ref is not None
        else f"the programs ({PIPELINE})"
    )
