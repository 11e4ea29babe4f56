"""Blind ratings of two models' explanations: the figures of the paper's human evaluation.

Hu et al. 2024, section 4.4: raters saw 600 questions with both models' answers and were asked, in
this order, whether each answer is correct, whether it explains itself, if so whether the
explanation is factual and consistent with the answer, and then which of the two they prefer.

Every share is over questions, not ratings: where several people rated a question it counts once,
with the mean of their ratings, so that an interval does not take two opinions about one question
for two questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC

from workbench.curate.agreement import Agreement, agreements
from workbench.evaluate.statistics.comparisons import Paired, compare_systems
from workbench.records import JSON, Decision, Form, Rating
from workbench.shares import Share

ASKED: Mapping[str, str] = {
    "correct": "answer correct",
    "explains": "explains itself",
    "factual": "of these: factual",
    "consistent": "of these: consistent",
}
"""The questions of the form, in the order in which they are put."""

PAPER: Mapping[str, tuple[float, float]] = {
    "correct": (0.72, 0.88),
    "explains": (0.22, 0.46),
    "factual": (0.73, 0.87),
    "consistent": (0.88, 0.98),
}
"""The paper's shares for PaLI-X-Instruct and PaLI-X-VPD over 600 questions."""

_FilledForms = Sequence[tuple[Decision, Rating]]

PREFERENCES = ("first", "second", "both", "neither")


@dataclass(frozen=True, slots=True)
class HumanEvaluation:
    """What people think of the answers of two models."""

    first: str
    """Key of the part; `pipeline` for the programs."""
    second: str
    questions: int
    ratings: int
    raters: tuple[str, ...]
    shares: Mapping[str, tuple[Share, Share]]
    """Share of yes for the first and for the second model, by question of the form."""
    differences: Mapping[str, Paired | None]
    """Second model minus first, over the questions that count for both."""
    preferences: Mapping[str, Share]
    agreement: Mapping[str, Sequence[Agreement]]
    """Agreement of each two raters who rated the same, by question of the form and `preference`."""

    def to_json(self) -> dict[str, JSON]:
        """Plain values: shares with their intervals, and the paper's shares."""
        return asdict(self) | {
            "shares": {
                name: [share.to_json() for share in both] for name, both in self.shares.items()
            },
            "preferences": {name: share.to_json() for name, share in self.preferences.items()},
            "paper": {name: list(both) for name, both in PAPER.items()},
        }


def rated_pairs(ratings: Iterable[Decision]) -> list[tuple[str, str]]:
    """Pairs of models for which people filled in the form, the most rated first."""
    pairs = Counter(
        (min(one.left, one.right), max(one.left, one.right)) for _, one in _filled_forms(ratings)
    )
    return [pair for pair, _ in pairs.most_common()]


def human_evaluation(ratings: Iterable[Decision], first: str, second: str) -> HumanEvaluation:
    """Figures over the ratings of these two models; votes without the form are left out.

    Args:
        ratings: each rater's last word on each question and pair of models.
        first: key of the first model's part.
        second: key of the second model's part.
    """
    forms = [
        (event, rating)
        for event, rating in _filled_forms(ratings)
        if {rating.left, rating.right} == {first, second}
    ]
    scores = {name: (_scores(forms, name, first), _scores(forms, name, second)) for name in ASKED}
    preferred = [(event.task_id, _preferred(rating)) for event, rating in forms]
    names = {first: "first", second: "second"}
    return HumanEvaluation(
        first,
        second,
        len({event.task_id for event, _ in forms}),
        len(forms),
        tuple(sorted({event.author for event, _ in forms})),
        {name: (_over(a), _over(b)) for name, (a, b) in scores.items()},
        {name: compare_systems(b, a) for name, (a, b) in scores.items()},
        {
            choice: _over(
                _means((task, names.get(model, model) == choice) for task, model in preferred)
            )
            for choice in PREFERENCES
        },
        {name: _agreement(forms, name) for name in ASKED}
        | {
            "preference": agreements(
                (event.task_id, event.author, _preferred(rating)) for event, rating in forms
            )
        },
    )


def table(ratings: Iterable[Decision]) -> list[dict[str, JSON]]:
    """One row per rating and model, with the form as it was filled in, for a spreadsheet."""
    return [
        {
            "question": event.task_id,
            "rater": event.author,
            "rated_at": event.created_at.replace(tzinfo=UTC).isoformat()
            if event.created_at
            else None,
            "seconds": event.seconds,
            "model": model,
            "other": other,
            "side": side,
            **asdict(form),
            "preferred": {model: "this", other: "other"}.get(_preferred(rating), rating.preference),
        }
        for event, rating in _filled_forms(ratings)
        for side, model, other, form in (
            ("left", rating.left, rating.right, rating.left_form),
            ("right", rating.right, rating.left, rating.right_form),
        )
        if form is not None
    ]


def _filled_forms(ratings: Iterable[Decision]) -> list[tuple[Decision, Rating]]:
    return [
        (event, event.rating)
        for event in ratings
        if event.rating is not None and event.rating.left_form is not None
    ]


def _form(rating: Rating, model: str) -> Form | None:
    return rating.left_form if rating.left == model else rating.right_form


def _preferred(rating: Rating) -> str:
    """The preferred model, `both` or `neither`."""
    return {"left": rating.left, "right": rating.right}.get(rating.preference, rating.preference)


def _scores(forms: _FilledForms, name: str, model: str) -> dict[str, float]:
    """By question, the share of yes among the raters who answered."""
    return _means((event.task_id, getattr(_form(rating, model), name)) for event, rating in forms)


def _means(answers: Iterable[tuple[str, bool | None]]) -> dict[str, float]:
    by_task: dict[str, list[bool]] = {}
    for task, yes in answers:
        if yes is not None:
            by_task.setdefault(task, []).append(yes)
    return {task: sum(votes) / len(votes) for task, votes in by_task.items()}


def _over(scores: Mapping[str, float]) -> Share:
    return Share(sum(scores.values()), len(scores))


def _agreement(forms: _FilledForms, name: str) -> list[Agreement]:
    """Agreement over the models' answers about which both raters answered this question."""
    return agreements(
        (f"{event.task_id}/{model}", event.author, "yes" if yes else "no")
        for event, rating in forms
        for model in (rating.left, rating.right)
        if (yes := getattr(_form(rating, model), name)) is not None
    )
