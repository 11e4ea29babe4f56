"""TallyQA: accuracy of whole numbers and RMSE, for simple and complex questions apart.

Source: Acharya, Kafle and Kanan 2019 (arXiv 1810.12440), section 5: accuracy and root mean squared
error per split of the test set.  There is no official script.  Digits and number words both count
("2", "two", "two dogs"); an answer without exactly one whole number is wrong and cannot enter the
RMSE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from math import sqrt

from workbench.errors import InputError
from workbench.evaluate.benchmarks.scores import (
    Metric,
    Scores,
    SystemAnswer,
    answer_text,
    count_unanswered,
    mean,
    means_by_group,
    unlabelled_reason,
)
from workbench.records import Task
from workbench.verify.answers import integer

CITED = "Acharya, Kafle and Kanan 2019, arXiv 1810.12440"
UNANSWERED = "it counts as wrong; there is no official script"
FAMILIES = ("simple", "complex", "unknown")
"""Families of questions; `unknown` are entries of the training set that do not say."""


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """Accuracy over all (the main metric) and per family, with RMSE for each.

    Raises:
        InputError: a gold answer is not a whole number.
    """
    counting = [task for task in tasks if task.labelled]
    per_task: dict[str, float] = {}
    errors: dict[str, list[int]] = {}
    for task in counting:
        gold = integer(task.answers[0])
        if gold is None:
            raise InputError(
                f"task '{task.id:.80}' has the answer '{task.answers[0]:.40}'; "
                "TallyQA's are whole numbers"
            )
        text = answer_text(task, answers)
        number = None if text is None else integer(text)
        per_task[task.id] = float(number == gold)
        if number is not None:
            errors.setdefault(task.family, []).append(number - gold)
    of_family = {name: sum(task.family == name for task in counting) for name in FAMILIES}
    metrics = {
        "accuracy": mean(per_task.values()),
        **means_by_group(per_task, {task.id: task.family for task in counting}),
        "rmse": _rmse(list(chain.from_iterable(errors.values())), len(counting)),
        **{f"{name}/rmse": _rmse(errors.get(name, []), n) for name, n in of_family.items() if n},
    }
    return Scores(
        "accuracy", per_task, metrics, unlabelled_reason(tasks), count_unanswered(per_task, answers)
    )


def _rmse(errors: Sequence[int], of: int) -> Metric:
    note = (
        f"{of - len(errors)} of {of} answers are no number and not in it"
        if len(errors) < of
        else ""
    )
    value = sqrt(sum(error**2 for error in errors) / len(errors)) if errors else None
    return Metric(value, len(errors), note)
