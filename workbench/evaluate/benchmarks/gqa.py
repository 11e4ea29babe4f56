"""GQA: accuracy, also by type of question, and consistency over entailed questions.

Source: `eval.py` of the GQA download (Hudson and Manning 2019, arXiv 1902.09506), in our own words.
Raw equality, no normalisation: "Yes" is not "yes".  Only the balanced questions count; the others
serve consistency alone.  Validity, plausibility, distribution and grounding need files that
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
UNANSWERED = "it counts as wrong; the official script stops at one"
UNBALANCED = "not in the balanced set"
NO_ENTAILED = "for consistency: an entailed question is not among the tasks"


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """Accuracy over the balanced questions (the main metric), with the official breakdowns."""
    left_out: Counter[str] = Counter()
    per_task: dict[str, float] = {}
    for task in tasks:
        if not task.labelled:
            left_out[UNLABELLED] += 1
        elif not official(task, "balanced"):
            left_out[UNBALANCED] += 1
        else:
            per_task[task.id] = _right(task, answers)
    consistency = _consistency(tasks, answers, per_task, left_out)
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


def _consistency(
    tasks: Sequence[Task],
    answers: Mapping[str, SystemAnswer],
    per_task: Mapping[str, float],
    left_out: Counter[str],
) -> list[float]:
    """Of each question with a right answer, the share of its entailed questions that are right too.

    Args:
        tasks: all questions, those that only serve consistency too.
        answers: by task.
        per_task: scores of the questions that count.
        left_out: gets a count of the questions whose entailed ones are not all among the tasks.
    """
    by_question = {str(official(task, "question_id")): task for task in tasks}
    shares: list[float] = []
    for task in tasks:
        entailed = _entailments(task) if per_task.get(task.id) else []
        if not entailed:
            continue
        if all(question in by_question for question in entailed):
            hits = sum(_right(by_question[question], answers) for question in entailed)
            shares.append(hits / len(entailed))
        else:
            left_out[NO_ENTAILED] += 1
    return shares


def _right(task: Task, answers: Mapping[str, SystemAnswer]) -> float:
    return float(task.labelled and answer_text(task, answers) == task.answers[0])


def _entailments(task: Task) -> list[str]:
    """Ids of the other questions whose answers follow from this one's."""
    own = str(task.meta["question_id"])
    return [str(question) for question in task.meta.get("entailed") or () if str(question) != own]
