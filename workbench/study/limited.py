"""A few labels: what a project's programs give where most questions have none.

The labels of all questions but n are hidden.  Programs have run already, and their answers say what
a question without a label would be taught: the answer that wins their vote, and the rationale of
its run.  Which of these are taken is the question; there are three rules:

    agreement   at least `AGREE` of the programs give the winning answer
    checks      the same, and no check for wrong reasons speaks against the run
    critic      a critic (`vpd critic`) takes it, which has learnt from the n questions with a
                label: there the winning answer counts as accepted where the label says so

Nothing else that looks at a hidden label decides anything; how many of the taken answers are right
is counted for the reader.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from workbench import registry
from workbench.errors import InputError
from workbench.evaluate.statistics.ranking import cutoff
from workbench.evaluate.wrong_reasons import suspicion
from workbench.evaluate.wrong_reasons.counterfactual import Worlds, shake
from workbench.evidence import FLAGGED, rank
from workbench.execute import Limits
from workbench.pipeline.suspecting import case_of, specs_of
from workbench.rationalize.template import TemplateWriter
from workbench.recipes.ports import ReviewedRow
from workbench.records import Program, Rationale, Task, Trace, content_key
from workbench.snapshot import Example, Snapshot, boxes_in
from workbench.snapshot.example import task_of
from workbench.store import Project
from workbench.study.criticising import out_of_fold
from workbench.study.derived import derive
from workbench.verify.answers import RIGHT, canonical, score
from workbench.verify.vote import vote

Rule = Literal["vote", "agreement", "checks", "critic"]
RULES: tuple[Rule, ...] = get_args(Rule)
"""Ways of taking answers without a label; `vote` takes every one that wins."""
AGREE = 0.8
"""Least share of all programs of a question that give the winning answer."""
RECALL = 0.8
"""Share of the right answers that the critic is to keep, on questions it has not learnt from."""


@dataclass(frozen=True, slots=True)
class Winner:
    """The run that wins the vote of a question's programs, with what tells whether it is right."""

    task: Task
    """The question, without its label."""
    program: Program
    trace: Trace
    rationale: Rationale
    agreement: float
    """Share of all programs that give its answer."""
    doubt: float
    """What the checks for wrong reasons say, 0 to 1."""
    runs: int

    @property
    def answer(self) -> str:
        """What the question would be taught."""
        return self.trace.answer or ""

    @property
    def tells(self) -> bool:
        """Whether its rationale can be taught."""
        return not self.rationale.issues and not self.rationale.bare

    def reviewed(self) -> ReviewedRow:
        """The run as a critic reads it; no fact of it comes from a label."""
        facts = {
            "agreement": self.agreement,
            "doubt": self.doubt,
            "runs": float(self.runs),
            "score": self.program.score,
            "evidence": float(rank(self.trace.evidence)),
            "faithful": float(not self.rationale.issues),
            "bare": float(self.rationale.bare),
        }
        return ReviewedRow(
            self.task.id,
            self.task.image,
            self.task.question,
            self.answer,
            self.program.source,
            self.rationale.text,
            facts,
        )


@dataclass(frozen=True, slots=True)
class LimitedSnapshot:
    """A snapshot of a few labels and of what a rule took beside them."""

    snapshot: Snapshot
    labels: int
    rule: Rule | None
    """None for the labels alone."""
    count: int
    """Number of questions beside them."""
    right: int
    """How many of these are taught the right answer, by the hidden labels."""

    @property
    def note(self) -> str:
        """In words."""
        if self.rule is None:
            return f"{self.labels} labels alone"
        return (
            f"{self.labels} labels and {self.count} questions taken by {self.rule}, of which "
            f"{self.right} have the right answer"
        )


def limited(
    project: Project,
    source: Snapshot,
    labels: int,
    rules: Sequence[Rule] = RULES,
    seed: int = 0,
    critic: str = "trained_critic",
) -> dict[Rule | None, LimitedSnapshot]:
    """Snapshots of n labels: alone, and with what each rule takes of the other questions.

    The held-out side has as many labels at most.  The same questions have labels at a larger
    number, and others with them.

    Args:
        project: has the runs, and keeps the snapshots.
        source: has the questions with their labels; it was taken with labels.
        labels: number of questions of the training side whose label is known.
        rules: which are tried.
        seed: decides which labels are known.
        critic: name of the critic.

    Raises:
        InputError: there are too few questions, or programs have not run, or the critic has too
            little to learn from.
    """
    train = _order(source.examples("train"), seed)
    if not 1 <= labels < len(train):
        raise InputError(
            f"{labels} labels of {len(train)} training questions leave nothing to learn about few "
            f"labels; take 1 to {len(train) - 1}"
        )
    few, rest = train[:labels], train[labels:]
    held_out = _order(source.examples("val"), seed)[:labels]
    winners = {one.task.id: one for one in _winners(project, train)}
    if not winners:
        raise InputError(
            "no program of these questions has run to an answer, so nothing can be taken without "
            "a label; run them first: vpd run --k 5"
        )
    by_rule: dict[Rule | None, LimitedSnapshot] = {}
    for rule in (None, *rules):
        chosen = choice(rule, few, rest, winners, critic)
        rows = [_unlabelled(row, winners[row.task_id]) for row in chosen]
        right = sum(_right(row, winners[row.task_id].answer) for row in chosen)
        mark = {"labels": labels, "rule": rule, "taken": len(rows), "right": right, "seed": seed}
        name = f"{labels} labels" + (f" and {rule}" if rule else "")
        snapshot = derive(project, source, [*few, *rows, *held_out], mark, name)
        by_rule[rule] = LimitedSnapshot(snapshot, labels, rule, len(rows), right)
    return by_rule


def _order(rows: Sequence[Example], seed: int) -> list[Example]:
    """One row a question, drawn by hash, families in turn so that few labels hold each of them."""
    by_family: dict[str, list[Example]] = {}
    for row in sorted(rows, key=lambda row: content_key("label", seed, row.task_id)):
        by_family.setdefault(row.family, []).append(row)
    places = [(at, family, row) for family, own in by_family.items() for at, row in enumerate(own)]
    return [row for _, _, row in sorted(places, key=lambda place: place[:2])]


def _winners(project: Project, rows: Sequence[Example]) -> Iterator[Winner]:
    """The winner of each question whose programs gave an answer, judged without its label."""
    scope = project.scope()
    writer = TemplateWriter()
    winning: list[tuple[Task, Program, Trace, float, Sequence[tuple[Program, Trace]]]] = []
    for labelled, runs in project.runs([row.task_id for row in rows], scope):
        task = replace(labelled, answers=())
        forms = [
            canonical(trace.answer, task) if trace.ok and trace.answer is not None else None
            for _, trace in runs
        ]
        at = vote(forms, [program.score for program, _ in runs])
        if at is not None:
            best = _speaks_best(runs, forms, at)
            winning.append((task, *runs[best], forms.count(forms[at]) / len(runs), runs))
    texts = writer.write([(task, program, trace) for task, program, trace, *_ in winning])
    cases = [
        case_of(task, program, trace, runs, rationale.issues)
        for (task, program, trace, _, runs), rationale in zip(winning, texts, strict=True)
    ]
    with Worlds(specs_of(project), Limits.of(project.profile().limits)) as worlds:
        shaken = shake(worlds, ((case.task, case.program, case.trace) for case in cases))
        for case, effects, rationale, row in zip(cases, shaken, texts, winning, strict=True):
            doubt = suspicion.suspicion(suspicion.findings(case, effects))
            yield Winner(case.task, case.program, case.trace, rationale, row[3], doubt, len(row[4]))


def _speaks_best(
    runs: Sequence[tuple[Program, Trace]], forms: Sequence[str | None], at: int
) -> int:
    """Of the runs with the winning answer, the one that looked, and of equals the most probable."""
    same = [place for place, form in enumerate(forms) if form == forms[at]]
    return min(same, key=lambda place: (rank(runs[place][1].evidence), -runs[place][0].score))


def choice(
    rule: Rule | None,
    few: Sequence[Example],
    rest: Sequence[Example],
    winners: Mapping[str, Winner],
    critic: str,
) -> list[Example]:
    """The questions without a label that a rule takes.

    Args:
        rule: None takes none.
        few: the questions with a label.
        rest: the others.
        winners: by question.
        critic: name of the critic.

    Raises:
        InputError: the critic has nothing to learn from.
    """
    there = [row for row in rest if row.task_id in winners]
    if rule is None:
        return []
    if rule == "vote":
        return there
    if rule == "critic":
        return _criticised(few, there, winners, critic)
    return [
        row
        for row in there
        if (one := winners[row.task_id]).agreement >= AGREE
        and (rule == "agreement" or one.doubt < FLAGGED)
    ]


def _criticised(
    few: Sequence[Example], rest: Sequence[Example], winners: Mapping[str, Winner], name: str
) -> list[Example]:
    """What a critic takes that has learnt from the labels.

    Raises:
        InputError: it has nothing to learn from.
    """
    learn = [row for row in few if row.task_id in winners]
    accepted = [_right(row, winners[row.task_id].answer) for row in learn]
    rows = [winners[row.task_id].reviewed() for row in learn]
    for side, words in ((True, "right"), (False, "wrong")):
        pictures = {row.picture for row, yes in zip(rows, accepted, strict=True) if yes is side}
        if len(pictures) < 2:
            raise InputError(
                f"a critic learns from right and wrong answers about two pictures or more each, "
                f"and the programs' answers to {len(learn)} questions with a label are {words} "
                f"for {accepted.count(side)}, about {len(pictures)}; take more labels"
            )
    model: Any = registry.build("critic", name)
    apart = out_of_fold(rows, accepted, lambda some, yes: model.fit(some, yes).chances)
    least = cutoff(apart, accepted, RECALL)
    chances = model.fit(rows, accepted).chances([winners[row.task_id].reviewed() for row in rest])
    return [
        row
        for row, chance in zip(rest, chances, strict=True)
        if math.isfinite(chance) and chance >= least
    ]


def _right(row: Example, answer: str) -> bool:
    """Whether an answer fits the label."""
    return score(task_of(row), answer).score >= RIGHT


def _unlabelled(row: Example, winner: Winner) -> Example:
    """A question as it is taught without its label: the winner's answer and rationale."""
    text = winner.rationale.text if winner.tells else None
    return replace(
        row,
        answer=winner.answer,
        answers=(),
        rationale=text,
        boxes=boxes_in(text or ""),
        program=winner.program.source,
        kind="automatic",
        trace_id=winner.trace.id,
        program_id=winner.program.id,
        rationale_id=winner.rationale.id if text is not None else None,
        edited=False,
        reviewers=(),
        guideline=None,
        weight=1.0,
    )
