"""How right are the checks?  Precision and recall against programs that are known to be right or
wrong.

Two sets, both judged by other scenes with exact tools (`elsewhere`):

    natural  kept runs as they are: those whose program is wrong on other scenes are right for the wrong reason
    mutants  right programs with one edit (`mutate`), kept where the answer on this very picture is still right and the
             program is wrong elsewhere; beside them the right programs.  All run with exact tools.  One kind of edit,
             the constant answer, is easy to see and frequent; figures stand with it and without

What is neither right nor clearly wrong elsewhere is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from workbench.evaluate.statistics.comparisons import auc_interval
from workbench.evaluate.wrong_reasons.counterfactual import Worlds, shake
from workbench.evaluate.wrong_reasons.exact_tools import right, run_exactly, scene_of
from workbench.evaluate.wrong_reasons.mutate import mutants
from workbench.evaluate.wrong_reasons.suspicion import (
    CHECKS,
    FLAGGED,
    Case,
    CheckFinding,
    findings,
    suspicion,
)
from workbench.evaluate.wrong_reasons.transfer import elsewhere
from workbench.records import content_key
from workbench.shares import Share
from workbench.tasks.collage.catalogue import CATEGORIES
from workbench.tasks.collage.scene import Scene

CONSTANT = "constant answer"
SWAPS = 2
"""Names that the kind `swapped name` puts into each program."""
FOLDS = 5

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run whose program is known to be right or wrong."""

    case: Case
    wrong: bool
    edit: str = ""
    """Kind of edit that made it; empty for a program as it was sampled."""


@dataclass(frozen=True, slots=True)
class Flagging:
    """How often flagging is right: in one set, by one check or by all together."""

    precision: Share
    """Wrong programs, of the flagged runs."""
    recall: Share
    """Flagged runs, of the wrong programs."""
    alarms: Share
    """Flagged runs, of the right programs."""
    auc: tuple[float, float, float] | None = None
    """Area under the ROC curve of suspicion, with its 95 % interval; None for a single check."""


@dataclass(frozen=True, slots=True)
class CheckMeasures:
    """Figures by set, and within it by check; `suspicion` is all checks by the fixed rule, `fitted`
    by regression.
    """

    sets: Mapping[str, Mapping[str, Flagging]]
    edits: Mapping[str, Share]
    """Flagged mutants by kind of edit."""
    undecided: int
    """Kept runs whose program is neither right nor clearly wrong elsewhere."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CheckMeasures:
        """The inverse of `to_json`, also after a round through JSON."""
        sets = {
            name: {check: _flagging(one) for check, one in found.items()}
            for name, found in data["sets"].items()
        }
        return cls(
            sets, {kind: Share(**share) for kind, share in data["edits"].items()}, data["undecided"]
        )


def _flagging(data: Mapping[str, Any]) -> Flagging:
    auc = data["auc"]
    return Flagging(
        Share(**data["precision"]),
        Share(**data["recall"]),
        Share(**data["alarms"]),
        tuple(auc) if auc else None,
    )


def measure(
    cases: Sequence[Case], worlds: Worlds, tell: Tell = lambda stage, done, total: None
) -> CheckMeasures:
    """The figures over kept runs; those without a label or a drawn scene are left out.

    Args:
        tell: called with a stage's name, how much of it is done, and how much there is.
    """
    drawn = [case for case in cases if case.task.labelled and scene_of(case.task) is not None]
    truths = _judged(drawn, tell, "judge")
    natural = [
        KnownRun(case, not truth)
        for case, truth in zip(drawn, truths, strict=True)
        if truth is not None
    ]
    originals = _again([known.case for known in natural if not known.wrong])
    mutated = _mutants(originals, tell)
    rows = [*natural, *(KnownRun(case, False) for case in originals), *mutated]
    found: list[tuple[CheckFinding, ...]] = []
    for one, effects in zip(
        rows,
        shake(worlds, ((k.case.task, k.case.program, k.case.trace) for k in rows)),
        strict=True,
    ):
        found.append(findings(one.case, effects))
        tell("check", len(found), len(rows))
    sets: dict[str, Sequence[int]] = {
        "natural": range(len(natural)),
        "mutants": range(len(natural), len(rows)),
    }
    sets["mutants without constants"] = [at for at in sets["mutants"] if rows[at].edit != CONSTANT]
    scores = {"suspicion": [suspicion(one) for one in found], "fitted": _fitted(rows, found)}
    edits: dict[str, list[bool]] = {}
    for known, score in zip(rows, scores["suspicion"], strict=True):
        if known.edit:
            edits.setdefault(known.edit, []).append(score >= FLAGGED)
    return CheckMeasures(
        {
            name: _figures(
                [rows[at] for at in among],
                [found[at] for at in among],
                {kind: [values[at] for at in among] for kind, values in scores.items()},
            )
            for name, among in sets.items()
        },
        {kind: Share(sum(flagged), len(flagged)) for kind, flagged in sorted(edits.items())},
        truths.count(None),
    )


def _judged(cases: Sequence[Case], tell: Tell, stage: str) -> list[bool | None]:
    """Whether each program is right on other scenes."""
    truths: list[bool | None] = []
    for known in elsewhere([(case.task, case.program) for case in cases]):
        truths.append(known.verdict)
        tell(stage, len(truths), len(cases))
    return truths


def _scenes(cases: Iterable[Case]) -> dict[str, Scene]:
    return {case.task.image: scene for case in cases if (scene := scene_of(case.task)) is not None}


def _again(cases: Sequence[Case]) -> list[Case]:
    """The cases run once more with exact tools, siblings too; those whose answer is then right."""
    jobs = [
        (case.task, program)
        for case in cases
        for program in (case.program, *(one for one, _ in case.siblings))
    ]
    traces = run_exactly(jobs, _scenes(cases))
    again = []
    for case in cases:
        trace = next(traces)
        siblings = tuple((program, next(traces)) for program, _ in case.siblings)
        if right(case.task, trace):
            again.append(Case(case.task, case.program, trace, siblings))
    return again


def _mutants(originals: Sequence[Case], tell: Tell) -> list[KnownRun]:
    """Mutants whose answer on this picture is right and whose program is wrong on others."""
    made: list[tuple[str, Case]] = []
    for case in originals:
        rng = np.random.default_rng([29, *case.task.id.encode()])
        names = [str(name) for name in rng.choice(sorted(CATEGORIES), SWAPS, replace=False)]
        for kind, source in mutants(case.program.source, case.trace.answer or "", names):
            program = replace(
                case.program, id=content_key("mutant", case.program.id, source), source=source
            )
            made.append((kind, replace(case, program=program)))
    traces = run_exactly(((case.task, case.program) for _, case in made), _scenes(originals))
    fitting = [
        (kind, replace(case, trace=trace))
        for (kind, case), trace in zip(made, traces, strict=True)
        if right(case.task, trace)
    ]
    truths = _judged([case for _, case in fitting], tell, "mutants")
    return [
        KnownRun(case, True, kind)
        for (kind, case), truth in zip(fitting, truths, strict=True)
        if truth is False
    ]


def _fitted(rows: Sequence[KnownRun], found: Sequence[tuple[CheckFinding, ...]]) -> list[float]:
    """Chances of being wrong from a logistic regression over the checks' scores, each fitted on
    other pictures.

    Zeros where there are too few pictures, or where one fold holds one class alone.
    """
    # Imported here: it takes a second, and most commands never fit anything.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    values = np.array([[_scored(one, check) for check in CHECKS] for one in found]).reshape(
        -1, len(CHECKS)
    )
    wrong, pictures = np.array([one.wrong for one in rows]), [one.case.task.image for one in rows]
    chances = np.zeros(len(rows))
    if len(set(pictures)) < FOLDS:
        return [0.0] * len(rows)
    for fit, apply in GroupKFold(FOLDS).split(values, wrong, pictures):
        if len(set(wrong[fit])) < 2:
            return [0.0] * len(rows)
        model = LogisticRegression(max_iter=2000).fit(values[fit], wrong[fit])
        chances[apply] = model.predict_proba(values[apply])[:, 1]
    return [float(chance) for chance in chances]


def _scored(found: Iterable[CheckFinding], check: str) -> float:
    return max((one.score for one in found if one.check == check), default=0.0)


def _figures(
    rows: Sequence[KnownRun],
    found: Sequence[tuple[CheckFinding, ...]],
    scores: Mapping[str, Sequence[float]],
) -> dict[str, Flagging]:
    flags = {
        check: [any(f.check == check and f.flag for f in one) for one in found] for check in CHECKS
    }
    flags |= {name: [value >= FLAGGED for value in values] for name, values in scores.items()}
    wrong = {str(at): one.wrong for at, one in enumerate(rows)}
    pictures = {str(at): one.case.task.image for at, one in enumerate(rows)}
    figures = {}
    for name, flagged in flags.items():
        hits = sum(flag and one.wrong for flag, one in zip(flagged, rows, strict=True))
        area = None
        if name in scores:
            area = auc_interval(
                wrong, {str(at): value for at, value in enumerate(scores[name])}, pictures
            )
        figures[name] = Flagging(
            Share(hits, sum(flagged)),
            Share(hits, sum(one.wrong for one in rows)),
            Share(sum(flagged) - hits, sum(not one.wrong for one in rows)),
            (area.value, area.low, area.high) if area is not None else None,
        )
    return figures
