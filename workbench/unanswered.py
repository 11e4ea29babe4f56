"""Rows for what could not be done: why there is no program, or no answer, to a question.

A question that an endpoint refuses, a reply without a program and a picture that no model takes are
data: the row holds the reason, others go on, and the next run goes past it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from workbench.errors import InputError, RefusedRequest, WorkbenchError
from workbench.records import PartRef, Prediction, Program, Task, Trace, content_key

T = TypeVar("T")
R = TypeVar("R")

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


def with_reason(trace: Trace, problem: str | None) -> Trace:
    """The trace of a program that did not come says why, and not that it is no program.

    Args:
        trace: Its run.
        problem: Why there is no program; None or empty where there is one.
    """
    if not problem or trace.failure is None or trace.failure.kind == "infra":
        return trace
    return replace(trace, failure=replace(trace.failure, message=problem, line=None))


def refusal(error: Exception) -> str:
    """Why a model did not take a picture or a text, in words."""
    return str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"


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
        return list(fail(tasks[0], refusal(error)))


def answers_or_refusals(
    ask: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T], served: bool
) -> list[R | RefusedRequest]:
    """What a language model answers to each item, or its refusal of that item alone.

    Args:
        ask: Asks the model about some items at once.
        items: What it is asked about.
        served: Whether the model has answered anything before.

    Raises:
        RefusedRequest: all are refused, nothing was answered before, and a reason may be a setting
            that all requests share.
        EngineError: the model broke.
    """
    try:
        return list(ask(items))
    except RefusedRequest:
        results = [result for item in items for result in _answer_or_refusal(ask, item)]
    unclear = [one for one in results if isinstance(one, RefusedRequest) and not one.certain]
    if unclear and not served and all(isinstance(one, RefusedRequest) for one in results):
        raise unclear[0]
    return results


def _answer_or_refusal(
    ask: Callable[[Sequence[T]], Sequence[R]], item: T
) -> Sequence[R | RefusedRequest]:
    try:
        return list(ask([item]))
    except RefusedRequest as error:
        return [error]
