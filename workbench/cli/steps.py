"""A program and its trace as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.cli.text import safe, seconds
from workbench.event_lines import step_lines
from workbench.records import Trace
from workbench.store import Run


def program_lines(source: str, failed: int | None = None) -> list[str]:
    """Lines of a source with their numbers; the line that failed is marked with `>`."""
    lines = source.rstrip("\n").split("\n")
    wide = len(str(len(lines)))
    marks = {failed: ">"}
    return [
        f"{marks.get(at, ' ')} {at:>{wide}}  {safe(line, 200, lines=True)}"
        for at, line in enumerate(lines, 1)
    ]


def ending(trace: Trace) -> str:
    """The answer or the failure of a run, in one line."""
    if trace.failure is not None:
        where = f" in line {trace.failure.line}" if trace.failure.line else ""
        return f"failed{where}, {trace.failure.kind}: {safe(trace.failure.message, 300)}"
    return f"answer: {safe(trace.answer, 300)}"


def _times(trace: Trace) -> str:
    """How long a run worked, and how long it waited for its turn where that is worth a word."""
    work = trace.seconds if trace.work is None else trace.work
    waiting = trace.seconds - work
    return seconds(work) + (f" of work, {seconds(waiting)} of waiting" if waiting >= 0.05 else "")


def run_lines(run: Run) -> Iterator[str]:
    """Lines of a program, of its steps, and of their result."""
    failed = (
        run.trace.failure.line if run.trace is not None and run.trace.failure is not None else None
    )
    yield from program_lines(run.program.source, failed)
    if run.trace is None:
        yield "not run yet"
        return
    for line in step_lines(run.trace.events):
        yield f"    {line}"
    yield f"{ending(run.trace)}  ({_times(run.trace)}, {run.trace.tool_calls} tool calls)"
    if run.verdict is not None:
        yield verdict_line(run)


def verdict_line(run: Run) -> str:
    """The verdict on a run, in words."""
    assert run.verdict is not None
    word = (
        {True: "right", False: "wrong"}
        if run.verdict.method == "gold"
        else {True: "agrees", False: "differs"}
    )
    kept = ", kept" if run.verdict.chosen else ""
    return f"{word[run.verdict.correct]}{kept}: {safe(run.verdict.reason, 400)}"
