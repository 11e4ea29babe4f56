"""VQAv2 and OK-VQA: leave-one-out accuracy over ten annotators, by type of answer and question.

Source: `vqaEval.py` of GT-Vision-Lab/VQA as of 2021 (Antol et al. 2015; Goyal et al. 2017), used by
OK-VQA too (Marino et al. 2019); normalisation and score are `verify.normalise` and `verify.vqa`.
Mode `official` normalises only where the ten answers are not all the same; `always` is what most
published figures used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from workbench.evaluate.benchmarks.scores import (
    Scores,
    SystemAnswer,
    answer_text,
    count_unanswered,
    mean,
    means_by_group,
    unlabelled_reason,
)
from workbench.records import Task
from workbench.verify.normalise import Mode
from workbench.verify.vqa import vqa_score

CITED = "vqaEval.py of GT-Vision-Lab/VQA; Antol et al. 2015, Goyal et al. 2017"
UNANSWERED = "it counts as wrong; the official script stops at one"


def score(
    tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], mode: Mode = "always"
) -> Scores:
    """Accuracy (the main metric), `answer/<type>` and `question/<type>`.

    Beside it stand the accuracies under both ways of normalising.

    Args:
        tasks: the questions.
        answers: by task.
        mode: how answers are normalised, see `verify.normalise`.
    """
    per_task = {
        task.id: _score(task, answer_text(task, answers), mode) for task in tasks if task.labelled
    }
    metrics = {"accuracy": mean(per_task.values())}
    for one in get_args(Mode):
        values = [_score(task, answer_text(task, answers), one) for task in tasks if task.labelled]
        metrics[f"accuracy, normalised {one}"] = mean(values)
    for name, key in (("answer", "answer_type"), ("question", "question_type")):
        types = {task.id: f"{name}/{task.meta[key]}" for task in tasks if task.meta.get(key)}
        metrics |= means_by_group(per_task, types)
    return Scores(
        "accuracy", per_task, metrics, unlabelled_reason(tasks), count_unanswered(per_task, answers)
    )


def _score(task: Task, text: str | None, mode: Mode) -> float:
    return 0.0 if text is None else vqa_score(text, task.answers, mode)
