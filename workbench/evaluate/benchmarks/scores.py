"""What a scorer takes and gives: answers in, a main figure with all that belongs to it out.

A scorer is a pure function of tasks and answers; everything official about a question stands in
`Task.answers` and `Task.meta`.  A labelled question without an answer is wrong, whatever the answer
would have been: a program that failed must not raise the average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.errors import InputError
from workbench.evaluate.statistics.comparisons import Interval, mean_interval
from workbench.records import Task


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """What a system says to one question."""

    text: str
    """As it would be submitted."""
    yes: float | None = None
    """Share of the yes/no token mass on yes, 0 to 1; None where it was not asked for."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure with its denominator."""

    value: float | None
    """0 to 1, except `rmse`; None where it is not defined."""
    of: int
    """Questions counted in it."""
    note: str = ""
    """Why it is not defined, or what to keep in mind."""


@dataclass(frozen=True, slots=True)
class Scores:
    """All figures of one system on one benchmark."""

    name: str
    """The main metric, a key of `metrics`."""
    per_task: Mapping[str, float]
    """By task id, 0 to 1, each question that counts; their mean is the main metric unless it is
    `f1` or `roc_auc`. Where several tasks make one question (circular copies) the first one's id
    stands for it.
    """
    metrics: Mapping[str, Metric]
    """Groups are named `group/value`, as `structural/verify`."""
    left_out: Mapping[str, int]
    """Tasks that do not count, by reason."""
    unanswered: int
    """Tasks that count and have no answer: wrong."""

    @property
    def value(self) -> float | None:
        return self.metrics[self.name].value

    @property
    def of(self) -> int:
        return self.metrics[self.name].of

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the scores of single tasks."""
        return {
            "name": self.name,
            "value": self.value,
            "of": self.of,
            "metrics": {name: asdict(metric) for name, metric in self.metrics.items()},
            "left_out": dict(self.left_out),
            "unanswered": self.unanswered,
        }


UNLABELLED = "unlabelled"
"""Why most tasks of a test split do not count."""

Score = Callable[[Sequence[Task], Mapping[str, SystemAnswer]], Scores]


def mean_of_tasks(
    scores: Scores, tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], seed: int
) -> Interval | None:
    """The interval of a main metric that is the mean over its questions."""
    return mean_interval(scores.per_task, clusters(tasks), seed)


@dataclass(frozen=True, slots=True)
class Scorer:
    """The official way to score one benchmark."""

    source: str
    """The benchmark's name, as in `Task.source`."""
    cited: str
    """Where the rules come from."""
    score: Score
    """All figures.  Raises InputError where a task lacks what the importer should have given it."""
    _interval: Callable[
        [Scores, Sequence[Task], Mapping[str, SystemAnswer], int], Interval | None
    ] = mean_of_tasks

    def interval(
        self, tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], seed: int = 0
    ) -> Interval | None:
        """The 95 % interval of the main metric, questions about one picture kept together; None if
        undefined.
        """
        return self._interval(self.score(tasks, answers), tasks, answers, seed)


def clusters(tasks: Iterable[Task]) -> dict[str, str]:
    """The picture of each task, by task id: questions about one picture are not independent."""
    return {task.id: task.image for task in tasks}


def answer_text(task: Task, answers: Mapping[str, SystemAnswer]) -> str | None:
    """The text answered to a task; None where there is no answer."""
    answer = answers.get(task.id)
    return None if answer is None else answer.text


def official(task: Task, name: str) -> Any:
    """An entry of `Task.meta` that a scorer cannot do without.  Raises InputError where it is
    missing.
    """
    if name not in task.meta:
        raise InputError(
            f"task '{task.id:.80}' of '{task.source:.40}' has no '{name}' in its meta data, which scoring needs; "
            "import the benchmark's official files again"
        )
    return task.meta[name]


def mean(values: Iterable[float], why_none: str = "no question counts") -> Metric:
    """The mean with its denominator; undefined over nothing."""
    found = list(values)
    return Metric(sum(found) / len(found), len(found)) if found else Metric(None, 0, why_none)


def means_by_group(per_task: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, Metric]:
    """The mean per group, by name; `groups` maps task id to its group, tasks without one belong to
    none.
    """
    held: dict[str, list[float]] = {}
    for task_id, value in per_task.items():
        if group := groups.get(task_id):
            held.setdefault(group, []).append(value)
    return {name: mean(held[name]) for name in sorted(held)}


def unlabelled_reason(tasks: Sequence[Task]) -> dict[str, int]:
    """What is left out where only tasks without a right answer are."""
    number = sum(not task.labelled for task in tasks)
    return {UNLABELLED: number} if number else {}


def count_unanswered(task_ids: Iterable[str], answers: Mapping[str, SystemAnswer]) -> int:
    """How many of these tasks have no answer."""
    return sum(task_id not in answers for task_id in task_ids)
