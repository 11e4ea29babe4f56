"""Rating mode of Curate: two models' answers to one question, blind, on the form of the paper's
evaluation.

Which model stands at which side is known to the server alone and drawn anew for each question and
rater.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from app.people import Curator, Viewer
from app.site import Site
from workbench.curate.agreement import Agreement
from workbench.curate.rating import PIPELINE, SAMPLE, Side, sides
from workbench.evaluate.human import ASKED, PAPER, human_evaluation
from workbench.evaluate.statistics.comparisons import Paired
from workbench.records import Form, PartRef, Preference, Rating
from workbench.screen import views
from workbench.screen.decide import person_event
from workbench.screen.part_names import part_name

AHEAD = 8
"""Pairs given at once, at most."""

Sample = Annotated[int | None, Query(ge=1, le=1_000_000)]
"""Of so many questions, drawn by the seed; None: all that both explain."""
Seed = Annotated[int, Query(ge=0, le=2**31)]
Kind = Literal["", "knowledge", "sight"]
"""What the rated questions take; empty for all of them."""


@dataclass(frozen=True)
class Answers:
    """The form of one side."""

    correct: bool
    explains: bool
    factual: bool | None = None
    consistent: bool | None = None

    def form(self) -> Form:
        """The same as it is stored."""
        return Form(self.correct, self.explains, self.factual, self.consistent)


@dataclass(frozen=True)
class Rate:
    """What a rater says of a pair."""

    id: str
    task: str
    a: str
    """One of the two models that are compared, and `b` the other; their order does not matter."""
    b: str
    left: Answers
    right: Answers
    preference: Preference
    seconds: float | None = None
    guideline: str | None = None


@dataclass(frozen=True, slots=True)
class RatedSide:
    """One side of a pair, without its model."""

    answer: str
    rationale: Sequence[views.Piece]
    """Boxes that the rationale names stand apart from its words."""


@dataclass(frozen=True, slots=True)
class RatingPair:
    """A question with two answers to rate."""

    task: str
    question: str
    choices: Sequence[str]
    picture: views.PictureView
    left: RatedSide
    right: RatedSide


@dataclass(frozen=True, slots=True)
class RatingPairs:
    """Pairs to rate, and how far the rater has come."""

    pairs: Sequence[RatingPair]
    rated: int
    of: int
    """Pairs in all."""


@dataclass(frozen=True, slots=True)
class StoredRating:
    """The event of a rating."""

    event: str


@dataclass(frozen=True, slots=True)
class RatingFigures:
    """What all raters said of two models (`HumanEvaluation`), the paper's figures beside it."""

    first: str
    second: str
    questions: int
    ratings: int
    raters: Sequence[str]
    shares: Mapping[str, Sequence[views.ShareView]]
    """By question of the form: of the first and of the second model."""
    differences: Mapping[str, Paired | None]
    preferences: Mapping[str, views.ShareView]
    agreement: Mapping[str, Sequence[Agreement]]
    paper: Mapping[str, Sequence[float]]
    names: Sequence[str]
    """Names of the two models."""
    asked: Mapping[str, str]
    """Questions of the form in words."""


def page(site: Site, request: Request) -> Response:
    """The page of the rating mode: `/curate?mode=rate&a=KEY&b=KEY&n=600&seed=0`."""
    rated = site.project.curation.models_to_rate()
    parts = {key: ref for key, ref in rated.items() if ref is not None}
    models = [(key, _label(key, parts)) for key in rated]
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
        person: Curator,
        a: str,
        b: str,
        count: int = 3,
        n: Sample = None,
        seed: Seed = 0,
        kind: Kind = "",
    ) -> RatingPairs:
        """Pairs that this rater has not rated yet; nothing says which model wrote what.

        Args:
            person: the rater.
            a: key of a model.
            b: key of another one.
            count: pairs to give.
            n: of so many questions, drawn by the seed; None: of all.
            seed: of the draw.
            kind: knowledge, for questions of which a program asks a language model; sight, for the
                others; empty for all.
        """
        served = curation.next_rating(person.name, a, b, max(1, min(count, AHEAD)), n, seed, kind)
        rated, of = curation.rating_progress(person.name, a, b, n, seed, kind)
        tasks = {task.id: task for task in project.tasks([pair.task_id for pair in served])}
        pairs = []
        for pair in served:
            task = tasks[pair.task_id]
            pairs.append(
                RatingPair(
                    task=task.id,
                    question=task.question,
                    choices=task.choices,
                    picture=views.pictures_of(task, site.picture_of),
                    left=_side(pair.left),
                    right=_side(pair.right),
                )
            )
        return RatingPairs(pairs, rated, of)

    @server.post("/do/curate/rate")
    def rate(body: Rate, person: Curator) -> StoredRating:
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
        return StoredRating(curation.decide([event])[0].id)

    @server.get("/data/curate/ratings")
    def ratings(person: Viewer, a: str, b: str) -> RatingFigures:
        """What all raters said of two models, each share with its own n.

        Args:
            person: who asks.
            a: key of a model.
            b: key of another one.
        """
        both = human_evaluation(curation.ratings(), a, b)
        return RatingFigures(
            first=both.first,
            second=both.second,
            questions=both.questions,
            ratings=both.ratings,
            raters=both.raters,
            shares={
                name: [views.share_view(share) for share in shares]
                for name, shares in both.shares.items()
            },
            differences=both.differences,
            preferences={name: views.share_view(share) for name, share in both.preferences.items()},
            agreement=both.agreement,
            paper=PAPER,
            names=[_label(key, project.parts) for key in (a, b)],
            asked=ASKED,
        )


def _side(side: Side) -> RatedSide:
    """One side without its model."""
    return RatedSide(side.answer, views.pieces(side.rationale))


def _label(key: str, parts: Mapping[str, PartRef]) -> str:
    """Name of a model for the page."""
    ref = parts.get(key)
    if ref is None:
        return f"the programs ({PIPELINE})"
    return f"{ref.role} {part_name(ref, parts.values())}".strip()
