"""POPE: whether models see objects that are not there; yes or no by the official parser, and F1.

Source: `evaluate.py` of RUCAIBox/POPE (Li et al. 2023, arXiv 2305.10355).  The parser keeps the
text before the first full stop, drops commas, splits at spaces and looks for the words "No", "not"
and "no"; everything else is a yes, "NO", "none" and the empty text included.  Yes is the positive
class.  Papers quote the mean F1 of the three sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from workbench.evaluate.benchmarks.scores import (
    Metric,
    Scores,
    SystemAnswer,
    answer_text,
    clusters,
    count_unanswered,
    unlabelled_reason,
)
from workbench.evaluate.statistics.comparisons import Interval, percentile_bootstrap
from workbench.records import Task

CITED = "evaluate.py of RUCAIBox/POPE; Li et al. 2023, arXiv 2305.10355"
UNANSWERED = "it counts as wrong; the official script reads an empty answer as yes"
AS_SUBMITTED = "f1, no answer read as yes"
"""The metric that the official script gives for the file of answers, where some are missing."""
SPLITS = ("random", "popular", "adversarial")
FIGURES = ("f1", "accuracy", "precision", "recall", "yes share")


def says_yes(text: str) -> bool:
    """Whether an answer is a yes, by the official parser.

    >>> says_yes("No, there is not."), says_yes("NO"), says_yes("Yes. No dog.")
    (False, True, True)
    >>> says_yes("I don't see one")
    True
    """
    words = text.split(".")[0].replace(",", "").split(" ")
    return not {"No", "not", "no"} & set(words)


@dataclass(frozen=True, slots=True)
class PopeCounts:
    """Number of true and false positives and negatives; yes is the positive class."""

    tp: int = 0
    fp: int = 0
    tn: int = 0
    fn: int = 0

    def figures(self) -> dict[str, Metric]:
        """The five official figures, 0 to 1; a figure whose denominator is 0 is undefined."""
        tp, fp, tn, fn = self.tp, self.fp, self.tn, self.fn
        of = tp + fp + tn + fn
        return {
            "f1": _share(2 * tp, 2 * tp + fp + fn, of, "nothing is a yes, neither said nor true"),
            "accuracy": _share(tp + tn, of, of, "no question counts"),
            "precision": _share(tp, tp + fp, of, "nothing was answered yes"),
            "recall": _share(tp, tp + fn, of, "no right answer is yes"),
            "yes share": _share(tp + fp, of, of, "no question counts"),
        }


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """F1 (the main metric) and the other four as means over the sets, then all five of each set.

    Where answers are missing, F1 as the official script gives it stands beside them.
    """
    outcomes: dict[str, list[tuple[bool, bool]]] = {}
    per_task: dict[str, float] = {}
    for task in tasks:
        if task.labelled:
            said_yes, is_yes = _outcome(task, answers)
            per_task[task.id] = float(said_yes == is_yes)
            outcomes.setdefault(task.split, []).append((said_yes, is_yes))
    by_split = {name: _confusion(outcomes[name]).figures() for name in sorted(outcomes, key=_order)}
    note = ""
    if not set(SPLITS) <= set(outcomes):
        note = f"of {', '.join(by_split) or 'none'} alone; papers quote all three sets"
    metrics = {
        name: _mean([figures[name] for figures in by_split.values()], note) for name in FIGURES
    }
    for split, figures in by_split.items():
        metrics |= {f"{split}/{name}": metric for name, metric in figures.items()}
    unanswered = count_unanswered(per_task, answers)
    if unanswered:
        whole = {task.id: answers.get(task.id, SystemAnswer("")) for task in tasks}
        metrics[AS_SUBMITTED] = score(tasks, whole).metrics["f1"]
    return Scores("f1", per_task, metrics, unlabelled_reason(tasks), unanswered)


def interval(
    scores: Scores, tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], seed: int
) -> Interval | None:
    """The 95 % interval of the mean F1.

    The three sets ask about the same pictures, which are drawn together.

    Args:
        scores: the figures that `score` gives.
        tasks: the questions.
        answers: by task.
        seed: decides the draws.
    """
    counting = [task for task in tasks if task.labelled]
    picture = clusters(counting)
    row = {image: at for at, image in enumerate(sorted(set(picture.values())))}
    splits = sorted({task.split for task in counting})
    if scores.value is None or len(row) < 2:
        return None
    # Per picture and set: twice the true positives, and F1's denominator.
    above, below = np.zeros((len(splits), len(row))), np.zeros((len(splits), len(row)))
    for task in counting:
        said_yes, is_yes = _outcome(task, answers)
        cell = splits.index(task.split), row[picture[task.id]]
        above[cell] += 2 * (said_yes and is_yes)
        below[cell] += said_yes + is_yes
    half = len(splits)
    low, high = percentile_bootstrap(
        [*above, *below], lambda *sums: sum(map(np.divide, sums[:half], sums[half:])) / half, seed
    )
    return Interval(scores.value, low, high, len(counting), len(row), "bootstrap")


def _outcome(task: Task, answers: Mapping[str, SystemAnswer]) -> tuple[bool, bool]:
    """Whether the answer is a yes, and whether yes is right; no answer counts as the wrong one."""
    text, is_yes = answer_text(task, answers), task.answers[0] == "yes"
    return (not is_yes if text is None else says_yes(text)), is_yes


def _confusion(outcomes: Sequence[tuple[bool, bool]]) -> PopeCounts:
    count = outcomes.count
    return PopeCounts(
        count((True, True)), count((True, False)), count((False, False)), count((False, True))
    )


def _order(split: str) -> tuple[int, str]:
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)


def _share(hits: int, whole: int, of: int, why_none: str) -> Metric:
    return Metric(hits / whole, of) if whole else Metric(None, of, why_none)


def _mean(metrics: Sequence[Metric], note: str) -> Metric:
    values = [metric.value for metric in metrics if metric.value is not None]
    of = sum(metric.of for metric in metrics)
    if not values or len(values) < len(metrics):
        notes = dict.fromkeys(
            chain((metric.note for metric in metrics if metric.value is None), [note])
        )
        return Metric(None, of, "; ".join(filter(None, notes)))
    return Metric(sum(values) / len(values), of, note)
