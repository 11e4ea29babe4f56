"""Edit and replay: a changed program in the same sandbox, compared with the stored run, and sent to
the queue.

Calls whose tool, arguments and picture are unchanged are answered from the cache; the others are
asked.  The run is verified against the label and told in prose at once.  What was run this way is a
draft in memory: nothing is stored before somebody sends it to the queue, and then as a new program
that names its parent, with its run, verdict and rationale.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

import gradio as gr

from app.people import Curator, person_of
from app.runs import ProgramDraft, Runs, Turns
from app.site import Site
from workbench.errors import InputError
from workbench.events import diff_traces
from workbench.pipeline import repairing
from workbench.records import Program, Task, Trace, TraceEvent, content_key
from workbench.screen.decide import person_event
from workbench.screen.steps import Step, places
from workbench.store import Run

LONGEST = 20_000
"""Characters of a program."""

MOST = 200
"""Rows of a difference that are shown."""


@dataclass(frozen=True)
class EditRequest:
    """A draft to store and to ask for in the queue."""

    id: str
    draft: str
    text: str = ""
    """Why it is asked for."""


@dataclass(frozen=True, slots=True)
class StoredEdit:
    """A draft that was stored, by the ids of its trace and its program."""

    trace: str
    program: str


StepInBrief = tuple[int, int, str, str]
"""A step in a difference: its index, line, title, and the line below the title."""


@dataclass(frozen=True, slots=True)
class ChangedStep:
    """A step that differs between two runs; a side is None where the step is missing."""

    sign: Literal["-", "+", "~"]
    old: StepInBrief | None
    new: StepInBrief | None


@dataclass(frozen=True, slots=True)
class RunDifference:
    """What differs between two runs, step by step."""

    rows: Sequence[ChangedStep]
    """At most `MOST` of them."""
    more: int
    """Rows that are left out."""
    same: int
    """Events that are the same in both."""


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What came of a changed program, beside the stored run."""

    draft: str
    answer: str | None
    failure: str | None
    """Why it has no answer, in words."""
    line: int | None
    """Where it failed."""
    right: bool | None
    """Whether the answer is the expected one; None where that cannot be said."""
    judged: str
    """What the verifier says of it; empty where it says nothing."""
    issues: Sequence[str]
    """What the run does not support in the rationale that tells it, as sentences."""
    calls: int
    """Answered tool calls."""
    cached: int
    """Those of them that came from the cache."""
    seconds: float
    was: str | None
    """Answer of the stored run."""
    changes: RunDifference
    state: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class ReplayStart:
    """The sandbox and its tools are loading."""

    state: Literal["loading"] = "loading"


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """The program runs."""

    events: int
    """Events so far."""
    state: Literal["running"] = "running"


ReplayNews = ReplayStart | ReplayProgress | ReplayOutcome


def add(site: Site, runs: Runs) -> None:
    """Register what the pages and scripts call."""
    project = site.project

    @site.api(
        "replay",
        role="curator",
        visibility="undocumented",
        concurrency_id="models",
        concurrency_limit=1,
    )
    def replay(trace: str, source: str, request: gr.Request) -> Iterator[ReplayNews]:
        """Run a changed program and compare it with the stored run.

        Args:
            trace: the run that it is an edit of.
            source: the program's new text.
            request: of the caller.

        Yields:
            The state of the replay; the last is a `ReplayOutcome`.
        """
        if len(source) > LONGEST:
            raise InputError(
                f"the program has {len(source):,} characters; at most {LONGEST:,} are run"
            )
        task, old = project.run_view(trace)
        if old.trace is None:
            raise InputError(f"{trace} has not been run; there is nothing to compare with")
        yield ReplayStart()
        program = replace(
            old.program,
            id=content_key("draft", old.program.id, source),
            source=source,
            parent=old.program.id,
        )
        new = None
        for progress in _running(site, runs.turns, person_of(request).name, task, program):
            if isinstance(progress, Trace):
                new = progress
            else:
                yield ReplayProgress(progress)
        assert new is not None
        parts = site.parts()
        run = Run(program, new, repairing.judge(parts, task, program, new))
        rationale = repairing.tell(parts, task, program, new)
        draft = ProgramDraft(f"draft-{program.id}", task, old.program, run, rationale)
        runs.drafts.keep(draft, person_of(request).name)
        yield _outcome(runs, draft, old)

    @site.server.post("/do/step/edit")
    def send(body: EditRequest, person: Curator) -> StoredEdit:
        """Store a draft as a program that names its parent, with its trace, and ask for it in the
        queue.
        """
        draft = runs.drafts.get(body.draft)
        if draft is None:
            raise InputError(
                "this draft is gone (the server was started again, or many came after it); "
                "run it again"
            )
        edit = person_event(
            person,
            body.id,
            "edit",
            task_id=draft.task.id,
            program_id=draft.parent.id,
            text=body.text,
        )
        program = project.curation.edit_program(edit, draft.run.program.source)
        parts = site.parts()
        trace = next(
            iter(parts.executor.run([(draft.task, program)]))
        )  # its calls are in the cache
        repairing.store(project, parts, draft.task, program, trace)
        ask = person_event(
            person,
            f"{body.id[:58]}.queue",
            "queue",
            task_id=draft.task.id,
            trace_id=trace.id,
            program_id=program.id,
            text=body.text or f"program edited by {person.name}",
        )
        project.curation.decide([ask])
        return StoredEdit(trace.id, program.id)


def _outcome(runs: Runs, draft: ProgramDraft, old: Run) -> ReplayOutcome:
    """What came of a draft, beside the stored run that it is an edit of."""
    new, verdict = draft.run.trace, draft.run.verdict
    assert new is not None
    assert old.trace is not None
    calls = [event for event in new.events if event.kind == "tool_result"]
    failure = None
    if new.failure is not None:
        failure = f"{new.failure.kind.replace('_', ' ')}: {new.failure.message}"
    changes = difference(
        old.program.source,
        draft.run.program.source,
        old.trace.events,
        new.events,
        runs.steps(draft.task, old),
        runs.steps(draft.task, draft.run),
    )
    return ReplayOutcome(
        draft=draft.id,
        answer=new.answer,
        failure=failure,
        line=new.failure.line if new.failure is not None else None,
        right=verdict.correct if verdict is not None else None,
        judged=verdict.reason if verdict is not None else "",
        issues=draft.rationale.issues if draft.rationale is not None else (),
        calls=len(calls),
        cached=sum(bool(event.payload.get("cached")) for event in calls),
        seconds=new.seconds,
        was=old.trace.answer,
        changes=changes,
    )


def _running(
    site: Site, turns: Turns, person: str, task: Task, program: Program
) -> Iterator[int | Trace]:
    """How many events there are so far, as they come, and then the trace.

    Args:
        site: has the executor.
        turns: bounds how many of a person's replays run at once.
        person: who asks.
        task: the question.
        program: what is run.
    """
    turns.take(person)
    progress: queue.Queue[int | Trace | BaseException] = queue.Queue()

    def work() -> None:
        try:
            events = 0

            def count(_: str, event: TraceEvent) -> None:
                nonlocal events
                events += 1
                if event.kind in ("tool", "tool_result", "end"):
                    progress.put(events)

            progress.put(site.parts().executor.replay(task, program, {}, count))
        except BaseException as error:  # raised again where somebody waits for it
            progress.put(error)
        finally:
            turns.give_back(person)

    threading.Thread(target=work, daemon=True).start()
    while True:
        news = progress.get()
        if isinstance(news, BaseException):
            raise news
        yield news
        if isinstance(news, Trace):
            return


def difference(
    before: str,
    after: str,
    a: Sequence[TraceEvent],
    b: Sequence[TraceEvent],
    old: Sequence[Step],
    new: Sequence[Step],
) -> RunDifference:
    """What differs between two runs, step by step.

    Lines of the new program are matched with the old one's first, so that a line put in does not
    make all that follow different.

    Args:
        before: text of the old program.
        after: text of the new one.
        a: events of the old run.
        b: events of the new one.
        old: steps of the old run.
        new: steps of the new one.
    """
    lines = _same_lines(before, after)
    moved = [
        replace(event, line=lines.get(event.line, event.line + 1_000_000 if event.line else 0))
        for event in b
    ]
    place_old, place_new = places(old), places(new)
    rows: dict[tuple[int | None, int | None], None] = {}
    same = 0
    for kind, x, y in diff_traces(a, moved):
        pair = (place_old.get(x.seq) if x else None, place_new.get(y.seq) if y else None)
        if kind == "same":
            same += 1
        elif pair != (None, None):
            rows[pair] = None
    changes = [_changed_step(_brief(old, x), _brief(new, y)) for x, y in rows]
    return RunDifference(changes[:MOST], max(len(changes) - MOST, 0), same)


def _same_lines(before: str, after: str) -> Mapping[int, int]:
    """Each line of the new program that has a counterpart in the old one, with its line there:
    lines that are the same, or that took each other's place.
    """
    lines: dict[int, int] = {}
    a, b = before.splitlines(), after.splitlines()
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal" or (kind == "replace" and a1 - a0 == b1 - b0):
            lines.update({b0 + at + 1: a0 + at + 1 for at in range(b1 - b0)})
    return lines


def _changed_step(old: StepInBrief | None, new: StepInBrief | None) -> ChangedStep:
    if new is None:
        return ChangedStep("-", old, new)
    return ChangedStep("+" if old is None else "~", old, new)


def _brief(steps: Sequence[Step], at: int | None) -> StepInBrief | None:
    return None if at is None else (at, steps[at].line, steps[at].title, steps[at].short)
