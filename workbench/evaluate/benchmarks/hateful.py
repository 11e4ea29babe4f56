"""Hateful Memes: the area under the ROC curve of P(hateful), and accuracy.

Source: Kiela et al. 2020 (arXiv 2005.04790) and the challenge's README: `roc_auc_score` and
`accuracy_score` of scikit-learn.  P(hateful) is the share of the yes/no token mass on yes
(`Answer.yes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.evaluate.benchmarks.scores import (
    Metric,
    Scores,
    SystemAnswer,
    clusters,
    count_unanswered,
    mean,
    mean_of_tasks,
    unlabelled_reason,
)
from workbench.evaluate.statistics.comparisons import Interval, auc_interval
from workbench.records import Task
from workbench.verify.answers import yes_no

CITED = "README of the Hateful Memes Challenge; Kiela et al. 2020, arXiv 2005.04790"
UNANSWERED = "it counts as wrong; the official server takes whole files alone"


def says_hateful(answer: SystemAnswer) -> bool | None:
    """Whether P(hateful) is at least one half; without a P, what the text says, None if unclear."""
    return yes_no(answer.text) if answer.yes is None else answer.yes >= 0.5


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """`roc_auc`, the main metric, and `accuracy`, which stands in where the area is undefined.

    The area is undefined where only one label occurs, and where an answer lacks its P(hateful):
    leaving that answer out would score another test.
    """
    counting = [task for task in tasks if task.labelled]
    per_task: dict[str, float] = {}
    for task in counting:
        label = says_hateful(answers[task.id]) if task.id in answers else None
        per_task[task.id] = float(label is not None and label == _hateful(task))
    metrics = {"roc_auc": _area(counting, answers), "accuracy": mean(per_task.values())}
    name = "accuracy" if metrics["roc_auc"].value is None else "roc_auc"
    return Scores(
        name, per_task, metrics, unlabelled_reason(tasks), count_unanswered(per_task, answers)
    )


def interval(
    scores: Scores, tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], seed: int
) -> Interval | None:
    """The 95 % interval of the main metric; memes, not questions, are drawn again.

    Args:
        scores: the figures that `score` gives.
        tasks: the questions.
        answers: by task.
        seed: decides the draws.
    """
    if scores.name == "accuracy":
        return mean_of_tasks(scores, tasks, answers, seed)
    counting = [task for task in tasks if task.labelled]
    labels = {task.id: _hateful(task) for task in counting}
    return auc_interval(labels, _chances(counting, answers), clusters(counting), seed)


def _area(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Metric:
    labels = [_hateful(task) for task in tasks]
    chances = _chances(tasks, answers)
    if len(set(labels)) < 2:
        return Metric(
            None, len(tasks), "not defined: all memes have one label" if tasks else "no meme counts"
        )
    if len(chances) < len(tasks):
        return Metric(
            None, len(tasks), f"not defined: {len(tasks) - len(chances)} answers have no P(hateful)"
        )
    from sklearn.metrics import roc_auc_score  # imported where used: it takes seconds

    return Metric(float(roc_auc_score(labels, [chances[task.id] for task in tasks])), len(tasks))


def _hateful(task: Task) -> bool:
    return task.answers[0] == "yes"


def _chances(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> dict[str, float]:
    shares = {task.id: answers[task.id].yes for task in tasks if task.id in answers}
    return {task_id: yes for task_id, yes in shares.items() if yes is not None}
