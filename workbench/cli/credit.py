"""`vpd steps`: writes what each tool call of the runs is worth, as JSON lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError
from workbench.event_lines import call_lines
from workbench.pipeline.crediting import CreditedRun, credited
from workbench.records import storable_json
from workbench.screen.credit import credit_words
from workbench.store import Project
from workbench.store.reading.checks import checked_traces
from workbench.store.reading.preferences import marked_traces


def main(path: Path, project: Path | None, text: str, people: bool) -> None:
    """Write the credit of every call of the runs that somebody or some check speaks of.

    Args:
        path: the file, which must not exist.
        project: folder of the project; None takes the one around the current folder.
        text: take only the questions that this query finds.
        people: take only runs in which a person marked the first wrong step.

    Raises:
        InputError: the file is there already or cannot be written, or there is nothing to write.
    """
    if path.exists():
        raise InputError(f"{path} is there already; name a new file")
    with open_project(project, read_only=True) as opened:
        runs = [run for run in credited(opened, _traces(opened, text, people)) if _has_credit(run)]
    if not runs:
        raise InputError(
            "nothing is known of any step yet; check the kept runs (vpd check), or mark first "
            "wrong steps in Curate or Step (the key b)"
        )
    lines = [json.dumps(storable_json(_row(run))) for run in runs]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"nothing can be written to {path} ({error.strerror}); name another file"
        ) from error
    says = Counter(one.by for run in runs for one in run.calls if one.credit is not None)
    calls = sum(len(run.calls) for run in runs)
    console().print(
        f"{len(runs)} runs in {safe(path)}: {calls} calls, {says['check']} with the checks' "
        f"credit, {says['person']} with a person's, {calls - says.total()} of which nothing is "
        "known"
    )


def _traces(project: Project, text: str, people: bool) -> list[str]:
    """The runs that are looked at, in order of import."""
    traces = marked_traces(project.database)
    if not people:
        traces = list(dict.fromkeys([*traces, *checked_traces(project.database)]))
    if not text.strip():
        return traces
    tasks = set(project.browse_ids(text))
    return [trace.id for task, _, trace in project.traced(traces) if task.id in tasks]


def _has_credit(run: CreditedRun) -> bool:
    return any(one.credit is not None for one in run.calls)


def _row(run: CreditedRun) -> dict[str, Any]:
    """One line: the run in the shape of TRL's stepwise supervision, and all that is known."""
    words = call_lines(run.trace.events)
    steps = list(_steps(run, words))
    return {
        "prompt": run.task.question,
        "completions": [one["text"] for one in steps if one["credit"] is not None],
        "labels": [one["credit"] > 0 for one in steps if one["credit"] is not None],
        "credits": [one["credit"] for one in steps if one["credit"] is not None],
        "task": run.task.id,
        "split": run.task.split,
        "image": run.task.image,
        "program": run.program.source,
        "program_id": run.program.id,
        "trace": run.trace.id,
        "answer": run.trace.answer,
        "right": run.right,
        "first_wrong": run.first_wrong,
        "marked_by": run.author,
        "credit": run.credit,
        "steps": steps,
    }


def _steps(run: CreditedRun, words: dict[int, str]) -> Iterator[dict[str, Any]]:
    for one in run.calls:
        yield {
            "text": words.get(one.call, one.tool),
            "tool": one.tool,
            "line": one.line,
            "event": one.seq,
            "used": one.used,
            "credit": one.credit,
            "by": one.by,
        }


def credit_lines(run: CreditedRun) -> Iterator[str]:
    """What each call of a run is worth, for a terminal; nothing where nothing is known."""
    if not _has_credit(run):
        return
    yield "credit of the calls:"
    for one in run.calls:
        words = safe(credit_words(one, run.author), 200)
        yield f"  line {one.line}: {safe(one.tool, 60)}  {words}"
