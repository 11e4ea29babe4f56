"""Votes of Compare, and what it sends to the queue."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal, cast

from app.answers import Pictures, Round, Rounds, VoteContext, keep, outcomes
from app.people import Curator, Person
from app.site import Site
from workbench.pipeline.live_events import Finished, Side
from workbench.records import Preference, Rating
from workbench.screen.decide import person_event
from workbench.store import Project
from workbench.study.two_by_two import Counting, in_cell

Choice = Literal["pipeline", "student", "tie", "neither"]


@dataclass(frozen=True, slots=True)
class Vote:
    """Which side was better."""

    id: str
    run: str
    choice: Choice
    left: Side = "pipeline"
    """The side that stood at the left."""
    blind: bool = False
    """Whether the sides had no names."""
    note: str = ""
    seconds: float | None = None
    """Time from the question to the vote."""


@dataclass(frozen=True, slots=True)
class ToQueue:
    """Send one question to the queue."""

    id: str
    run: str


@dataclass(frozen=True, slots=True)
class CellToQueue:
    """Send all questions of the cell "pipeline right, student wrong" to the queue."""

    id: str
    counting: Counting = "any"


@dataclass(frozen=True, slots=True)
class StoredVote:
    """The event of a vote, and its question."""

    id: str
    task: str


@dataclass(frozen=True, slots=True)
class QueuedQuestion:
    """A question that was sent to the queue."""

    id: str
    task: str
    trace: str | None


@dataclass(frozen=True, slots=True)
class QueuedCell:
    """How many questions of a cell were sent to the queue."""

    id: str
    queued: int


def add(site: Site, pictures: Pictures, rounds: Rounds) -> None:
    """Register what votes and sends to the queue.

    Args:
        site: the pages.
        pictures: of the project and of its visitors.
        rounds: the answers that may be voted on.
    """
    project = site.project

    @site.server.post("/do/compare/vote")
    def vote(body: Vote, person: Curator) -> StoredVote:
        """Keep the question and its answers, and the vote with them."""
        return store_vote(project, pictures, rounds.of(body.run), person, body)

    @site.server.post("/do/compare/queue")
    def queue(body: ToQueue, person: Curator) -> QueuedQuestion:
        """Keep the question and its answers, and ask for it in the queue."""
        one = rounds.of(body.run)
        trace = _trace_id(keep(project, pictures, one, project.profile().seed))
        why = f"{_mark(one, 'pipeline')}, {_mark(one, 'student')} (Compare)"
        project.curation.decide(
            [person_event(person, body.id, "queue", task_id=one.task.id, trace_id=trace, text=why)]
        )
        return QueuedQuestion(body.id, one.task.id, trace)

    @site.server.post("/do/compare/queue-cell")
    def queue_cell(body: CellToQueue, person: Curator) -> QueuedCell:
        """Ask for all questions of a cell in the queue, as one batch."""
        why = "pipeline right, student wrong (all questions)"
        ids = in_cell(project.outcomes(), "pipeline", body.counting)
        project.curation.decide(
            [
                person_event(
                    person, f"{body.id}.{at}", "queue", task_id=task, text=why, batch=body.id
                )
                for at, task in enumerate(ids)
            ]
        )
        return QueuedCell(body.id, len(ids))


def store_vote(
    project: Project, pictures: Pictures, one: Round, person: Person, vote: Vote
) -> StoredVote:
    """Keep a question with its answers, and a vote with them.

    Args:
        project: where they are stored.
        pictures: of the project and of its visitors.
        one: the question and its answers.
        person: who votes.
        vote: which side was better.
    """
    pipeline = keep(project, pictures, one, project.profile().seed)
    program = pipeline.program if pipeline is not None else None
    context = VoteContext(vote.note[:2000], vote.blind, outcomes(one))
    event = person_event(
        person,
        vote.id,
        "rating",
        task_id=one.task.id,
        trace_id=_trace_id(pipeline),
        program_id=program.id if program is not None else None,
        text=json.dumps(asdict(context), ensure_ascii=False),
        rating=_rating(project, one, vote),
        seconds=vote.seconds,
        hidden=vote.blind,
    )
    [stored] = project.curation.decide([event])
    return StoredVote(stored.id, one.task.id)


def _mark(one: Round, side: Side) -> str:
    """What the page shows of one side's answer, in words."""
    end = one.sides.get(side)
    if end is None or end.cancelled or end.failure is not None:
        return f"{side} without an answer"
    return f"{side} {_MARKS[end.right]}"


_MARKS = {True: "right", False: "wrong", None: "not held against a label"}


def _trace_id(pipeline: Finished | None) -> str | None:
    """Id of the pipeline's trace, where a program was run."""
    return pipeline.trace.id if pipeline is not None and pipeline.trace is not None else None


def _rating(project: Project, one: Round, vote: Vote) -> Rating:
    """A vote as it is stored: the systems at the left and at the right, and which was better."""
    student = one.sides.get("student")
    maker = student.maker if student is not None else None
    keys = {
        "pipeline": "pipeline",
        "student": project.add_part(maker) if maker is not None else "student",
    }
    right: Side = "student" if vote.left == "pipeline" else "pipeline"
    sided = {vote.left: "left", right: "right", "tie": "both", "neither": "neither"}
    preference = cast(Preference, sided[vote.choice])
    return Rating(keys[vote.left], keys[right], None, None, preference)
