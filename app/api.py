"""The documented API: the same functions for `gradio_client`, for MCP clients and for scripts over
HTTP.

`answer` stands with the page Compare.  What is listed here and there is all that is public: what
only our pages call is not listed, and checks the same roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import gradio as gr

from app.browse import PAGE, QuestionRow, row
from app.people import person_of
from app.site import Site
from workbench.errors import InputError
from workbench.pipeline.snapshotting import Accepted, SnapshotWish, take
from workbench.records import JSON, DecisionKind, Reason
from workbench.screen import views
from workbench.screen.decide import person_event
from workbench.screen.steps import Step, StepBox, plain, steps_of
from workbench.snapshot.manifest import LeftOut

ApiDecision = Literal["accept", "reject", "skip", "note", "undo"]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of the questions that a search finds."""

    rows: Sequence[QuestionRow]
    next: str | None
    """Where the next page begins; None behind the last one."""
    total: int


@dataclass(frozen=True, slots=True)
class DecisionReceipt:
    """A decision as it was stored, and the state of its question after it."""

    id: str
    seq: int | None
    """Its place among all decisions."""
    state: str


@dataclass(frozen=True, slots=True)
class SnapshotReceipt:
    """A snapshot that was taken."""

    hash: str
    path: str
    counts: Mapping[str, JSON]
    left_out: Sequence[LeftOut]


@dataclass(frozen=True, slots=True)
class ApiStep:
    """One step of a run, in words."""

    line: int
    does: str
    tool: bool
    """Whether the step asks a tool."""
    arguments: Mapping[str, str]
    result: str | None
    changed: Mapping[str, str]
    """Variables that the step set."""
    printed: str | None
    error: str | None
    boxes: Sequence[StepBox]


@dataclass(frozen=True, slots=True)
class ApiTrace:
    """One run step by step."""

    trace: str
    task: str
    question: str
    choices: Sequence[str]
    gold: Sequence[str]
    """The expected answers."""
    image: str
    more_images: Sequence[str]
    """Digests of the other pictures of a question about several."""
    program: str
    parent: str | None
    """Id of the program that this one is an edit of."""
    answer: str | None
    problem: str | None
    """Why the run has no answer."""
    state: str
    seconds: float
    steps: Sequence[ApiStep]
    rationale: str | None
    faithful: bool | None


def add(site: Site) -> None:
    """Register the functions."""
    _add_reading(site)
    _add_writing(site)


def _add_reading(site: Site) -> None:
    project = site.project

    @site.api("search", queue=False)
    def search(
        request: gr.Request, text: str = "", sort: str = "import", after: str = "", limit: int = 20
    ) -> SearchPage:
        """Find questions with what their programs answered, a page at a time.

        Args:
            text: words, and tokens such as status:wrong tool:find steps>6 family:count answer:yes;
                empty for all.
            sort: import, newest, seconds, steps, siblings or student; a minus before it turns it
                round.
            after: the `next` of the page before; empty for the first page.
            limit: questions on the page, at most 50.
        """
        page = project.browse(text, sort, after or None, max(1, min(limit, PAGE)))
        rows = [row(task, outcome) for task, outcome in page.rows]
        return SearchPage(rows, page.next, project.browse_total(text))

    @site.api("get_trace", queue=False)
    def get_trace(trace: str, request: gr.Request) -> ApiTrace:
        """One run step by step: program, tool calls with their results, changed variables, answer,
        verdict, rationale.

        Args:
            trace: id of a trace or of its program, or its unique beginning.
        """
        task, run = project.run_view(trace)
        if run.trace is None:
            raise InputError(
                f"program {run.program.id} has not been run yet; vpd run --project {project.path}"
            )
        rationale = views.rationale_of(project.task_view(task.id), run)
        picture = site.picture_of(task.image)
        steps = steps_of(run.trace.events, (picture.width, picture.height), len(task.images))
        return ApiTrace(
            trace=run.trace.id,
            task=task.id,
            question=task.question,
            choices=task.choices,
            gold=task.answers,
            image=task.image,
            more_images=task.more_images,
            program=run.program.source,
            parent=run.program.parent,
            answer=run.trace.answer,
            problem=views.problem_of(run) or None,
            state=views.run_state(run),
            seconds=run.trace.seconds,
            steps=[_step(step) for step in steps],
            rationale=rationale.text if rationale is not None else None,
            faithful=rationale.faithful if rationale is not None else None,
        )


def _step(step: Step) -> ApiStep:
    return ApiStep(
        line=step.line,
        does=step.heading,
        tool=step.kind == "tool",
        arguments={one.name: plain(one.value) for one in step.arguments},
        result=plain(step.result) if step.result is not None else None,
        changed={one.name: plain(one.value) for one in step.changed},
        printed=step.text or None,
        error=step.error or None,
        boxes=step.boxes,
    )


def _add_writing(site: Site) -> None:
    project = site.project

    @site.api("decide", role="curator", queue=False)
    def decide(
        id: str,
        kind: str,
        task: str,
        request: gr.Request,
        trace: str = "",
        reason: str = "",
        text: str = "",
        target: str = "",
    ) -> DecisionReceipt:
        """Say what becomes of a question: one event, kept under the caller's name and never
        changed.

        Args:
            id: an id of your own, 8 to 64 letters, digits or . _ : - ; the same id twice is one
                decision.
            kind: accept (the trace becomes the target), reject (with a reason), skip, note, or
                undo.
            task: id of the question.
            trace: the run it is about; accept needs it.
            reason: of a reject: wrong_tool_output, wrong_program, wrong_reason, unfaithful,
                ambiguous, bad_gold, unsafe or other (which needs a text).
            text: the note, or what "other" means.
            target: of an undo: id of the decision that is taken back.
        """
        if kind not in get_args(ApiDecision):
            raise InputError(
                f"no decision is called '{kind}'; there are: {', '.join(get_args(ApiDecision))}"
            )
        if reason and reason not in get_args(Reason):
            raise InputError(
                f"no reason is called '{reason}'; there are: {', '.join(get_args(Reason))}"
            )
        event = person_event(
            person_of(request),
            id,
            cast(DecisionKind, kind),
            task_id=task,
            trace_id=trace or None,
            reason=reason or None,
            text=text,
            target=target or None,
        )
        stored = project.curation.decide([event])[0]
        return DecisionReceipt(stored.id, stored.seq, project.curation.item(task).state)

    @site.api("snapshot", role="admin", concurrency_id="snapshot")
    def snapshot(
        request: gr.Request, name: str = "", text: str = "", accepted: str = "person"
    ) -> SnapshotReceipt:
        """Freeze what is accepted into a training snapshot, known by its hash.

        Args:
            name: what to call it.
            text: a search as in `search`; empty for all.
            accepted: person (what people accepted), automatic (what the verifier kept and is
                faithful), or both.
        """
        frozen = take(project, SnapshotWish(accepted=cast(Accepted, accepted), text=text), name)
        content = frozen.manifest.content
        return SnapshotReceipt(
            hash=frozen.hash,
            path=str(frozen.path),
            counts=content.counts,
            left_out=content.left_out,
        )
