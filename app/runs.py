"""Runs as the step page and its replays look them up: stored ones, and drafts that nobody has
stored yet.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from app.site import Site
from workbench.records import Program, Task
from workbench.screen.head import head_of
from workbench.screen.player import PlayerModel, Traces
from workbench.screen.steps import Step
from workbench.store import Run

KEPT = 40
"""Drafts kept, of all people together."""


@dataclass(frozen=True, slots=True)
class ProgramDraft:
    """A program that was edited and run, and not stored."""

    id: str
    task: Task
    parent: Program
    run: Run


class Drafts:
    """The drafts of this server."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, ProgramDraft] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, some_id: str) -> ProgramDraft | None:
        """The draft of this id; None where it is gone, or was never there."""
        return self._kept.get(some_id)

    def keep(self, draft: ProgramDraft) -> None:
        """Keep a draft, in place of the oldest where there are many."""
        with self._lock:
            self._kept[draft.id] = draft
            self._kept.move_to_end(draft.id)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


class Runs:
    """Runs by the id of a trace, a program or a draft, with their steps."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.traces = Traces()
        self.drafts = Drafts()

    def run(self, some_id: str) -> tuple[Task, Run]:
        """A run and its question.  Raises InputError where no run has this id."""
        draft = self.drafts.get(some_id)
        return (draft.task, draft.run) if draft is not None else self.site.project.run_view(some_id)

    def with_steps(self, some_id: str) -> tuple[Task, Run, list[Step]]:
        """A run with its question before it and its steps behind it."""
        task, run = self.run(some_id)
        return task, run, self.steps(task, run)

    def steps(self, task: Task, run: Run) -> list[Step]:
        """The steps of a run."""
        return self.traces.steps(run, self.site.picture_of(task.image).size)

    def head(self, some_id: str) -> PlayerModel:
        """What the step page opens a run with: everybody's wordings and marks count."""
        project = self.site.project
        task, run, steps = self.with_steps(some_id)
        trace_id = run.trace.id if run.trace is not None else ""
        rationales = project.task_view(task.id).rationales
        rationale = next((one for one in rationales if one.trace_id == trace_id), None)
        mark = project.curation.history([task.id]).first_wrong(task.id, trace_id)
        head = head_of(run, steps, self.site.picture_of(task.image), rationale, mark)
        return replace(head, trace=some_id, task=task.id, text=run.program.source)
