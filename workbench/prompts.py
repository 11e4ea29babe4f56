"""The two prompts of visual program distillation, as students are asked and trained (Hu et al.
2024, section 3.3).

The task's instruction asks for the short answer, a suffix asks for the rationale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

LABEL_SUFFIX = " Answer briefly."
RATIONALE_SUFFIX = " Explain the rationale to answer the question."


class HasQuestion(Protocol):
    """Anything with a question and its options: a task, or an example of a snapshot."""

    @property
    def question(self) -> str: ...

    @property
    def choices(self) -> Sequence[str]: ...


def question_text(asked: HasQuestion) -> str:
    """The question, and the options of a multiple-choice question behind it."""
    if not asked.choices:
        return asked.question
    return f"{asked.question} Options: {', '.join(asked.choices)}."
