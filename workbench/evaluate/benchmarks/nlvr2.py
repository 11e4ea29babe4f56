"""NLVR2: accuracy over pairs of pictures, and consistency over sentences.

Source: `eval/metrics.py` of lil-lab/nlvr (Suhr et al. 2019, arXiv 1811.00491), in our own words.  A
prediction is right if it is the label but for case, True or False; consistency is the share of the
sentences that are right for every pair they are asked about.  Answers here are yes and no: their
first word is read (`verify.answers.yes_no`), and the submission has True, False, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.evaluate.benchmarks.scores import (
    Scores,
    SystemAnswer,
    answer_text,
    count_unanswered,
    mean,
    official,
    unlabelled_reason,
)
from workbench.evaluate.statistics.comparisons import Interval, mean_interval
from workbench.records import Task
from workbench.verify.answers import yes_no

CITED = "eval/metrics.py of lil-lab/nlvr; Suhr et al. 2019, arXiv 1811.00491"
UNANSWERED = "it counts as wrong; the official script stops at one"


def submitted(text: str) -> str:
    """An answer as the official script reads it: True, False, or nothing where it says neither.

    >>> submitted("yes"), submitted("No."), submitted("perhaps")
    ('True', 'False', '')
    """
    truth = yes_no(text)
    return "" if truth is None else str(truth)


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """Accuracy (the main metric) and consistency."""
    counting = [task for task in tasks if task.labelled]
    per_task = {task.id: _right(task, answers) for task in counting}
    sentences: dict[str, float] = {}
    for task in counting:
        name = _sentence(str(official(task, "question_id")))
        sentences[name] = min(sentences.get(name, 1.0), per_task[task.id])
    metrics = {
        "accuracy": mean(per_task.values()),
        "consistency": mean(sentences.values(), "no sentence counts"),
    }
    unanswered = count_unanswered(per_task, answers)
    return Scores("accuracy", per_task, metrics, unlabelled_reason(tasks), unanswered)


def interval(
    scores: Scores, tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], seed: int
) -> Interval | None:
    """The 95 % interval of the accuracy; all sentences about a set of pictures stay together.

    Args:
        scores: the figures that `score` gives.
        tasks: the questions.
        answers: by task; not needed here.
        seed: decides the draws.
    """
    set_of = {task.id: str(official(task, "set")) for task in tasks}
    return mean_interval(scores.per_task, set_of, seed)


def _right(task: Task, answers: Mapping[str, SystemAnswer]) -> float:
    text = answer_text(task, answers)
    gold = {"yes": "True", "no": "False"}[task.answers[0]]
    return float(text is not None and submitted(text) == gold)


def _sentence(identifier: str) -> str:
    """The identifier without its pair of pictures, as the official script groups by."""
    parts = identifier.split("-")
    parts[2:3] = [""]
    return "-".join(parts)
