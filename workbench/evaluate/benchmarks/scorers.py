"""The scorer of a benchmark by name; every other source is scored as the programs are.

One call scores tasks of one source.  Nothing here knows prompts: an answer is scored as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from workbench.errors import InputError
from workbench.evaluate.benchmarks import (
    aokvqa,
    gqa,
    hateful,
    mmbench,
    nlvr2,
    pope,
    tallyqa,
    vqa,
)
from workbench.evaluate.benchmarks.scores import (
    Scorer,
    Scores,
    SystemAnswer,
    answer_text,
    count_unanswered,
    mean,
    means_by_group,
    unlabelled_reason,
)
from workbench.records import Task
from workbench.verify import answers as comparators
from workbench.verify.normalise import Mode

BENCHMARKS: Mapping[str, Scorer] = {
    scorer.source: scorer
    for scorer in (
        Scorer("gqa", gqa.CITED, gqa.score, gqa.UNANSWERED),
        Scorer("vqav2", vqa.CITED, vqa.score, vqa.UNANSWERED),
        Scorer("okvqa", vqa.CITED, vqa.score, vqa.UNANSWERED),
        Scorer("aokvqa", aokvqa.CITED, aokvqa.score, aokvqa.UNANSWERED),
        Scorer("tallyqa", tallyqa.CITED, tallyqa.score, tallyqa.UNANSWERED),
        Scorer("pope", pope.CITED, pope.score, pope.UNANSWERED, pope.interval),
        Scorer("mmbench", mmbench.CITED, mmbench.score, mmbench.UNANSWERED),
        Scorer("nlvr2", nlvr2.CITED, nlvr2.score, nlvr2.UNANSWERED, nlvr2.interval),
        Scorer("hateful", hateful.CITED, hateful.score, hateful.UNANSWERED, hateful.interval),
    )
}
"""The benchmarks with official rules, by `Task.source`."""


def scorer(source: str, mode: Mode = "always") -> Scorer:
    """The scorer of a source.

    Args:
        source: `Task.source`; one that is not a benchmark (drawn scenes, one's own folder) gets
            `house`.
        mode: how VQA answers are normalised, see `verify.normalise`.

    Raises:
        InputError: a mode for a benchmark that has none.
    """
    if source in ("vqav2", "okvqa"):
        return Scorer(source, vqa.CITED, partial(vqa.score, mode=mode), vqa.UNANSWERED)
    if source in BENCHMARKS:
        if mode != "always":
            raise InputError(
                f"'{source}' has one way of scoring; the mode '{mode}' is for vqav2 and okvqa"
            )
        return BENCHMARKS[source]
    return Scorer(
        source, "verify.answers: by answer type, lenient about form", partial(house, mode=mode)
    )


def house(
    tasks: Sequence[Task], answers: Mapping[str, SystemAnswer], mode: Mode = "always"
) -> Scores:
    """`accuracy` as programs are verified (`verify.answers.score`), and `family/<family>`.

    Args:
        tasks: the questions.
        answers: by task.
        mode: how VQA answers are normalised, see `verify.normalise`.
    """
    counting = [task for task in tasks if task.labelled]
    per_task = {}
    for task in counting:
        text = answer_text(task, answers)
        per_task[task.id] = 0.0 if text is None else comparators.score(task, text, mode).score
    families = {task.id: f"family/{task.family}" for task in counting if task.family}
    metrics = {"accuracy": mean(per_task.values()), **means_by_group(per_task, families)}
    return Scores(
        "accuracy", per_task, metrics, unlabelled_reason(tasks), count_unanswered(per_task, answers)
    )
