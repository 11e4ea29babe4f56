"""The figures of a project: pass@k, yield, failures, seconds, the student beside; each with its
denominator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.shares import Share, pass_at_k
from workbench.store import STAGES, Counts, Outcome, Project, Scope, Selection


@dataclass(frozen=True, slots=True)
class GroupShares:
    """Shares over a group of tasks.  Unlabelled tasks count in `agreed` and `executed` alone."""

    tasks: int
    labelled: int
    passed: Mapping[int, Share]
    """pass@1 and pass@k over judged labelled tasks: the unbiased estimator of Chen et al. 2021 with
    n = k samples, so that pass@1 is the mean share of right programs and not the luck of the first.
    """
    kept: Share
    """Yield: labelled tasks with a right trace kept, of those judged."""
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
    """Everything `vpd status` says."""

    k: int
    counts: Counts
    all: GroupShares
    families: Mapping[str, GroupShares]
    stages: Mapping[str, Cost]
    seconds_per_question: float | None
    """Sampling k programs, running and judging them: what an answer by programs costs.  Loading of
    models apart.
    """
    student_seconds: float | None
    """The student's own answer, per question."""
    peak_rss: int | None
    """Bytes, of the latest finished run."""

    def to_json(self) -> dict[str, Any]:
        """Plain values: shares as numbers at the top, with hits, denominators and intervals under
        `details`.
        """
        shares = _named(self.all)
        return {
            "k": self.k,
            **{name: share.value for name, share in shares.items()},
            "seconds_per_question": self.seconds_per_question,
            "student_seconds_per_question": self.student_seconds,
            "counts": asdict(self.counts),
            "details": {name: _share(share) for name, share in shares.items()},
            "families": {
                family: {
                    "tasks": found.tasks,
                    "labelled": found.labelled,
                    **{name: _share(share) for name, share in _named(found).items()},
                }
                for family, found in self.families.items()
            },
            "stages": {name: asdict(cost) for name, cost in self.stages.items()},
            "peak_rss_bytes": self.peak_rss,
        }


def _named(found: GroupShares) -> dict[str, Share]:
    return {
        **{f"pass@{k}": share for k, share in found.passed.items()},
        "yield": found.kept,
        "agreed": found.agreed,
        "executed": found.executed,
        "student_accuracy": found.student,
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {"value": share.value, "hits": share.hits, "of": share.of, "low": low, "high": high}


def figures(outcomes: Sequence[Outcome], k: int) -> GroupShares:
    """Shares over these tasks."""
    judged = [o for o in outcomes if o.status != "waiting"]
    gold = [o for o in judged if o.labelled]
    free = [o for o in judged if not o.labelled]
    answered = [o.student_score for o in outcomes if o.student_score is not None]
    sizes = dict.fromkeys((1, k))
    return GroupShares(
        tasks=len(outcomes),
        labelled=sum(o.labelled for o in outcomes),
        passed={
            size: Share(sum(pass_at_k(o.judged, o.correct, size) for o in gold), len(gold))
            for size in sizes
        },
        kept=Share(sum(o.status == "kept" for o in gold), len(gold)),
        agreed=Share(sum(o.status == "agreed" for o in free), len(free)),
        executed=Share(sum(o.executed for o in outcomes), sum(o.traces for o in outcomes)),
        student=Share(sum(answered), len(answered)),
    )


def report(
    project: Project, scope: Scope | None = None, selection: Selection | None = None
) -> Report:
    """The figures of a project as it stands: of the parts in force, over all tasks unless a
    selection is given.
    """
    scope = scope or project.scope()
    selection = selection or Selection()
    outcomes = project.outcomes(scope, selection)
    names = sorted({o.family for o in outcomes})
    spent = project.seconds(scope)
    per_task = {"sample": scope.k, "execute": scope.k, "verify": scope.k}
    stages = {}
    for stage in [stage for stage in STAGES if stage in spent]:
        rows, seconds = spent[stage]
        questions = rows / per_task.get(stage, 1)
        stages[stage] = Cost(rows, seconds, seconds / questions if questions else None)
    parts = [
        stages[stage].per_question for stage in ("sample", "execute", "verify") if stage in stages
    ]
    known = [part for part in parts if part is not None]
    student = [o.student_seconds for o in outcomes if o.student_seconds is not None]
    return Report(
        k=scope.k,
        counts=project.counts(scope, selection),
        all=figures(outcomes, scope.k),
        families={
            name: figures([o for o in outcomes if o.family == name], scope.k) for name in names
        },
        stages=stages,
        seconds_per_question=sum(known) if len(known) == 3 else None,
        student_seconds=sum(student) / len(student) if student else None,
        peak_rss=project.peak_rss(),
    )
