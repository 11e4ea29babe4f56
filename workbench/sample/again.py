"""Writing a program again after it failed, or ended with an empty answer.

The writer sees its question, the earlier program, the last steps of its trace, the line that failed
and the error.  It never sees the label: what is written again stays a guess, as the first was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.event_lines import step_lines
from workbench.records import Program, Task, Trace, content_key
from workbench.safe_text import safe
from workbench.sample.seeds import VERSION

Attempt = tuple[Task, Program, Trace]
"""A question, a program that did not answer it, and its trace."""

EMPTY = ("", "none", "nan", "null", "[]", "()", "{}", "set()")
"""Answers, in small letters, with which a program says that it has none."""
STEPS = 12
"""Most steps of the trace that the writer is told; the last ones, next to where it ended."""
LONGEST_LINE = 240
"""Most characters of one step."""
LONGEST_PROGRAM = 6000
"""Most characters of the earlier program that the writer is shown."""


def is_empty(answer: str | None, choices: Sequence[str] = ()) -> bool:
    """Whether an answer says nothing; one that is an option of its question says something.

    Args:
        answer: of a program that ended with one; None where it failed.
        choices: the question's options.
    """
    if answer is None:
        return False
    plain = answer.strip().lower()
    return plain in EMPTY and plain not in [choice.strip().lower() for choice in choices]


def account(program: Program, trace: Trace) -> str:
    """What happened when a program ran, as comment lines of Python."""
    steps = list(step_lines(trace.events, timed=False))
    lines = ["When this program ran:"]
    if len(steps) > STEPS:
        lines.append(f"({len(steps) - STEPS} earlier steps are left out)")
    lines += steps[-STEPS:]
    failure = trace.failure
    if failure is None:
        lines.append(f"It ended with an empty answer: {trace.answer!r}")
    else:
        where = f" in line {failure.line}" if failure.line else ""
        lines.append(f"It failed{where}, {failure.kind}: {failure.message}")
        if failure.line:
            lines += _line(program.source, failure.line)
    return "".join(f"# {safe(line, LONGEST_LINE)}\n" for line in lines)


def _line(source: str, number: int) -> list[str]:
    """The line that failed, where the program has it."""
    lines = source.split("\n")
    return [f"Line {number} is: {lines[number - 1].strip()}"] if number <= len(lines) else []


def shown_program(program: Program) -> str:
    """The earlier program as a prompt shows it, with a line break behind it."""
    text = "".join(c if c in "\n\t" else safe(c) for c in program.source[:LONGEST_PROGRAM])
    cut = "# (the rest of the program is left out)\n" * (len(program.source) > LONGEST_PROGRAM)
    return f"{text.rstrip()}\n{cut}"


def child_of(parent: Program, program: Program) -> Program:
    """A program as the one that was written after its parent: with the parent's place among the
    samples, and an id of its own even where both are the same text.

    Args:
        parent: the earlier program.
        program: what a sampler wrote.
    """
    key = content_key("again", VERSION, parent.id, program.source, program.sampler)
    return replace(program, id=key, index=parent.index, parent=parent.id)


def as_question(attempt: Attempt) -> Task:
    """A question that tells of the attempt, for samplers that only take questions."""
    task, program, trace = attempt
    words = " ".join(account(program, trace).replace("# ", " ").split())
    source = " ".join(shown_program(program).replace("\n", " ; ").split())
    return replace(
        task,
        question=f"{task.question} (An earlier program did not answer this. It was: {source} "
        f"{words} Write it again so that it answers.)",
    )
