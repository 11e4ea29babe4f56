"""Edit and replay: a changed program in the same sandbox, compared with the stored run, and sent to
the queue.

Calls whose tool, arguments and picture are unchanged are answered from the cache; the others are
asked.  What was run this way is a draft in memory: nothing is stored before somebody sends it to
the queue, and then as a new program that names its parent.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

import gradio as gr

from app.people import Curator
from app.runs import ProgramDraft, Runs
from app.site import Site
from workbench.errors import InputError
from workbench.events import diff_traces
from workbench.records import Program, Task, Trace, TraceEvent, Verdict, content_key
from workbench.screen.review import person_event
from workbench.screen.steps import Step, places
from workbench.store import Run
from workbench.verify.answers import score

LONGEST = 20_000
"""Characters of a program."""

MOST = 200
"""Rows of a difference that are shown."""


@dataclass(frozen=True)
class EditRequest:
    id: str
    draft: str
    text: str = ""


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
    def replay(trace: str, source: str, request: gr.Request) -> Iterator[dict[str, Any]]:
        """Run a changed program and compare it with the stored run.

        Args:
            trace: the run that it is an edit of.
            source: the program's new text.
        """
        if len(source) > LONGEST:
            raise InputError(
                f"the program has {len(source):,} characters; at most {LONGEST:,} are run"
            )
        task, old = project.run_view(trace)
        if old.trace is None:
            raise InputError(f"{trace} has not been run; there is nothing to compare with")
        yield {"state": "loading"}
        program = replace(
            old.program,
            id=content_key("draft", old.program.id, source),
            source=source,
            parent=old.program.id,
        )
        new = None
        for found in _running(site, task, program):
            if isinstance(found, Trace):
                new = found
            else:
                yield {"state": "running", "events": found}
        assert new is not None
        draft = ProgramDraft(
            f"draft-{program.id}", task, old.program, Run(program, new, _judged(task, program, new))
        )
        runs.drafts.keep(draft)
        calls = [event for event in new.events if event.kind == "tool_result"]
        yield {
            "state": "done",
            "draft": draft.id,
            "answer": new.answer,
            "failure": f"{new.failure.kind.replace('_', ' ')}: {new.failure.message}"
            if new.failure
            else None,
            "line": new.failure.line if new.failure else None,
            "right": draft.run.verdict.correct if draft.run.verdict else None,
            "calls": len(calls),
            "cached": sum(bool(event.payload.get("cached")) for event in calls),
            "seconds": new.seconds,
            "was": old.trace.answer,
            "changes": difference(
                old.program.source,
                source,
                old.trace.events,
                new.events,
                runs.steps(task, old),
                runs.steps(task, draft.run),
            ),
        }

    @site.server.post("/do/step/edit")
    def send(body: EditRequest, person: Curator) -> dict[str, Any]:
        """Store a draft as a program that names its parent, with its trace, and ask for it in the
        queue.
        """
        draft = runs.drafts.get(body.draft)
        if draft is None:
            raise InputError(
                "this draft is gone (the server was started again, or many came after it); run it again"
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
        trace = next(
            iter(site.parts().executor.run([(draft.task, program)]))
        )  # its calls are in the cache
        project.add_traces([trace])
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
        return {"trace": trace.id, "program": program.id}


def _running(site: Site, task: Task, program: Program) -> Iterator[int | Trace]:
    """How many events there are so far, as they come, and then the trace."""
    heard: queue.Queue[int | Trace | BaseException] = queue.Queue()

    def work() -> None:
        try:
            events = 0

            def seen(_: str, event: TraceEvent) -> None:
                nonlocal events
                events += 1
                if event.kind in ("tool", "tool_result", "end"):
                    heard.put(events)

            heard.put(site.parts().executor.replay(task, program, {}, seen))
        except BaseException as error:  # raised again where somebody waits for it
            heard.put(error)

    threading.Thread(target=work, daemon=True).start()
    while True:
        found = heard.get()
        if isinstance(found, BaseException):
            raise found
        yield found
        if isinstance(found, Trace):
            return


def _judged(task: Task, program: Program, trace: Trace) -> Verdict | None:
    """Whether the answer is the expected one; nothing where there is no label or no answer."""
    if not task.labelled or trace.answer is None:
        return None
    fit = score(task, trace.answer)
    ref = replace(trace.executor, role="verifier", name="answers", arguments={})
    return Verdict(
        "", trace.id, program.id, task.id, fit.score, fit.score >= 0.5, False, "gold", "", ref
    )


def difference(
    before: str,
    after: str,
    a: Sequence[TraceEvent],
    b: Sequence[TraceEvent],
    old: Sequence[Step],
    new: Sequence[Step],
) -> dict[str, Any]:
    """What differs between two runs, step by step: {rows, same, more}.

    Lines of the new program are matched with the old one's first, so that a line put in does not
    make all that follow different.  A row is {sign: "-" | "+" | "~", old, new}, each side [step,
    line, title, short] or None.
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
    shown = [
        {
            "sign": "-" if y is None else "+" if x is None else "~",
            "old": _brief(old, x),
            "new": _brief(new, y),
        }
        for x, y in rows
    ]
    return {"rows": shown[:MOST], "more": max(len(shown) - MOST, 0), "same": same}


def _same_lines(before: str, after: str) -> Mapping[int, int]:
    """Line of the new program -> line of the old one, where they are the same or took each other's
    place.
    """
    found: dict[int, int] = {}
    a, b = before.splitlines(), after.splitlines()
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal" or (kind == "replace" and a1 - a0 == b1 - b0):
            found.update({b0 + at + 1: a0 + at + 1 for at in range(b1 - b0)})
    return found


def _brief(steps: Sequence[Step], at: int | None) -> list[Any] | None:
    return None if at is None else [at, steps[at].line, steps[at].title, steps[at].short]
