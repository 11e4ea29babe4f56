"""The prompt: tool API, guidelines, examples and question, in the paper's order (Hu et al. 2024, section 3.1).

A question is hostile text.  It stands on one line, is bounded, holds no control characters, and samplers
tokenise it without special tokens: whatever it says, it remains one comment line of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.records import Task

HEADER = "def execute_command(image):"
"""First line of every program."""
LONGEST_QUESTION = 400
"""Most characters of a question."""
LONGEST_OPTION = 80
"""Most characters of one option."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in two parts, so that what all questions share is computed once."""

    shared: str
    """API, guidelines; the same for every question."""
    own: str
    """Examples retrieved for the question, the question, the program's first line."""


def one_line(text: str, longest: int = LONGEST_QUESTION) -> str:
    """Hostile text as at most `longest` printable characters on one line."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split())
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def question_line(question: str, choices: Sequence[str] = ()) -> str:
    """The question on one line, options of a multiple-choice question behind it."""
    line = one_line(question)
    if choices:
        line += f" Options: {', '.join(one_line(choice, LONGEST_OPTION) for choice in choices[:26])}."
    return line


def compact_own(question: str, choices: Sequence[str] = ()) -> str:
    """What the compact prompt says per question; the program's body follows."""
    return f"\n# {question_line(question, choices)}\n{HEADER}"


def compact(api_text: str, task: Task) -> Prompt:
    """The prompt of the embedded program writer: API in short lines, then the question as a comment."""
    return Prompt(api_text, compact_own(task.question, task.choices))
