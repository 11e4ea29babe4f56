"""The loop as six steps with counts, and which of them makes sense next, for the start page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from workbench.shares import Share
from workbench.store import Project
from workbench.store.people import reviewing
from workbench.store.reading import figures, snapshots
from workbench.train.jobs import JobView
from workbench.verify.answers import RIGHT

StepName = Literal["questions", "programs", "verify", "curate", "train", "compare"]


@dataclass(frozen=True, slots=True)
class LoopStep:
    """One step of the loop."""

    name: StepName
    title: str
    count: int
    unit: str
    """What is counted, in the number of the count."""
    note: str
    """What the count leaves open, in a few words."""
    what: str
    """What happens in this step, in a sentence."""
    href: str
    """The page where this step is looked at or worked on."""
    is_next: bool


@dataclass(frozen=True, slots=True)
class NextAction:
    """What makes sense next."""

    step: StepName
    title: str
    words: str
    """Why, and what comes of it."""
    href: str
    """The page to go to; empty where the start page does it itself."""


@dataclass(frozen=True, slots=True)
class LoopCounts:
    """How far a project is."""

    questions: int
    pictures: int
    waiting: int
    """Questions that were not judged yet."""
    programs: int
    """Programs that were run."""
    executed: int
    """Those of them that ended with an answer."""
    judged: int
    """Questions that were judged."""
    kept: int
    """Questions with a trace that is kept, be it right or agreed upon."""
    open: int
    """Those of them that nobody has decided."""
    accepted: int
    rejected: int
    snapshots: int
    jobs: int
    """Training jobs."""
    models: int
    """Training jobs that are done."""
    running: bool
    """Whether a training job waits or runs."""
    student: Share
    """Right answers of the student in force, of the labelled questions that it answered."""


def loop_counts(project: Project, jobs: Sequence[JobView]) -> LoopCounts:
    """How far a project is.

    Args:
        project: any project.
        jobs: its training jobs.
    """
    database = project.database
    funnel = {step.name: step.tasks for step in figures.funnel(database)}
    totals = figures.outcome_totals(database, RIGHT)
    waiting = project.browse_total("status:waiting origin:imported")
    states = reviewing.state_counts(database)
    return LoopCounts(
        questions=funnel["question"],
        pictures=figures.pictures(database),
        waiting=waiting,
        programs=totals.traces,
        executed=totals.executed,
        judged=funnel["question"] - waiting,
        kept=funnel["matched"],
        open=project.browse_total("status:kept status:agreed review:pending origin:imported"),
        accepted=funnel["accepted"],
        rejected=states.get("rejected", 0),
        snapshots=len(snapshots.snapshot_rows(database)),
        jobs=len(jobs),
        models=sum(job.state == "done" for job in jobs),
        running=any(job.state in ("queued", "running", "stopping") for job in jobs),
        student=Share(totals.student, totals.answered),
    )


def loop_steps(counts: LoopCounts) -> list[LoopStep]:
    """The six steps, in their order."""
    after = next_action(counts).step
    return [
        LoopStep(name, title, count, unit, note, what, href, name == after)
        for name, title, count, unit, note, what, href in _steps(counts)
    ]


def _steps(counts: LoopCounts) -> list[tuple[StepName, str, int, str, str, str, str]]:
    student = counts.student
    right = f"{student.value:.0%} of {student.of} right" if student.value is not None else ""
    return [
        (
            "questions",
            "Questions",
            counts.questions,
            _unit(counts.questions, "question"),
            f"about {_amount(counts.pictures, 'picture')}" if counts.questions else "none yet",
            "Pictures with questions, most of them with the right answer.",
            "browse",
        ),
        (
            "programs",
            "Programs",
            counts.programs,
            _unit(counts.programs, "program"),
            f"{_amount(counts.waiting, 'question')} to go" if counts.waiting else _done(counts),
            "A language model writes small programs, and a sandbox runs them.",
            _browse("programs>=1"),
        ),
        (
            "verify",
            "Verify",
            counts.kept,
            "kept",
            f"of {_amount(counts.judged, 'judged question')}" if counts.judged else "none judged",
            "A program whose answer is right is kept, and told in prose with boxes.",
            _browse("status:kept status:agreed"),
        ),
        (
            "curate",
            "Curate",
            counts.accepted,
            "accepted",
            _to_decide(counts),
            "People accept or reject each explanation, one key each.",
            "curate",
        ),
        (
            "train",
            "Train",
            counts.models,
            _unit(counts.models, "model"),
            "a job is under way" if counts.running else _amount(counts.snapshots, "snapshot"),
            "What was accepted teaches a small model to answer by itself.",
            "train",
        ),
        (
            "compare",
            "Compare",
            student.of,
            _unit(student.of, "answer"),
            right or "the student was not asked yet",
            "The student's own answers beside those of the programs.",
            "compare",
        ),
    ]


def next_action(counts: LoopCounts) -> NextAction:
    """What makes sense next."""
    if not counts.questions:
        return NextAction(
            "questions",
            "Bring in questions",
            "Begin with drawn collages that come along, or with a source of this project.",
            "",
        )
    if counts.waiting and not counts.kept:
        return NextAction(
            "programs",
            "Run the first questions",
            "Each gets a few programs. They run in a sandbox, and their answers are checked.",
            "",
        )
    if counts.open:
        return NextAction(
            "curate",
            f"Decide about {_amount(counts.open, 'kept answer')}",
            "Look at the boxes and the explanation of each, and accept or reject it with one key.",
            "curate",
        )
    if counts.accepted and not counts.models and not counts.running:
        return NextAction(
            "train",
            f"Train on {_amount(counts.accepted, 'accepted explanation')}",
            "Freeze them as a snapshot and teach the student; or run more questions first.",
            "train?new=1",
        )
    if counts.waiting:
        return NextAction(
            "programs",
            "Run more questions",
            f"{_amount(counts.waiting, 'question')} "
            f"{'waits' if counts.waiting == 1 else 'wait'} for programs.",
            "",
        )
    if counts.models:
        return NextAction(
            "compare",
            "Compare student and programs",
            "Ask both about a picture of your own, and see where they part.",
            "compare",
        )
    return NextAction(
        "questions",
        "Bring in more questions",
        "Every question here went through the loop, and nothing waits for a decision.",
        "",
    )


def _browse(search: str) -> str:
    return f"browse?q={quote(search)}"


def _done(counts: LoopCounts) -> str:
    return f"{counts.executed:,} with an answer" if counts.programs else "none yet"


def _to_decide(counts: LoopCounts) -> str:
    if counts.open:
        return f"{counts.open:,} to decide"
    return f"{counts.rejected:,} rejected" if counts.rejected else "nothing waits"


def _unit(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _amount(count: int, noun: str) -> str:
    return f"{count:,} {_unit(count, noun)}"
