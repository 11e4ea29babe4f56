"""The two prompts with which students are trained and questioned.

Source: Hu et al. 2024 (VPD), section 3.3.  One suffix asks for the short answer, the other for the
rationale.
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


def question_text(example: HasQuestion) -> str:
    """The question, and the options of a multiple-choice question behind it."""
    if not example.choices:
        return example.question
    return f"{example.question} Options: {', '.join(example.choices)}."
