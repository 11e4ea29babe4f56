"""MMBench: multiple choice, where a question is right only if all its rotations are.

Source: `matching_util.py` (`can_infer`) and `multiple_choice.py` of open-compass/VLMEvalKit at
commit 2cf2a36 (2026-06-25), in exact-matching mode (Liu et al. 2024, arXiv 2307.06281), in our own
words: an option's letter, else an option's text.  What cannot be read is wrong; no language model
is asked.  One thing differs: where the evaluator infers Z, an option that no question has, the
answer is unread here, which is wrong as well.
"""

from __future__ import annotations

import re
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

CITED = (
    "VLMEvalKit 2cf2a36, matching_util.py and multiple_choice.py; Liu et al. 2024, arXiv 2307.06281"
)
UNANSWERED = "it counts as wrong; so does an empty answer by the official evaluator"
NO_BASE = "rotations without their first question"
_SPACED = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))


_REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)
"""What declines to answer, whatever else is said."""
_FAILED = "Failed to obtain answer via API"
_NO_OPTION = "Z"
_LAST_WORDS = 4
"""A letter counts among the last so many words; earlier it may be an article or a comparison."""
_ANSWER_IS = re.compile(r"answer\s+is\s+\**([ABCD])", re.IGNORECASE)


def letter(text: str, options: Mapping[str, str]) -> str | None:
    """The letter of the option that an answer names; None where it names none or several.

    The one letter among the words decides if it is among the last four, also where it is an
    article: "A dog" is A.  Else the letter behind "answer is" does.  Else the one option whose text
    occurs in the answer, unless the answer is more than twice as long as all options together.

    >>> letter("(B)", {"A": "cat", "B": "dog"}), letter("It is a dog.", {"A": "cat", "B": "dog"})
    ('B', 'B')
    """
    if any(refusal in text for refusal in _REFUSALS):
        return None
    if _FAILED not in text:
        words = text.translate(_SPACED).split()
        lettered = [name for name in options if name in words]
        if len(lettered) == 1 and words.index(lettered[0]) >= len(words) - _LAST_WORDS:
            return lettered[0]
        if not lettered and _NO_OPTION in words:
            return None
        stated = _ANSWER_IS.search(text)
        if stated and stated[1].upper() in options:
            return stated[1].upper()
    return _by_text(text, options)


def _by_text(text: str, options: Mapping[str, str]) -> str | None:
    if len(text) > 2 * sum(map(len, options.values())):
        return None
    lower = text.lower()
    inside = [name for name, option in options.items() if option.lower() in lower]
    return inside[0] if len(inside) == 1 else None


def read(task: Task, text: str) -> str:
    """The letter of the option that an answer names, as it is scored; else the answer itself."""
    return letter(text, _options(task)) or text


def _options(task: Task) -> dict[str, str]:
    return dict(zip(official(task, "letters"), task.choices, strict=True))


def score(tasks: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> Scores:
    """`circular`, the main metric: questions right in all rotations, altogether and by category.

    `single` counts the first rotation alone, `rotations` every row for itself; `circular, options
    read` reads an answer as programs are verified, where "10" is not also "1".
    """
    counting = [task for task in tasks if official(task, "answer")]
    whole = _questions(counting)
    without_base = len(counting) - sum(map(len, whole.values()))
    left_out = {UNLABELLED: len(tasks) - len(counting), NO_BASE: without_base}
    per_row = {task.id: float(_right(task, answers)) for task in counting}
    circular = {head: min(per_row[task.id] for task in group) for head, group in whole.items()}
    heads = {head: group[0] for head, group in whole.items()}
    metrics = {
        "circular": _circular(circular, whole),
        "circular, options read": mean(_options_right(group, answers) for group in whole.values()),
        "single": mean(per_row[head] for head in heads),
        "rotations": mean(per_row.values()),
        **_by_category(circular, heads),
    }
    return Scores(
        "circular",
        circular,
        metrics,
        {reason: number for reason, number in left_out.items() if number},
        count_unanswered(per_row, answers),
    )


def _questions(rows: Sequence[Task]) -> dict[str, list[Task]]:
    """The rotations of each question by the id of the first one, which begins the list.

    Questions whose first rotation is not among the rows are left out.
    """
    groups: dict[int, list[Task]] = {}
    for task in rows:
        groups.setdefault(int(official(task, "base")), []).append(task)
    whole: dict[str, list[Task]] = {}
    for base, group in groups.items():
        first = next((task for task in group if int(official(task, "index")) == base), None)
        if first is not None:
            whole[first.id] = [first, *(task for task in group if task is not first)]
    return whole


def _circular(circular: Mapping[str, float], whole: Mapping[str, Sequence[Task]]) -> Metric:
    """The main metric, with a note where rotations are missing."""
    short = sum(len(group) < len(group[0].choices) for group in whole.values())
    note = f"{short} of {len(whole)} questions have fewer rotations than options" if short else ""
    metric = mean(circular.values())
    return Metric(metric.value, metric.of, metric.note or note)


def _options_right(group: Sequence[Task], answers: Mapping[str, SystemAnswer]) -> float:
    """1 where all rotations of a question are right when answers are read as programs' are."""
    return float(all(_option_right(task, answer_text(task, answers) or "") for task in group))


def _option_right(task: Task, text: str) -> bool:
    index = choice(text, task.choices)
    return index is not None and official(task, "letters")[index] == task.meta["answer"]


def _by_category(circular: Mapping[str, float], heads: Mapping[str, Task]) -> dict[str, Metric]:
    """The main metric by category and by the wider l2 category."""
    narrow = {key: f"category/{task.family}" for key, task in heads.items() if task.family}
    kinds = {key: task.meta.get("l2_category") for key, task in heads.items()}
    wide = {key: f"l2/{kind}" for key, kind in kinds.items() if kind}
    return means_by_group(circular, narrow) | means_by_group(circular, wide)


def _right(task: Task, answers: Mapping[str, SystemAnswer]) -> bool:
    text = answer_text(task, answers)
    return text is not None and letter(text, _options(task)) == task.meta["answer"]
