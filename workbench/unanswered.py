"""Rows for what could not be done: why there is no program, or no answer, to a question.

A question that an endpoint refuses, a reply without a program and a picture that no model takes are
data: the row holds the reason, others go on, and the next run goes past it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.errors import InputError
from workbench.records import PartRef, Prediction, Program, Task, content_key

LONGEST = 600
"""Most characters of a reason."""
REFUSED = (InputError, ValueError, TypeError, ArithmeticError, LookupError)
"""What models and their processors raise about a picture or a text that they do not take; a lack of
memory and a broken device are other errors, which end the work."""


def reason_line(reason: object) -> str:
    """A reason on one line, of bounded length."""
    text = " ".join(str(reason).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def no_program(
    task: Task, index: int, seed: int, sampler: PartRef, reason: object, thinking: str = ""
) -> Program:
    """The row of a program that did not come.

    Args:
        task: The question.
        index: Number of the sample.
        seed: Of the sample.
        sampler: The part that should have written it.
        reason: Why there is none, for people.
        thinking: What the model thought aloud instead.
    """
    line = reason_line(reason)
    source = f"# no program: {line}\n"
    key = content_key("program", task.id, task.question, index, seed, source, sampler)
    return Program(
        key, task.id, index, source, 0.0, 0, seed, sampler, problem=line, thinking=thinking
    )


def no_answer(task: Task, model: PartRef, reason: object, explain: bool = False) -> Prediction:
    """The row of an answer that a student could not give; it counts as a wrong one.

    Args:
        task: The question.
        model: The student.
        reason: Why there is none, for people.
        explain: Whether a rationale was asked for.
    """
    key = content_key(task, model, explain)
    return Prediction(key, task.id, "", "", 0.0, 0.0, model, reason_line(reason))


def answer_each(
    tasks: Sequence[Task],
    give: Callable[[Sequence[Task]], Sequence[Prediction]],
    fail: Callable[[Task, str], Sequence[Prediction]],
) -> list[Prediction]:
    """The predictions for questions; one that cannot be answered costs itself and not its batch.

    Args:
        tasks: The questions.
        give: Answers some of them at once.
        fail: What stands for the answer to a question, by the reason why there is none.
    """
    try:
        return list(give(tasks))
    except REFUSED as error:
        if len(tasks) > 1:
            half = len(tasks) // 2
            parts = (tasks[:half], tasks[half:])
            return [one for part in parts for one in answer_each(part, give, fail)]
        is_ours = isinstance(error, InputError)
        return list(fail(tasks[0], str(error) if is_ours else f"{type(error).__name__}: {error}"))
