"""The figures of a project: pass@k, yield, failures, seconds, the student; with denominators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from workbench.evidence import LOOKED
from workbench.pipeline.report_repairs import RepairShares, repair_shares
from workbench.shares import Share, pass_at_k
from workbench.store import STAGES, Counts, Outcome, Project, Scope, Selection
from workbench.store.reading.variety import Variety, likeliest_right, variety
from workbench.store.records import loop_runs
from workbench.usage import Usage


@dataclass(frozen=True, slots=True)
class GroupShares:
    """Shares over a group of tasks; unlabelled ones count in `agreed` and `executed` alone."""

    tasks: int
    labelled: int
    passed: Mapping[int, Share]
    """pass@1 and pass@k over judged labelled tasks: the unbiased estimator of Chen et al. 2021 with
    n = k samples, so that pass@1 is the mean share of right programs and not the luck of the first.
    """
    first: Share
    """Judged labelled tasks whose first program is right.  It is a plain pass@1 of one program also
    where the programs of a task avoid one another, or where the first is the likeliest one.
    """
    kept: Share
    """Yield: labelled tasks with a right trace kept, of those judged."""
    looked: Share
    """Yield with evidence: labelled tasks with a right trace kept whose program looked for the
    parts of its answer, of those judged.
    """
    agreed: Share
    """Unlabelled tasks with a trace kept by agreement, of those judged; says nothing about being
    right.
    """
    executed: Share
    """Programs that ended with an answer, of those run."""
    student: Share
    """The student's score (right answers, or the sum of soft scores) over the labelled tasks it
    answered.
    """


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time of one stage with the parts in force."""

    rows: int
    """Records written."""
    seconds: float
    per_question: float | None
    """Seconds per question that went through; None where nothing did."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that `vpd status` prints."""

    k: int
    counts: Counts
    all: GroupShares
    likeliest: Share
    """Judged labelled tasks whose program with the highest mean log-probability is right: a choice
    of one of k that knows no label.
    """
    families: Mapping[str, GroupShares]
    stages: Mapping[str, Cost]
    seconds_per_question: float | None
    """Sampling k programs, running and judging them: what an answer by programs costs.  Loading of
    models apart.
    """
    student_seconds: float | None
    """Seconds per question of the student's own answer."""
    peak_rss: int | None
    """Highest use of memory of the latest finished run, in bytes."""
    usage: Mapping[str, Usage] = field(default_factory=dict)
    """What endpoints were asked in all runs of the project, by stage, and what that cost."""
    rationales: int = 0
    """Rationales of kept runs in the whole project, with the parts in force."""
    repairs: RepairShares | None = None
    """What writing programs again brought; None where none was."""
    variety: Variety | None = None
    """How much the programs of a question differ; None where nobody compared them."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the shares as numbers.

        Their hits, denominators and intervals stand under `details`.
        """
        shares = {**_shares(self.all), "likeliest_program": self.likeliest}
        return {
            "k": self.k,
            **{name: share.value for name, share in shares.items()},
            "seconds_per_question": self.seconds_per_question,
            "student_seconds_per_question": self.student_seconds,
            "counts": asdict(self.counts),
            "details": {name: _share(share) for name, share in shares.items()},
            "families": {
                family: {
                    "tasks": group.tasks,
                    "labelled": group.labelled,
                    **{name: _share(share) for name, share in _shares(group).items()},
                }
                for family, group in self.families.items()
            },
            "stages": {name: asdict(cost) for name, cost in self.stages.items()},
            "peak_rss_bytes": self.peak_rss,
            "usage": {name: asdict(usage) for name, usage in self.usage.items()},
            "usage_per_rationale": self._usage_per_rationale(),
            **({"repair": self.repairs.to_json()} if self.repairs is not None else {}),
            **({"variety": asdict(self.variety)} if self.variety is not None else {}),
        }

    def _usage_per_rationale(self) -> dict[str, float] | None:
        """What one kept rationale cost at endpoints; None where nothing was asked or none is."""
        usage = sum(self.usage.values(), Usage())
        if not usage.requests or not self.rationales:
            return None
        return {
            name: getattr(usage, name) / self.rationales
            for name in ("prompt_tokens", "completion_tokens", "cost")
        }


def _shares(group: GroupShares) -> dict[str, Share]:
    return {
        **{f"pass@{k}": share for k, share in group.passed.items()},
        "first_program": group.first,
        "yield": group.kept,
        "yield_with_evidence": group.looked,
        "agreed": group.agreed,
        "executed": group.executed,
        "student_accuracy": group.student,
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {"value": share.value, "hits": share.hits, "of": share.of, "low": low, "high": high}


def figures(outcomes: Sequence[Outcome], k: int) -> GroupShares:
    """Shares over some tasks, k programs each."""
    judged = [o for o in outcomes if o.status != "waiting"]
    gold = [o for o in judged if o.labelled]
    free = [o for o in judged if not o.labelled]
    answered = [o.student_score for o in outcomes if o.student_score is not None]
    return GroupShares(
        tasks=len(outcomes),
        labelled=sum(o.labelled for o in outcomes),
        passed={size: _pass_share(gold, size) for size in dict.fromkeys((1, k))},
        first=Share(sum(map(_first_is_right, gold)), len(gold)),
        kept=Share(sum(o.status == "kept" for o in gold), len(gold)),
        looked=Share(sum(map(_looked, gold)), len(gold)),
        agreed=Share(sum(o.status == "agreed" for o in free), len(free)),
        executed=Share(sum(o.executed for o in outcomes), sum(o.traces for o in outcomes)),
        student=Share(sum(answered), len(answered)),
    )


def _looked(outcome: Outcome) -> bool:
    return outcome.status == "kept" and outcome.evidence in LOOKED


def _first_is_right(outcome: Outcome) -> bool:
    return any(run.index == 0 and run.result == "right" for run in outcome.runs)


def _pass_share(labelled: Sequence[Outcome], size: int) -> Share:
    """pass@size over judged labelled tasks."""
    hits = sum(pass_at_k(o.judged, o.correct, size) for o in labelled)
    return Share(hits, len(labelled))


def report(
    project: Project, scope: Scope | None = None, selection: Selection | None = None
) -> Report:
    """The figures of a project as it stands.

    Args:
        project: any project.
        scope: the parts to count; those in force when None.
        selection: the tasks to count; all when None.
    """
    scope = scope or project.scope()
    selection = selection or Selection()
    outcomes = project.outcomes(scope, selection)
    names = sorted({o.family for o in outcomes})
    stages = costs(project, scope)
    seconds = [o.student_seconds for o in outcomes if o.student_seconds is not None]
    counts = project.counts(scope, selection)
    # endpoints were asked in all runs, whichever questions are looked at here
    everything = counts if selection == Selection() else project.counts(scope)
    return Report(
        k=scope.k,
        counts=counts,
        all=figures(outcomes, scope.k),
        families={
            name: figures([o for o in outcomes if o.family == name], scope.k) for name in names
        },
        stages=stages,
        seconds_per_question=_program_seconds(stages),
        student_seconds=sum(seconds) / len(seconds) if seconds else None,
        peak_rss=project.peak_rss(),
        usage=loop_runs.usage(project.database),
        rationales=everything.rationales,
        repairs=repair_shares(project, scope, selection, outcomes),
        variety=_variety(project, scope, selection),
        likeliest=Share(*likeliest_right(project.database, scope, selection)),
    )


def _variety(project: Project, scope: Scope, selection: Selection) -> Variety | None:
    compared = variety(project.database, scope, selection)
    return compared if compared.tasks else None


_PROGRAM_STAGES = ("sample", "execute", "verify")
"""Stages that an answer by programs takes; they have k rows for each question."""


def costs(project: Project, scope: Scope) -> dict[str, Cost]:
    """What each stage took so far, in the order of the loop."""
    totals = project.seconds(scope)
    costs = {}
    for stage in STAGES:
        if stage not in totals:
            continue
        rows, seconds = totals[stage]
        questions = rows / (scope.k if stage in _PROGRAM_STAGES else 1)
        costs[stage] = Cost(rows, seconds, seconds / questions if questions else None)
    return costs


def _program_seconds(stages: Mapping[str, Cost]) -> float | None:
    """Seconds of an answer by programs; None while a stage of it has not run."""
    total = 0.0
    for stage in _PROGRAM_STAGES:
        if stage not in stages or stages[stage].per_question is None:
            return None
        total += stages[stage].per_question or 0.0
    return total
