"""Symbolic knowledge distillation's critic: people's decisions filter what a machine wrote.

The paper fine-tunes a classifier on a few thousand human judgements and keeps what it takes for
valid, at a cutoff that keeps a chosen share of the valid rows.  Here the judgements are Curate's
accepts and rejects, and the classifier is a logistic regression over words of question, program and
rationale beside the plain facts of the runs, which a processor fits in a second.

Words of the three texts are counted apart: "find" in a question is not "find" in a program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.ports import ReviewedRow, TrainedCriticModel
from workbench.records import PartRef

CARD = Card(
    name="trained_critic",
    port="critic",
    paper="Symbolic Knowledge Distillation: from General Language Models to Commonsense Models",
    year=2022,
    grade="A",
    level="V2",
    provenance="C",
    link="https://github.com/peterwestai2/symbolic-knowledge-distillation",
    idea="A classifier learns from what people accepted and rejected, and orders what is left by "
    "the chance that they would accept it.",
    formula="p(valid) = sigmoid(b + w . [tfidf(question); tfidf(program); tfidf(rationale); "
    "(facts - mean) / std]); cutoff(r) = the highest score at which recall is r or more",
    defaults={"strength": 1.0},
    sources={"strength": "ours: the inverse of the L2 penalty, as in scikit-learn"},
    command="vpd critic fit",
    expect="The command prints ROC-AUC and precision at recall 0.8 and 0.5 beside those of the "
    "model of eleven facts, on decisions that neither has learnt from; the critic orders the queue "
    "only where it is better beyond the interval.",
    traps=(
        "The released cutoff is the first recall at or below the target, and averages the cutoffs "
        "of validation and test; here it is the highest score with at least that recall, out of "
        "decisions that were not learnt from.",
        "Rows of one picture on both sides of a split make any critic look good.",
    ),
    not_reproduced=("The fine-tuned RoBERTa-large classifier and its learning rate.",),
)


class TrainedCritic:
    """Logistic regression over the words and facts of decided runs.

    Args:
        strength: the inverse of the penalty on weights; the smaller, the more careful.
    """

    def __init__(self, strength: float = 1.0) -> None:
        if not isinstance(strength, int | float) or isinstance(strength, bool) or strength <= 0:
            raise ProfileError(
                f"trained_critic needs strength as a number above 0, found {strength!r:.40}"
            )
        self._strength = float(strength)
        self.ref = PartRef("critic", "trained_critic", arguments={"strength": self._strength})

    def fit(self, rows: Sequence[ReviewedRow], accepted: Sequence[bool]) -> TrainedCriticModel:
        """The weights that decided rows give."""
        # Imported here, since it takes a second and most commands do without.
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        words = TfidfVectorizer(
            analyzer=_tokens, sublinear_tf=True, min_df=2 if len(rows) > 20 else 1
        )
        counted = words.fit_transform(rows)
        facts = _facts(rows)
        middle, spread = facts.mean(axis=0), facts.std(axis=0)
        spread[spread == 0] = 1.0
        learner = LogisticRegression(C=self._strength, max_iter=2000)
        learner.fit(_joined(counted, (facts - middle) / spread), np.array(accepted))
        return _Fitted(words, middle, spread, learner)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What a critic has learnt."""

    words: Any
    middle: np.ndarray
    spread: np.ndarray
    learner: Any

    def chances(self, rows: Sequence[ReviewedRow]) -> Sequence[float]:
        """The chance that each row is accepted."""
        if not rows:
            return []
        facts = (_facts(rows) - self.middle) / self.spread
        values = _joined(self.words.transform(rows), facts)
        return [float(value) for value in self.learner.predict_proba(values)[:, 1]]


def _facts(rows: Sequence[ReviewedRow]) -> np.ndarray:
    return np.array([[row.facts[name] for name in sorted(row.facts)] for row in rows], dtype=float)


def _joined(counted: Any, facts: np.ndarray) -> Any:
    from scipy.sparse import csr_matrix, hstack

    return hstack([counted, csr_matrix(facts)]).tocsr()


def _tokens(row: ReviewedRow) -> list[str]:
    """Words and pairs of neighbouring words of each text, marked with the text they stand in."""
    tokens = []
    for mark, text in (("q", row.question), ("p", row.program), ("r", row.rationale)):
        words = "".join(char if char.isalnum() else " " for char in text.lower()).split()
        tokens += [f"{mark}:{word}" for word in words]
        tokens += [f"{mark}:{one} {other}" for one, other in pairwise(words)]
    return tokens
