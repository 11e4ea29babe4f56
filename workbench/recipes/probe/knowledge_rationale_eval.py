"""Knowledge-intensive visual questions, judged on three axes: by what has to be known, and why.

The paper asks people about commonsense, about fine-grained knowledge of the world, and whether the
reason given leads to the answer.  Here blind ratings of two systems are divided by what a question
takes (a program that asks a language model, or sight alone), and three axes are told of each: the
answer, the facts of the rationale, and both together with a rationale that leads to the answer.

Every share is over questions with Wilson's 95 % interval; raters are compared by Cohen's kappa,
p_o the share of answers on which two agree, p_e what chance alone would give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import get_args

from workbench.recipes.card import Card
from workbench.recipes.ports import (
    JudgedAnswer,
    JudgedReport,
    JudgedShare,
    QuestionKind,
    RaterAgreement,
)
from workbench.records import PartRef
from workbench.shares import Share

CARD = Card(
    name="knowledge_rationale_eval",
    port="probe",
    paper="A Comprehensive Evaluation of GPT-4V on Knowledge-Intensive Visual Question Answering",
    year=2023,
    grade="A",
    level="V1",
    provenance="R",
    link="https://arxiv.org/abs/2311.07536",
    idea="People rate two systems' answers and rationales blind; the figures stand apart for "
    "questions that take knowledge and for those that take sight.",
    formula="share = mean over questions of (mean over raters of yes); sound = correct and factual "
    "and consistent; kappa = (p_o - p_e) / (1 - p_e)",
    command="vpd probe --probe knowledge_rationale_eval",
    expect="Shares with n and interval for each system and kind, kappa for each two raters; the "
    "judgement itself needs people (vpd app, Curate, Rate models, about: knowledge).",
    traps=(
        "Two ratings of one question are not two questions: the interval would be too narrow.",
        "A rationale that nobody rated for facts is not false: each share has its own n.",
    ),
    not_reproduced=(
        "The division of knowledge into commonsense and fine-grained: a program says only that it "
        "asks for knowledge.",
        "The paper's prompts of composite pictures.",
    ),
)

Judge = Callable[[JudgedAnswer], bool | None]
"""What a rater said on an axis; None where the rater was not asked."""

_AXES: Mapping[str, Judge] = {
    "answer": lambda row: row.correct,
    "facts": lambda row: row.factual,
    "sound": lambda row: (
        None
        if row.factual is None or row.consistent is None
        else row.correct and row.factual and row.consistent
    ),
}
"""What is counted: the answer, the facts of the rationale, and an answer for the right reason."""


class KnowledgeRationaleEval:
    """Figures of blind ratings by what a question takes, with intervals and kappa."""

    def __init__(self) -> None:
        self.ref = PartRef("probe", "knowledge_rationale_eval")

    def measure(self, rows: Sequence[JudgedAnswer]) -> JudgedReport:
        """The figures of stored ratings: the same rows give the same figures."""
        systems = sorted({row.system for row in rows})
        kinds = [kind for kind in get_args(QuestionKind) if any(row.kind == kind for row in rows)]
        return JudgedReport(
            tuple(
                JudgedShare(
                    system,
                    kind,
                    axis,
                    _share((r for r in rows if (r.system, r.kind) == (system, kind)), judge),
                )
                for kind in kinds
                for axis, judge in _AXES.items()
                for system in systems
            ),
            tuple(_agreements(rows)),
        )


def _share(rows: Iterable[JudgedAnswer], judge: Judge) -> Share:
    """The share of yes: each question counts once, with the mean of its raters."""
    votes: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        yes = judge(row)
        if yes is not None:
            votes[row.task_id].append(yes)
    return Share(sum(sum(own) / len(own) for own in votes.values()), len(votes))


def _agreements(rows: Sequence[JudgedAnswer]) -> Iterable[RaterAgreement]:
    raters = sorted({row.rater for row in rows})
    for axis, judge in _AXES.items():
        words: dict[str, dict[tuple[str, str], bool]] = {rater: {} for rater in raters}
        for row in rows:
            yes = judge(row)
            if yes is not None:
                words[row.rater][row.task_id, row.system] = yes
        for first, second in combinations(raters, 2):
            both = sorted(set(words[first]) & set(words[second]))
            if both:
                pairs = [(words[first][one], words[second][one]) for one in both]
                yield RaterAgreement(axis, first, second, len(pairs), kappa(pairs))


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two raters' words; None where both said one and the same throughout.

    Args:
        pairs: what each said of the same answers, at least one.
    """
    n = len(pairs)
    alike = sum(one == other for one, other in pairs) / n
    first, second = (sum(pair[at] for pair in pairs) / n for at in (0, 1))
    chance = first * second + (1 - first) * (1 - second)
    return None if chance == 1 else (alike - chance) / (1 - chance)
