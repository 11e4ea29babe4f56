"""What to do next under a budget: which questions to label, to curate and to sample more.

Every step has a gain, the expected number of questions that it adds to what may be taught, and a
cost.  A budget is filled by gain for cost, the highest first.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from workbench.curate import predict

Action = Literal["curate", "label", "sample"]
ACTIONS: tuple[Action, ...] = get_args(Action)

BINS = (0.5, 0.8, 1.0)
"""Upper ends of the bins of agreement in which labelled questions say how often a kept run is
right; the last one holds full agreement as well.
"""
EVERY = 10
"""Decisions after which the simulation learns again, as the queue does."""
DRAWS = 100
"""Repetitions of the simulation."""
PART = 0.8
"""Share of the decisions that each repetition draws."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing that could be done."""

    action: Action
    task_id: str
    gain: float
    """Expected questions that it adds to what may be taught, 0 to 1."""
    cost: float
    """Seconds of a person, or programs of the sampler."""
    why: str


def prior(counts: Iterable[tuple[int, int]]) -> tuple[float, float]:
    """A beta distribution for the chance that a program is right, over some questions.

    Its mean is the share of right programs, half a success and half a failure added; its weight is
    that of the moments' fit, 0.5 to 20 programs.

    Args:
        counts: programs and right ones of each question.
    """
    pairs = [(n, c) for n, c in counts if n > 0]
    total, right = sum(n for n, _ in pairs), sum(c for _, c in pairs)
    mean = (right + 0.5) / (total + 1)
    weight = 2.0
    if len(pairs) > 1:
        shares = np.array([c / n for n, c in pairs])
        size = total / len(pairs)
        spread, chance = float(shares.var(ddof=1)), mean * (1 - mean)
        # variance of a share: chance * (1 + (size - 1) / (weight + 1)) / size
        between = (spread * size / chance - 1) / max(size - 1, 1e-9)
        weight = 1 / min(max(between, 1e-9), 1.0) - 1
    weight = min(max(weight, 0.5), 20.0)
    return mean * weight, (1 - mean) * weight


def chance_of_a_right_one(
    beliefs: tuple[float, float], programs: int, right: int, more: int
) -> float:
    """The chance that at least one of some further programs of a question is right.

    Args:
        beliefs: as `prior` gives them.
        programs: written so far.
        right: of these.
        more: further ones.
    """
    a, b = beliefs[0] + right, beliefs[1] + programs - right
    none = 1.0
    for number in range(more):
        none *= (b + number) / (a + b + number)
    return 1 - none


def agreement_table(rows: Iterable[tuple[float, bool]]) -> tuple[float, ...]:
    """How often the most frequent answer is right, in each bin of agreement.

    One right and one wrong question are added to each bin, so that an empty one says a half.

    Args:
        rows: of labelled questions: the share of the answers that are the most frequent one, and
            whether that one is right.
    """
    right, of = [1] * len(BINS), [2] * len(BINS)
    for agreement, good in rows:
        at = bin_of(agreement)
        of[at] += 1
        right[at] += good
    return tuple(r / n for r, n in zip(right, of, strict=True))


def bin_of(agreement: float) -> int:
    """The bin of an agreement."""
    return next((at for at, end in enumerate(BINS) if agreement < end), len(BINS) - 1)


def within(steps: Iterable[NextStep], budget: float) -> list[NextStep]:
    """The steps that a budget is spent on, the best gain for its cost first.

    Args:
        steps: that compete for one budget.
        budget: in the unit of their costs.
    """
    ordered = sorted(steps, key=lambda one: (-one.gain / one.cost, one.action, one.task_id))
    chosen, left = [], budget
    for one in ordered:
        if one.gain > 0 and one.cost <= left:
            chosen.append(one)
            left -= one.cost
    return chosen


@dataclass(frozen=True, slots=True)
class Saving:
    """How many decisions the predicted order needs beside a random one, by replaying decisions."""

    decisions: int
    """Stored decisions that were replayed."""
    accepted: int
    """Accepts among them."""
    goal: float
    """Share of the accepts that is to be reached."""
    needed: float
    """Decisions that the predicted order needed, mean over the draws."""
    random: float
    """Decisions that a random order needs, on average."""
    saved: float
    """Share of the random order's decisions that is saved, mean over the draws."""
    low: float
    high: float
    """2.5 and 97.5 per cent of the draws."""
    draws: int


def simulate(
    rows: Sequence[Mapping[str, float]],
    accepted: Sequence[bool],
    goal: float = 0.8,
    seed: int = 0,
    fit: Callable[
        [Sequence[Mapping[str, float]], Sequence[bool]], predict.AcceptanceModel | str
    ] = predict.fit,
) -> Saving | str:
    """Replay stored decisions in the order that predicted acceptance gives, against random order.

    Each draw takes a random part of the decisions without repetition, so that no item is learnt
    from and asked about.  The first items come in random order until something can be learnt; from
    then on the likeliest is next, and the model learns again every few decisions.

    Args:
        rows: features of the decided items.
        accepted: what people decided, in the same order.
        goal: share of the accepts that is to be reached, above 0, at most 1.
        seed: of the draws.
        fit: learns from decisions.

    Returns:
        The saving, or why nothing can be said, in words.
    """
    model = fit(rows, accepted)
    if isinstance(model, str):
        return model
    dice = random.Random(seed)
    size = max(round(PART * len(rows)), 1)
    needed, chance, saved = [], [], []
    for _ in range(DRAWS):
        order = dice.sample(range(len(rows)), size)
        target = max(round(goal * sum(accepted[at] for at in order)), 1)
        if not any(accepted[at] for at in order):
            continue
        ours = _decisions(order, rows, accepted, target, fit)
        # the mean place of the last of them in a random order
        theirs = target * (size + 1) / (sum(accepted[at] for at in order) + 1)
        needed.append(ours)
        chance.append(theirs)
        saved.append(1 - ours / theirs)
    low, high = np.percentile(saved, [2.5, 97.5])
    return Saving(
        decisions=len(rows),
        accepted=sum(accepted),
        goal=goal,
        needed=float(np.mean(needed)),
        random=float(np.mean(chance)),
        saved=float(np.mean(saved)),
        low=float(low),
        high=float(high),
        draws=len(saved),
    )


def _decisions(
    order: Sequence[int],
    rows: Sequence[Mapping[str, float]],
    accepted: Sequence[bool],
    target: int,
    fit: Callable[[Sequence[Mapping[str, float]], Sequence[bool]], predict.AcceptanceModel | str],
) -> int:
    """Decisions until so many are accepted.

    Args:
        order: the items of a draw, in random order.
        rows: features of all items.
        accepted: what people decided.
        target: accepts to reach.
        fit: learns from decisions.
    """
    left, decided, good = list(order), list[int](), 0
    while good < target:
        if len(decided) % EVERY == 0 and len(decided) >= predict.ENOUGH:
            model = fit([rows[at] for at in decided], [accepted[at] for at in decided])
            if not isinstance(model, str):
                chances = {at: model.chance(rows[at]) for at in left}
                left.sort(key=chances.__getitem__, reverse=True)
        at = left.pop(0)
        decided.append(at)
        good += accepted[at]
    return len(decided)
