"""ProgramTable: the programs of one question, and the run of the one that is chosen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from workbench.errors import InputError
from workbench.records import Task
from workbench.screen import views
from workbench.store import Project, Run
from workbench.widgets import pictures, plain
from workbench.widgets.base import script
from workbench.widgets.current import current
from workbench.widgets.playing import Playing, head_of_run, model
from workbench.widgets.trace import TracePlayer


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """One program of the table, with what came of it."""

    number: int
    answer: str | None
    state: str
    problem: str
    """Why it has no answer; empty where it has one."""
    score: float
    steps: int | None
    calls: int | None
    """Tool calls."""
    time: str
    kept: bool
    facts: str


class ProgramTable(Playing):
    """All programs of a question with what came of each; the chosen one can be stepped through
    below.

    Traits: `selected` (row, both ways), `step` and `wrong` of its run.

    Args:
        question: a question of the project, or its id.
        project: where to look; the notebook's own when left out.

    Raises:
        InputError: the project has no such question, or there is no project to look in.
    """

    _esm = script("playing.js", "table.js")
    rows: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    question = traitlets.Dict().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    """Row of the chosen program, from 0; -1 while the question has none."""

    def __init__(self, question: Task | str, project: Project | None = None) -> None:
        self._project = current(project)
        self._view = self._project.task_view(question if isinstance(question, str) else question.id)
        task, self.runs = self._view.task, self._view.runs
        self._picture, self._about = pictures.of_task(self._project.images, task)
        super().__init__(
            rows=[asdict(_row(run, self._view.chosen)) for run in self.runs],
            question={
                "text": task.question,
                "gold": views.gold_of(task),
                "choices": list(task.choices),
            },
        )
        if self.runs:
            self.selected = next((at for at, row in enumerate(self.rows) if row["kept"]), 0)

    @property
    def chosen(self) -> Run:
        """The chosen program with its trace and verdict.  Raises InputError when the question has
        none.
        """
        if not self.runs:
            raise InputError(
                f"question '{self._view.task.id}' has no programs yet; vpd run samples some"
            )
        return self.runs[self.selected]

    def player(self) -> TracePlayer:
        """A player of its own for the chosen program."""
        return TracePlayer(self.chosen.program.id, project=self._project)

    @traitlets.validate("selected")
    def _inside_rows(self, proposal: Any) -> int:
        return min(max(int(proposal.value), 0), len(self.runs) - 1)

    @traitlets.observe("selected")
    def _show(self, _: object) -> None:
        run = self.chosen
        trace = run.trace.id if run.trace is not None else ""
        rationale = next((one for one in self._view.rationales if one.trace_id == trace), None)
        head = head_of_run(self._view.task, run)
        self.play(*model(run, self._about, rationale), self._picture, head)

    def plain(self) -> str:
        rows = [
            [
                str(row["number"]),
                plain.text(row["answer"] or row["problem"]),
                row["state"],
                plain.text(row["facts"]),
            ]
            for row in self.rows
        ]
        image = pictures.inline_all(self._project, self._view.task)
        table = plain.table(rows, ("program", "answer", "verdict", "facts"))
        source = plain.code(self.chosen.program.source) if self.runs else ""
        return plain.task(self._view.task, image) + table + source


def _row(run: Run, kept: Run | None) -> ProgramRow:
    trace = run.trace
    return ProgramRow(
        number=run.program.index + 1,
        answer=trace.answer if trace is not None else None,
        state=views.run_state(run),
        problem=views.problem_of(run),
        score=round(run.program.score, 3),
        steps=trace.steps if trace is not None else None,
        calls=trace.tool_calls if trace is not None else None,
        time=views.duration(trace.seconds) if trace is not None else "",
        kept=kept is not None and kept.program.id == run.program.id,
        facts=views.facts_of(run),
    )
