"""A-OKVQA: multiple choice, or direct answer.

Source: `evaluation/eval_predictions.py` of allenai/aokvqa (Schwenk et al. 2022).  Multiple choice:
what is submitted must be the right option's text, to the letter.  The official script takes nothing
but options; so an answer is read first (`read`), for the score and for the submission alike, and
the score is that of the submission.  Direct answer: min(1, exact matches
among the ten / 3), no normalisation, nobody left out; questions marked difficult are dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from workbench.errors import InputError
from workbench.evaluate.benchmarks.scores import (
    UNLABELLED,
    Scores,
    SystemAnswer,
    answer_text,
    count_unanswered,
    mean,
    official,
    unlabelled_reason,
)
from workbench.records import Task
from workbench.verify.answers import choice
from workbench.verify.vqa import aokvqa_score

CITED = "evaluation/eval_predictions.py of allenai/aokvqa; Schwenk et al. 2022, arXiv 2206.01718"
UNANSWERED = "it counts as wrong, as by the official script"
DIFFICULT = "difficult for a direct answer"


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """`multiple choice` where the tasks have options, else `direct answer`.

    Raises:
        InputError: some tasks have options and others have not.
    """
    with_options = sum(bool(task.choices) for task in tasks)
    if 0 < with_options < len(tasks):
        raise InputError(
            f"{with_options} of {len(tasks)} A-OKVQA tasks have options; multiple choice and "
            "direct answers are two settings: score the tasks of each apart"
        )
    return _multiple_choice(tasks, answers) if with_options else _direct(tasks, answers)


def read(task: Task, text: str) -> str:
    """The option that an answer names, by letter or in a sentence; else the answer itself."""
    index = choice(text, task.choices)
    return text if index is None else task.choices[index]


def _multiple_choice(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    counting = [task for task in tasks if task.labelled]
    texts = {task.id: answer_text(task, answers) or "" for task in counting}
    right = {task.id: task.answers[0] for task in counting}
    per_task = {task.id: float(read(task, texts[task.id]) == right[task.id]) for task in counting}
    exact = [float(texts[id_] == right[id_]) for id_ in texts]
    metrics = {
        "multiple choice": mean(per_task.values()),
        "multiple choice, options read": mean(per_task.values()),
        "multiple choice, exact words": mean(exact),
    }
    return Scores(
        "multiple choice",
        per_task,
        metrics,
        unlabelled_reason(tasks),
        count_unanswered(per_task, answers),
    )


def _direct(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    left_out: Counter[str] = Counter()
    per_task: dict[str, float] = {}
    for task in tasks:
        text = answer_text(task, answers)
        if not task.labelled:
            left_out[UNLABELLED] += 1
        elif official(task, "difficult"):
            left_out[DIFFICULT] += 1
        else:
            per_task[task.id] = 0.0 if text is None else aokvqa_score(text, task.answers)
    metrics = {"direct answer": mean(per_task.values())}
    return Scores("direct answer", per_task, metrics, left_out, count_unanswered(per_task, answers))
