"""MMBench: multiple choice, right only if right in every rotation of the options.

Source: `matching_util.py` and `multiple_choice.py` of open-compass/VLMEvalKit in exact-matching
mode (Liu et al. 2024, arXiv 2307.06281): an option's letter, else an option's text; what cannot be
read is wrong, no language model is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from workbench.evaluate.benchmarks.scores import (
    UNLABELLED,
    Metric,
    Scores,
    SystemAnswer,
    answer_text,
    count_unanswered,
    mean,
    means_by_group,
    official,
)
from workbench.records import Task
from workbench.verify.answers import choice

CITED = "VLMEvalKit, matching_util.py and multiple_choice.py; Liu et al. 2024, arXiv 2307.06281"
NO_BASE = "rotations without their first question"
_SPACED = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))


def letter(text: str, options: Mapping[str, str]) -> str | None:
    """The letter of the option that an answer names; None where it names none or several.

    The one letter among the words decides, also where it is an article: "A dog" is A.  Without
    exactly one, the one option whose text occurs in the answer, unless the answer is more than
    twice as long as all options together.

    >>> letter("(B)", {"A": "cat", "B": "dog"}), letter("It is a dog.", {"A": "cat", "B": "dog"})
    ('B', 'B')
    """
    words = set(text.translate(_SPACED).split())
    named = [name for name in options if name in words]
    if len(named) == 1:
        return named[0]
    if len(text) > 2 * sum(map(len, options.values())):
        return None
    lower = text.lower()
    inside = [name for name, option in options.items() if option.lower() in lower]
    return inside[0] if len(inside) == 1 else None


def read(task: Task, text: str) -> str:
    """The letter of the option that an answer names as programs are read; the text itself where it
    names none.
    """
    index = choice(text, task.choices)
    return text if index is None else str(official(task, "letters")[index])


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """`circular` (the main metric): questions right in all their rotations, with each category's
    beside it.

    `single` counts the first rotation alone, `rotations` every row for itself; `circular, options
    read` reads an answer as programs are verified, where "10" is not also "1".
    """
    left_out: Counter[str] = Counter()
    rows: dict[int, list[Task]] = {}
    for task in tasks:
        if official(task, "answer"):
            rows.setdefault(int(official(task, "base")), []).append(task)
        else:
            left_out[UNLABELLED] += 1
    per_row = {task.id: float(_right(task, answers)) for group in rows.values() for task in group}
    first: dict[str, Task] = {}
    circular: dict[str, float] = {}
    lenient: list[float] = []
    short = 0
    for base, group in rows.items():
        heads = [task for task in group if int(official(task, "index")) == base]
        if not heads:
            left_out[NO_BASE] += len(group)
            continue
        first[heads[0].id] = heads[0]
        circular[heads[0].id] = min(per_row[task.id] for task in group)
        lenient.append(
            float(
                all(
                    read(task, answer_text(task, answers) or "") == task.meta["answer"]
                    for task in group
                )
            )
        )
        short += len(group) < len(heads[0].choices)
    note = f"{short} of {len(first)} questions have fewer rotations than options" if short else ""
    found = mean(circular.values())
    metrics = {
        "circular": Metric(found.value, found.of, found.note or note),
        "circular, options read": mean(lenient),
        "single": mean(per_row[task_id] for task_id in first),
        "rotations": mean(per_row.values()),
        **means_by_group(
            circular, {key: f"category/{task.family}" for key, task in first.items() if task.family}
        ),
        **means_by_group(
            circular,
            {
                key: f"l2/{kind}"
                for key, task in first.items()
                if (kind := task.meta.get("l2_category"))
            },
        ),
    }
    return Scores("circular", circular, metrics, left_out, count_unanswered(per_row, answers))


def _right(task: Task, answers: Mapping[str, SystemAnswer]) -> bool:
    text = answer_text(task, answers)
    options = dict(zip(official(task, "letters"), task.choices, strict=True))
    return text is not None and letter(text, options) == task.meta["answer"]
