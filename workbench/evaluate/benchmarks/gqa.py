"""GQA: accuracy, binary and open, by type, consistency over entailed questions.

Source: `eval.py` of the GQA download (Hudson and Manning 2019, arXiv 1902.09506), in our own words.
Raw equality, no normalisation: "Yes" is not "yes".  Only the balanced questions count; the others
are asked for consistency alone. Validity, plausibility, distribution and grounding need files that
a task does not carry and are not computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from workbench.evaluate.benchmarks.scores import (
    UNLABELLED,
    Scores,
    SystemAnswer,
    answer_text,
    count_unanswered,
    mean,
    means_by_group,
    official,
)
from workbench.records import Task

CITED = "eval.py of the GQA download; Hudson and Manning 2019, arXiv 1902.09506"
UNBALANCED = "not in the balanced set"
NO_ENTAILED = "for consistency: an entailed question is not among the tasks"


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """Accuracy over the balanced questions (the main metric) and all breakdowns of the official
    script.
    """
    by_question = {str(official(task, "question_id")): task for task in tasks}
    left_out: Counter[str] = Counter()
    per_task: dict[str, float] = {}
    consistency: list[float] = []
    for task in tasks:
        if not task.labelled:
            left_out[UNLABELLED] += 1
        elif not official(task, "balanced"):
            left_out[UNBALANCED] += 1
        else:
            per_task[task.id] = _right(task, answers)
            entailed = _entailed(task)
            if not per_task[task.id] or not entailed:
                continue
            if all(question in by_question for question in entailed):
                consistency.append(
                    sum(_right(by_question[q], answers) for q in entailed) / len(entailed)
                )
            else:
                left_out[NO_ENTAILED] += 1
    structural = {task.id: str(official(task, "structural")) for task in tasks}
    semantic = {
        task.id: f"semantic/{kind}" for task in tasks if (kind := task.meta.get("semantic"))
    }
    halves = {
        task_id: "open" if kind == "query" else "binary" for task_id, kind in structural.items()
    }
    metrics = {
        "accuracy": mean(per_task.values()),
        **means_by_group(per_task, halves),
        "consistency": mean(consistency, "no right answer has entailed questions among the tasks"),
        **means_by_group(
            per_task, {task_id: f"structural/{kind}" for task_id, kind in structural.items()}
        ),
        **means_by_group(per_task, semantic),
    }
    return Scores("accuracy", per_task, metrics, left_out, count_unanswered(per_task, answers))


def _right(task: Task, answers: Mapping[str, SystemAnswer]) -> float:
    return float(task.labelled and answer_text(task, answers) == task.answers[0])


def _entailed(task: Task) -> list[str]:
    """Ids of the questions whose answer follows from this one's; a question entails itself, which
    does not count.
    """
    own = str(task.meta["question_id"])
    return [str(question) for question in task.meta.get("entailed") or () if str(question) != own]
