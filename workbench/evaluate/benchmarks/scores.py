"""The language of scorers: they take answers and give a main figure with all that belongs to it.

A scorer is a pure function of tasks and answers; everything official about a question stands in
`Task.answers` and `Task.meta`.  A labelled question without an answer is wrong, whatever the answer
would have been: a program that failed must not raise the average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench import several_pictures
from workbench.errors import InputError
from workbench.evaluate.statistics.comparisons import Interval, mean_interval
from workbench.records import Task


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """A system's answer to one question."""

    text: str
    """The answer as it would be submitted."""
    yes: float | None = None
    """Share of the yes/no token mass on yes, 0 to 1; None where it was not measured."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure with its denominator."""

    value: float | None
    """The figure, 0 to 1 except for `rmse`; None where it is undefined."""
    of: int
    """Number of questions counted in it."""
    note: str = ""
    """Why it is undefined, or what to keep in mind."""


@dataclass(frozen=True, slots=True)
class Scores:
    """All figures of one system on one benchmark."""

    name: str
    """The main metric, a key of `metrics`."""
    per_task: Mapping[str, float]
    """Score by task id, 0 to 1, of each question that counts.

    Their mean is the main metric unless that is `f1` or `roc_auc`.  Where several tasks make one
    question (circular copies), the first one's id stands for it.
    """
    metrics: Mapping[str, Metric]
    """All metrics by name; groups are named `group/value`, as `structural/verify`."""
    left_out: Mapping[str, int]
    """Number of tasks that do not count, by reason."""
    unanswered: int
    """Number of tasks that count and have no answer; they are wrong."""

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
    """The interval of a main metric that is the mean over its questions.

    Args:
        scores: the figures.
        tasks: the questions.
        answers: by task; other metrics need them.
        seed: decides the draws.
    """
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
    unanswered: str = "it counts as wrong"
    """What becomes of a question without an answer, here and by the official script."""
    _interval: Callable[
        [Scores, Sequence[Task], Mapping[str, SystemAnswer], int], Interval | None
    ] = mean_of_tasks

    def interval(
        self, tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], seed: int = 0
    ) -> Interval | None:
        """The 95 % interval of the main metric; None where that is undefined.

        Questions about one picture stay together.

        Args:
            tasks: the questions.
            answers: by task.
            seed: decides the draws.
        """
        return self._interval(self.score(tasks, answers), tasks, answers, seed)


def clusters(tasks: Iterable[Task]) -> dict[str, str]:
    """The picture of each task, by task id: questions about one picture are not independent.

    Of questions linked by pictures (`several_pictures`), one picture stands for all.
    """
    return several_pictures.of_tasks(tasks)


def answer_text(task: Task, answers: Mapping[str, SystemAnswer]) -> str | None:
    """The text answered to a task; None where there is no answer."""
    answer = answers.get(task.id)
    return None if answer is None else answer.text


def official(task: Task, name: str) -> Any:
    """An entry of `Task.meta` that a scorer needs.

    Raises:
        InputError: the entry is missing.
    """
    if name not in task.meta:
        raise InputError(
            f"task '{task.id:.80}' of '{task.source:.40}' has no '{name}' in its meta data, "
            "which scoring needs; import the benchmark's official files again"
        )
    return task.meta[name]


def mean(values: Iterable[float], why_none: str = "no question counts") -> Metric:
    """The mean with its denominator; undefined over nothing."""
    numbers = list(values)
    return (
        Metric(sum(numbers) / len(numbers), len(numbers)) if numbers else Metric(None, 0, why_none)
    )


def means_by_group(per_task: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, Metric]:
    """The mean per group, by name.

    Args:
        per_task: score by task id.
        groups: group by task id; tasks without a group are left out.
    """
    by_group: dict[str, list[float]] = {}
    for task_id, value in per_task.items():
        if group := groups.get(task_id):
            by_group.setdefault(group, []).append(value)
    return {name: mean(by_group[name]) for name in sorted(by_group)}


def unlabelled_reason(tasks: Sequence[Task]) -> dict[str, int]:
    """The number of tasks without a right answer as `Scores.left_out` holds it."""
    number = sum(not task.labelled for task in tasks)
    return {UNLABELLED: number} if number else {}


def count_unanswered(task_ids: Iterable[str], answers: Mapping[str, SystemAnswer]) -> int:
    """How many of these tasks have no answer."""
    return sum(task_id not in answers for task_id in task_ids)
