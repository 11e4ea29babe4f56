"""A survey's three ways to use a model, as a card: as it is, after training, and by programs.

Systems that answered the same questions stand in one table: students without any training here
(zero-shot), students that a job taught (distilled), and the programs they were taught by.  Only
questions that all of them answered count.  Each has its share with a 95 % interval, and against the
first zero-shot student the paired difference with an interval that is drawn anew from the
questions.

    share = mean score over the common questions, Wilson's 95 % interval
    difference = mean over questions of (score - score of the base), 2.5 and 97.5 percentiles of
                 `draws` resamples of the questions, with a fixed seed
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.recipes.arguments import whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.ports import SystemAnswers, TransferReport, TransferRow
from workbench.records import PartRef
from workbench.shares import Share

CARD = Card(
    name="transfer_card",
    port="probe",
    paper="Vision-language models for vision tasks: a survey (pre-train, transfer, distil)",
    year=2023,
    grade="B",
    level="V2",
    provenance="N",
    link="https://github.com/jingyi0000/VLM_survey",
    idea="What training and distillation have bought: all systems on the questions that each of "
    "them answered, with intervals and paired differences.",
    formula="share with Wilson's interval over the common questions; difference = mean(score - "
    "base), interval by resampling questions",
    command="vpd probe --probe transfer_card",
    expect="After vpd evaluate, a table for each benchmark and split that two systems or more were "
    "evaluated on; from "
    "the same stored answers always the same figures.",
    defaults={"draws": 2000, "seed": 0},
    sources={"draws": "ours", "seed": "ours"},
    traps=(
        "Shares of different questions cannot be compared: only the common ones count, and the "
        "table says how many were left out.",
    ),
    not_reproduced=(
        "The survey has no algorithm; a linear probe of frozen features is no system of this "
        "workbench, and has no row.",
    ),
)
ORDER = ("zero-shot", "distilled", "programs")


class TransferCard:
    """Systems on their common questions, against the first zero-shot student.

    Args:
        draws: how often questions are drawn anew for an interval.
        seed: of the draws.
    """

    def __init__(self, draws: int = 2000, seed: int = 0) -> None:
        whole_numbers("transfer_card", 100, draws=draws)
        whole_numbers("transfer_card", 0, seed=seed)
        self._draws, self._seed = draws, seed
        self.ref = PartRef("probe", "transfer_card", arguments={"draws": draws, "seed": seed})

    def compare(self, systems: Sequence[SystemAnswers]) -> TransferReport:
        """The figures of some systems' stored scores: the same scores give the same figures."""
        common = sorted(set.intersection(*(set(one.scores) for one in systems)))
        every = set().union(*(set(one.scores) for one in systems))
        rows = sorted(systems, key=lambda one: (ORDER.index(one.kind), one.name))
        base = rows[0] if rows[0].kind == ORDER[0] else None
        report = []
        for one in rows:
            scores = np.array([one.scores[task] for task in common])
            row = TransferRow(one.name, one.kind, Share(float(scores.sum()), len(common)))
            if base is not None and one is not base and common:
                before = np.array([base.scores[task] for task in common])
                low, high = self._interval(scores - before)
                row = TransferRow(
                    one.name, one.kind, row.share, float((scores - before).mean()), low, high
                )
            report.append(row)
        name = "" if base is None else base.name
        return TransferReport(tuple(report), name, len(every) - len(common))

    def _interval(self, differences: np.ndarray) -> tuple[float, float]:
        """The middle 95 % of the means of resamples."""
        dice = np.random.default_rng(self._seed)
        count = len(differences)
        means = [
            float(differences[dice.integers(count, size=count)].mean()) for _ in range(self._draws)
        ]
        low, high = np.percentile(means, [2.5, 97.5])
        return float(low), float(high)
