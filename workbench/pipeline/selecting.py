"""Selectors over the rows of a snapshot: what each has to know is put together here, and asked.

A selector weighs the training side alone.  The held-out side stays as it is, so that a student
taught with a selector and one taught without are measured on the same questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from workbench import registry
from workbench.errors import InputError
from workbench.pipeline.crediting import credited
from workbench.recipes.ports import RowWeight, Selector, SelectorNeed, SnapshotRow
from workbench.records import AnswerType, Task
from workbench.snapshot import Example
from workbench.store import Project
from workbench.store.reading.outcome import Outcome
from workbench.train.job import student_of
from workbench.verify.answers import RIGHT, same, score

RowWatch = Callable[[int, int], None]
"""Called with how many rows of how many were looked at."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The examples that stay, with their weights, and those that do not, by the reason."""

    examples: tuple[Example, ...]
    left_out: Mapping[str, Sequence[str]]
    """Ids of tasks by the reason."""


def selectors(choices: Sequence[Mapping[str, Any]]) -> list[Selector]:
    """The selectors of a snapshot.

    Args:
        choices: each with the name under `part` and its arguments beside it.

    Raises:
        ProfileError: there is no such selector, or it does not take these arguments.
        InputError: a choice names no part.
    """
    parts = []
    for choice in choices:
        arguments = dict(choice)
        name = arguments.pop("part", None)
        if not isinstance(name, str) or not name:
            raise InputError(
                f"a selector is a table with its name under 'part', found {dict(choice)!r:.80}; "
                "vpd recipes lists them"
            )
        parts.append(registry.build("selector", name, **arguments))
    return parts


def loads_student(choice: Mapping[str, Any]) -> bool:
    """Whether a selector's weights take a look at every row by the student, which is loaded."""
    return any("nats" in one.needs for one in selectors([choice]))


def weigh(
    project: Project,
    choices: Sequence[Mapping[str, Any]],
    examples: Sequence[Example],
    watch: RowWatch | None = None,
) -> Weighed:
    """Ask selectors for the weights of the training side.

    Several selectors multiply.  The weights of the rows that stay are scaled to the mean 1.

    Args:
        project: has the answers of programs and student.
        choices: as `selectors` takes them.
        examples: of both sides.
        watch: called while the student looks at rows.

    Raises:
        ProfileError, InputError: as `selectors`; or a selector gives a weight below 0.
    """
    chosen = selectors(choices)
    train = [example for example in examples if example.split == "train"]
    if not chosen or not train:
        return Weighed(tuple(examples), {})
    rows = _rows(project, train, frozenset().union(*(one.needs for one in chosen)), watch)
    weights = [1.0] * len(rows)
    reasons = [""] * len(rows)
    for selector in chosen:
        for at, opinion in enumerate(_ask(selector, rows)):
            weights[at] *= opinion.weight
            reasons[at] = reasons[at] or opinion.reason
    stays = {
        example.id: weight for example, weight in zip(train, weights, strict=True) if weight > 0
    }
    left_out = defaultdict(list)
    for example, reason in zip(train, reasons, strict=True):
        if example.id not in stays:
            left_out[reason or "its selector gives it the weight 0"].append(example.task_id)
    return Weighed(_with_weights(examples, stays), dict(left_out))


def _with_weights(examples: Sequence[Example], weights: Mapping[str, float]) -> tuple[Example, ...]:
    """The held-out examples, and the others that have a weight, scaled to the mean 1."""
    mean = sum(weights.values()) / max(len(weights), 1)
    return tuple(
        one if one.split != "train" else replace(one, weight=weights[one.id] / mean)
        for one in examples
        if one.split != "train" or one.id in weights
    )


def _ask(selector: Selector, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
    weights = selector.weigh(rows)
    wrong = [one.weight for one in weights if not 0 <= one.weight < float("inf")]
    if len(weights) != len(rows) or wrong:
        raise InputError(
            f"the selector '{selector.ref.name}' gave {len(weights)} weights for {len(rows)} rows, "
            f"{len(wrong)} of them below 0 or no number; it has to give one from 0 on for each"
        )
    return weights


def _rows(
    project: Project,
    examples: Sequence[Example],
    needs: frozenset[SelectorNeed],
    watch: RowWatch | None,
) -> list[SnapshotRow]:
    outcomes = (
        {one.task_id: one for one in project.outcomes()} if needs & {"teacher", "student"} else {}
    )
    nats: Sequence[tuple[float, ...]] = [()] * len(examples)
    if "nats" in needs:
        nats = _nats(project, examples, watch)
    programs = _programs(project, examples) if "programs" in needs else {}
    credits = _credits(project, examples) if "credit" in needs else {}
    return [
        SnapshotRow(
            example.task_id,
            example.answer,
            example.rationale,
            _fits(example, _voted(outcomes.get(example.task_id))),
            _fits(example, _of_student(outcomes.get(example.task_id))),
            own,
            programs.get(example.task_id, ()),
            credits.get(example.trace_id),
        )
        for example, own in zip(examples, nats, strict=True)
    ]


def _credits(project: Project, examples: Sequence[Example]) -> dict[str | None, float | None]:
    """Mean credit of the tool calls of each run, by its trace."""
    ids = [example.trace_id for example in examples if example.trace_id is not None]
    return {run.trace.id: run.credit for run in credited(project, ids)}


def _programs(
    project: Project, examples: Sequence[Example]
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Source and score of each program that ran, by question; one that failed is wrong."""
    by_task = {example.task_id: example for example in examples}
    return {
        task.id: tuple(
            (program.source, float(bool(_fits(by_task[task.id], trace.answer))))
            for program, trace in runs
        )
        for task, runs in project.runs(list(by_task), project.scope())
    }


def _voted(outcome: Outcome | None) -> str | None:
    """The programs' own answer, without the label's help: the one that wins their vote."""
    if outcome is None or outcome.vote is None:
        return None
    return next((run.answer for run in outcome.runs if run.index == outcome.vote), None)


def _of_student(outcome: Outcome | None) -> str | None:
    return outcome.student_answer if outcome is not None else None


def _fits(example: Example, answer: str | None) -> bool | None:
    """Whether an answer is what the example teaches; None without one."""
    if answer is None:
        return None
    task = Task(
        id=example.task_id,
        source=example.source,
        split=example.task_split,
        image=example.image,
        question=example.question,
        answers=example.answers,
        answer_type=cast(AnswerType, example.answer_type),
        choices=example.choices,
        family=example.family,
        more_images=example.more_images,
    )
    if task.labelled:
        return score(task, answer).score >= RIGHT
    return same(answer, example.answer, task)


def _nats(
    project: Project, examples: Sequence[Example], watch: RowWatch | None
) -> list[tuple[float, ...]]:
    # torch and the student are loaded for selectors that ask for them, and for nobody else
    from workbench.train.objective import Vpd
    from workbench.train.target_loss import target_losses

    curriculum = Vpd()
    return target_losses(
        student_of(project.profile()),
        [(example.pictures, curriculum.lessons(example)) for example in examples],
        project.images,
        watch,
    )
