"""Runs as the step page and its replays look them up: stored ones, and drafts that nobody has
stored yet.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace

from app.site import Site
from workbench.errors import InputError
from workbench.records import Program, Rationale, Task
from workbench.screen.head import head_of
from workbench.screen.player import PlayerModel, Traces
from workbench.screen.steps import Step
from workbench.screen.views import pictures_of
from workbench.store import Run

KEPT = 400
"""Drafts kept, of all people together."""

KEPT_EACH = 20
"""Drafts kept of one person: nobody's drafts give way to another's while few people work."""

REPLAYS_EACH = 2
"""Replays of one person that may run at once; one whose page was closed runs to its end."""


@dataclass(frozen=True, slots=True)
class ProgramDraft:
    """A program that was edited and run, and not stored."""

    id: str
    task: Task
    parent: Program
    run: Run
    rationale: Rationale | None = None
    """The run in prose."""


class Drafts:
    """The drafts of this server."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, ProgramDraft]] = OrderedDict()
        """Who made it, and the draft, by its id."""
        self._lock = threading.Lock()

    def get(self, some_id: str) -> ProgramDraft | None:
        """The draft of this id; None where it is gone, or was never there."""
        return self._kept.get(some_id, ("", None))[1]

    def keep(self, draft: ProgramDraft, person: str = "") -> None:
        """Keep a draft, in place of the person's oldest where there are many."""
        with self._lock:
            self._kept[draft.id] = (person, draft)
            self._kept.move_to_end(draft.id)
            mine = [key for key, (name, _) in self._kept.items() if name == person]
            for key in mine[:-KEPT_EACH]:
                del self._kept[key]
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


class Turns:
    """How many replays of each person run now."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, person: str) -> None:
        """Begin a replay.

        Raises:
            InputError: as many of this person's run as may.
        """
        with self._lock:
            if self._running[person] >= REPLAYS_EACH:
                raise InputError(
                    f"{REPLAYS_EACH} replays of yours are running; wait until one has ended"
                )
            self._running[person] += 1

    def give_back(self, person: str) -> None:
        """End a replay that was begun."""
        with self._lock:
            self._running[person] -= 1
            if self._running[person] <= 0:
                del self._running[person]


class Runs:
    """Runs by the id of a trace, a program or a draft, with their steps."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.traces = Traces()
        self.drafts = Drafts()
        self.turns = Turns()

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
        return self.traces.steps(run, pictures_of(task, self.site.picture_of))

    def head(self, some_id: str) -> PlayerModel:
        """What the step page opens a run with: everybody's wordings and marks count."""
        project = self.site.project
        task, run, steps = self.with_steps(some_id)
        trace_id = run.trace.id if run.trace is not None else ""
        rationales = project.task_view(task.id).rationales
        rationale = next((one for one in rationales if one.trace_id == trace_id), None)
        draft = self.drafts.get(some_id)
        if draft is not None:
            rationale = draft.rationale
        mark = project.curation.history([task.id]).first_wrong(task.id, trace_id)
        picture = pictures_of(task, self.site.picture_of)
        head = head_of(run, steps, picture, rationale, mark)
        return replace(head, trace=some_id, task=task.id, text=run.program.source)
