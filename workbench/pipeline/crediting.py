"""The credit of the tool calls of a project's runs, by people and by the checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.evaluate.wrong_reasons.credit import CallCredit, call_credits, mean_credit
from workbench.pipeline.grouping import batches
from workbench.records import Program, Task, Trace
from workbench.store import Project
from workbench.store.reading import checks
from workbench.store.reading.preferences import run_words

CHUNK = 64
"""Traces that are read together."""


@dataclass(frozen=True, slots=True)
class CreditedRun:
    """A run with the credit of its calls."""

    task: Task
    program: Program
    trace: Trace
    right: bool | None
    """Whether it counts as right: by people where they spoke, else by the verifier."""
    first_wrong: int | None
    """`seq` of the event that a person marked as the first wrong one."""
    author: str
    """Who marked it; empty where nobody has."""
    calls: tuple[CallCredit, ...]

    @property
    def credit(self) -> float | None:
        """Mean credit of its calls; None where nothing is known of any."""
        return mean_credit(self.calls)


def credited(project: Project, trace_ids: Sequence[str]) -> Iterator[CreditedRun]:
    """Runs with the credit of their calls, in order of import and index.

    Args:
        project: any project.
        trace_ids: of the runs; unknown ones are left out.
    """
    for chunk in batches(trace_ids, CHUNK):
        rows = project.traced(chunk)
        uses = checks.check_rows(project.database, chunk)
        words = run_words(project.database, project.scope(), chunk)
        history = project.curation.history(list({task.id for task, _, _ in rows}))
        for task, program, trace in rows:
            mark = history.first_wrong(task.id, trace.id)
            check, word = uses.get(trace.id), words.get(trace.id)
            right = None if word is None else word.right
            step = None if mark is None else mark.step
            calls = call_credits(
                trace.events,
                dict(check.calls or ()) if check is not None else {},
                right=bool(right),
                first_wrong=step,
            )
            author = "" if mark is None else mark.author
            yield CreditedRun(task, program, trace, right, step, author, tuple(calls))


def poor_tasks(project: Project, least: float | None, trace_ids: Sequence[str]) -> set[str]:
    """Tasks whose run has too little credit, as far as it is known.

    Args:
        project: any project.
        least: credit that the calls of a run have on average; None asks for nothing.
        trace_ids: of the runs.
    """
    if least is None:
        return set()
    runs = credited(project, trace_ids)
    return {run.task.id for run in runs if run.credit is not None and run.credit < least}
