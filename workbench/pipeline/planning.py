"""What to do next in a project under a budget of a person's minutes and of programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.curate.budget import (
    NextStep,
    Saving,
    agreement_table,
    bin_of,
    chance_of_a_right_one,
    prior,
    simulate,
    within,
)
from workbench.curate.predict import AcceptanceModel
from workbench.errors import InputError
from workbench.store import Outcome, Project, Selection
from workbench.store.people.queue import Queue

SECONDS = 20.0
"""Seconds of a decision where nobody has decided yet."""


@dataclass(frozen=True, slots=True)
class NextPlan:
    """The best use of a budget."""

    people: tuple[NextStep, ...]
    """What a person does: curate and label, the best first."""
    programs: tuple[NextStep, ...]
    """Which questions are sampled more, the best first."""
    seconds: float
    """Of one decision: the median of those that were made, or a guess."""
    measured: bool
    """Whether anybody has decided yet."""
    acceptance: str
    """What the chances of acceptance rest on, in words."""
    candidates: Mapping[str, int]
    """Steps that were weighed, by action."""


def next_steps(
    project: Project,
    minutes: float,
    programs: int,
    more: int,
    selection: Selection | None = None,
) -> NextPlan:
    """The best use of some minutes of a person and of some programs.

    Args:
        project: open, its questions judged.
        minutes: of a person.
        programs: that may be written.
        more: programs that a question gets at once.
        selection: the questions; all when None.

    Raises:
        InputError: a number is out of its range, or nothing was judged yet.
    """
    if min(minutes, programs) < 0 or not 1 <= more <= 100:
        raise InputError(
            "minutes and programs must be 0 or more, and --more 1 to 100; found "
            f"{minutes:g}, {programs} and {more}"
        )
    outcomes = _judged(project, selection or Selection())
    rows = Queue(project.database).pending_rows()
    model = Queue(project.database).model()
    usual = _usual(project)
    seconds = _median_seconds(project)
    cost = seconds or SECONDS
    steps = [
        *_curate(outcomes, rows, model, usual, cost),
        *_label(outcomes, usual, cost),
        *_sample(outcomes, usual, more),
    ]
    return NextPlan(
        people=tuple(within([s for s in steps if s.action != "sample"], 60 * minutes)),
        programs=tuple(within([s for s in steps if s.action == "sample"], float(programs))),
        seconds=cost,
        measured=seconds is not None,
        acceptance=model if isinstance(model, str) else f"learnt from {model.n} decided questions",
        candidates={
            action: sum(step.action == action for step in steps)
            for action in ("curate", "label", "sample")
        },
    )


def _judged(project: Project, selection: Selection) -> list[Outcome]:
    """What came of the judged questions.

    Raises:
        InputError: none is judged.
    """
    outcomes = [one for one in project.outcomes(None, selection) if one.status != "waiting"]
    if not outcomes:
        raise InputError(
            "no question was judged yet, so nothing can be weighed; begin with: vpd run"
        )
    return outcomes


def saving(project: Project, goal: float, seed: int = 0) -> Saving | str:
    """How many decisions predicted acceptance would have saved, by replaying those that are stored.

    Args:
        project: has the decisions.
        goal: share of the accepts that is to be reached.
        seed: of the draws.

    Returns:
        The saving, or why nothing can be said, in words.

    Raises:
        InputError: the goal is no share.
    """
    if not 0 < goal <= 1:
        raise InputError(f"the goal is a share above 0, at most 1, found {goal:g}")
    rows = Queue(project.database).settled_rows()
    return simulate(rows, [bool(row["yes"]) for row in rows], goal, seed)


def _usual(project: Project) -> float:
    """How often people accept, one accept and one reject added."""
    rows = Queue(project.database).settled_rows()
    return (sum(bool(row["yes"]) for row in rows) + 1) / (len(rows) + 2)


def _median_seconds(project: Project) -> float | None:
    """Seconds of a decision, by the people who made most of them."""
    people = [one for one in project.curation.reviewers() if one.median_seconds is not None]
    busiest = max(people, key=lambda one: one.decided, default=None)
    return None if busiest is None or not busiest.median_seconds else busiest.median_seconds


def _curate(
    outcomes: Sequence[Outcome],
    rows: Mapping[str, Mapping[str, float]],
    model: AcceptanceModel | str,
    usual: float,
    cost: float,
) -> list[NextStep]:
    """Kept runs that nobody has decided on.

    Args:
        outcomes: of the questions.
        rows: features of those that wait for a decision, by id.
        model: says how likely an accept is, or why it cannot.
        usual: share of accepts so far.
        cost: seconds of a decision.
    """
    steps = []
    for one in outcomes:
        if one.task_id not in rows or one.status not in ("kept", "agreed"):
            continue
        if isinstance(model, str):
            # before anything is learnt, programs that agree are the surer accepts
            chance = usual * (1 - (one.siblings or 0.0) / 2)
            why = f"{1 - (one.siblings or 0.0):.0%} of its programs agree"
        else:
            chance = model.chance(rows[one.task_id])
            why = f"accepted with a chance of {chance:.0%}"
        steps.append(NextStep("curate", one.task_id, chance, cost, why))
    return steps


def _label(outcomes: Sequence[Outcome], usual: float, cost: float) -> list[NextStep]:
    """Questions without a label: one turns an agreement into a verdict.

    Args:
        outcomes: of the questions.
        usual: share of accepts so far.
        cost: seconds of a decision.
    """
    labelled = [one for one in outcomes if one.labelled and one.siblings is not None]
    table = agreement_table((1 - (one.siblings or 0.0), one.status == "kept") for one in labelled)
    steps = []
    for one in outcomes:
        if one.labelled or one.siblings is None:
            continue
        agreement = 1 - one.siblings
        chance = table[bin_of(agreement)]
        why = f"{agreement:.0%} of its programs agree; such questions have a right one {chance:.0%}"
        steps.append(NextStep("label", one.task_id, chance * usual, cost, why))
    return steps


def _sample(outcomes: Sequence[Outcome], usual: float, more: int) -> list[NextStep]:
    """Labelled questions without a right program.

    Args:
        outcomes: of the questions.
        usual: share of accepts so far.
        more: programs that a question gets at once.
    """
    counts = defaultdict(list)
    for one in outcomes:
        if one.labelled:
            counts[one.family].append((one.judged, one.correct))
    beliefs = {family: prior(pairs) for family, pairs in counts.items()}
    steps = []
    for one in outcomes:
        if not one.labelled or one.correct:
            continue
        chance = chance_of_a_right_one(beliefs[one.family], one.judged, one.correct, more)
        family = one.family or "such questions"
        why = (
            f"none of {one.judged} was right; of {more} more one is, with a chance of {chance:.0%}"
        )
        steps.append(NextStep("sample", one.task_id, chance * usual, more, f"{family}: {why}"))
    return steps
