"""`vpd show`: prints a list of questions, one question, or one run."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from workbench.cli.credit import credit_lines
from workbench.cli.steps import ending, run_lines
from workbench.cli.text import console, open_project, open_to_look, safe
from workbench.pipeline.crediting import credited
from workbench.records import Task, Verdict
from workbench.screen.views import rationale_of
from workbench.store import Project, TaskView
from workbench.store.people import corrections
from workbench.store.reading import checks
from workbench.store.reading.views import resolve


def main(what: str, project: Path | None, status: str | None, text: str, limit: int) -> None:
    """Print a question, a run, or a list of questions.

    Args:
        what: id of a question, program or trace; empty lists questions.
        project: folder of the project; None takes the one around the current folder.
        status: list only questions of this status.
        text: list only questions that contain this text.
        limit: number of questions to list.
    """
    out = console()
    # a list brings up to date what it reads
    with open_project(project, read_only=True) if what else open_to_look(project) as opened:
        if not what:
            _list(out, opened, status, text, limit)
            return
        kind, key = resolve(opened.database, what)
        if kind == "task":
            view = opened.task_view(key)
            _task(out, view)
            _corrections(out, opened, view.task)
            if view.chosen is not None and view.chosen.trace is not None:
                for row in checks.check_rows(opened.database, [view.chosen.trace.id]).values():
                    out.print(f"the checks: suspicion {row.suspicion:.2f}")
                    for _, _, text in row.findings:
                        out.print(f"  {safe(text, 200)}")
            return
        task, run = opened.run_view(key)
        _question(out, task)
        out.print(
            f"program {run.program.index + 1}: {run.program.id}, "
            f"trace {run.trace.id if run.trace else '-'}"
        )
        for line in run_lines(run):
            out.print(line)
        for one in credited(opened, [run.trace.id] if run.trace is not None else []):
            for line in credit_lines(one):
                out.print(line)


def _list(out: Console, project: Project, status: str | None, text: str, limit: int) -> None:
    query = f"status:{status} {text}" if status else text
    page, total = project.browse(query, limit=max(limit, 1)), project.browse_total(query)
    for task, outcome in page.rows:
        out.print(
            f"{safe(task.id, 60):<28} {outcome.status:<8} {outcome.correct}/{outcome.programs}  "
            f"{safe(task.question, 90)}  [{safe(', '.join(task.answers) or 'no label', 60)}]"
        )
    more = total - len(page.rows)
    out.print(f"{total} tasks" + (f", {more} not shown; give --limit" if more else ""))


def _question(out: Console, task: Task) -> None:
    kind = f"{safe(task.family) or 'no family'}, {safe(task.split)}"
    pictures = f"{'picture' if len(task.images) == 1 else 'pictures'} " + ", ".join(
        f"{safe(digest[:12])}…" for digest in task.images
    )
    out.print(f"task {safe(task.id)} ({kind}), {pictures}")
    out.print(f"question: {safe(task.question)}")
    if task.choices:
        out.print(f"options: {safe(', '.join(task.choices))}")
    out.print(f"label: {safe(', '.join(task.answers)) if task.labelled else 'none'}")


def _mark(verdict: Verdict | None) -> str:
    """The verdict on a run, in a word."""
    if verdict is None:
        return "-"
    if verdict.chosen:
        return "kept"
    return "right" if verdict.correct else "wrong"


def _corrections(out: Console, project: Project, task: Task) -> None:
    for event in corrections.of_task(project.database, task.id):
        before = ", ".join(event.earlier) or "no answer"
        out.print(
            f"label corrected: {safe(before)} became {safe(', '.join(event.answers))}, by "
            f"{safe(event.author)} on {event.created_at:%Y-%m-%d}: {safe(event.reason)}"
        )


def _task(out: Console, view: TaskView) -> None:
    _question(out, view.task)
    for run in view.runs:
        end = ending(run.trace) if run.trace is not None else "not run yet"
        out.print(f"  {run.program.index + 1}. {run.program.id} [{_mark(run.verdict)}] {end}")
    if view.chosen is not None:
        out.print("kept program:")
        for line in run_lines(view.chosen):
            out.print(line)
    rationale = rationale_of(view, view.chosen)
    if rationale is not None:
        out.print(f"rationale: {safe(rationale.text)}")
        for issue in rationale.issues:
            out.print(f"  not supported by the trace: {safe(issue)}")
    if view.prediction is not None:
        out.print(
            f"the student says: {safe(view.prediction.answer)} ({view.prediction.seconds:.2f} s)"
            + (f"; {safe(view.prediction.problem)}" if view.prediction.problem else "")
        )
