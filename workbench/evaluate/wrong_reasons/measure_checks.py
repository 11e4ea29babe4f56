"""How right the checks are: precision and recall against programs known to be right or wrong.

There are two sets of programs, both judged by other scenes with exact tools (`elsewhere`):

natural
    Kept runs as they are.  A run whose program is wrong on other scenes is right for the wrong
    reason.
mutants
    Right programs, and the same programs with one edit (`mutate`).  An edited program counts when
    its answer on this very picture is still right and it is wrong elsewhere.  All run with exact
    tools.  One kind of edit, the constant answer, is frequent and easy to see, so there are figures
    with it and without.

Programs that are neither right nor clearly wrong elsewhere are left out, and counted.
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
    Case,
    CheckFinding,
    findings,
    suspicion,
)
from workbench.evaluate.wrong_reasons.transfer import elsewhere
from workbench.evidence import FLAGGED
from workbench.records import content_key
from workbench.shares import Share
from workbench.tasks.collage.catalogue import CATEGORIES
from workbench.tasks.collage.scene import Scene

CONSTANT = "constant answer"
SWAPS = 2
"""Number of names that the kind `swapped name` puts into each program."""
FOLDS = 5
"""Number of parts in which the regression is fitted and applied."""

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run whose program is known to be right or wrong."""

    case: Case
    wrong: bool
    edit: str = ""
    """Kind of the program's edit; empty for a program as it was sampled."""


@dataclass(frozen=True, slots=True)
class Flagging:
    """How often flags are right, in one set, by one check or by all together."""

    precision: Share
    """Share of wrong programs among the flagged runs."""
    recall: Share
    """Share of flagged runs among the wrong programs."""
    alarms: Share
    """Share of flagged runs among the right programs."""
    auc: tuple[float, float, float] | None = None
    """Area under the ROC curve of suspicion, with its 95 % interval; None for a single check."""


@dataclass(frozen=True, slots=True)
class CheckMeasures:
    """How right the checks are in each set of programs."""

    sets: Mapping[str, Mapping[str, Flagging]]
    """By set, then by check; `suspicion` is all checks by a fixed rule, `fitted` by regression."""
    edits: Mapping[str, Share]
    """Share of flagged mutants, by kind of edit."""
    undecided: int
    """Number of kept runs whose program is neither right nor clearly wrong elsewhere."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CheckMeasures:
        """The inverse of `to_json`, also after a round through JSON."""
        sets = {
            name: {check: _flagging_from_json(one) for check, one in by_check.items()}
            for name, by_check in data["sets"].items()
        }
        return cls(
            sets, {kind: Share(**share) for kind, share in data["edits"].items()}, data["undecided"]
        )


def _flagging_from_json(data: Mapping[str, Any]) -> Flagging:
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
        cases: kept runs.
        worlds: runs programs in changed worlds.
        tell: called with a stage's name, how much of it is done, and how much there is.
    """
    scenic = [case for case in cases if case.task.labelled and scene_of(case.task) is not None]
    truths = _judged(scenic, tell, "judge")
    natural = [
        KnownRun(case, not truth)
        for case, truth in zip(scenic, truths, strict=True)
        if truth is not None
    ]
    originals = _again([run.case for run in natural if not run.wrong])
    mutated = _mutants(originals, tell)
    rows = [*natural, *(KnownRun(case, False) for case in originals), *mutated]
    signs = _signs(rows, worlds, tell)
    scores = {"suspicion": [suspicion(one) for one in signs], "fitted": _fitted(rows, signs)}
    figures = {}
    for name, places in _sets(rows, len(natural)).items():
        figures[name] = _figures(
            [rows[at] for at in places],
            [signs[at] for at in places],
            {kind: [values[at] for at in places] for kind, values in scores.items()},
        )
    return CheckMeasures(figures, _edits(rows, scores["suspicion"]), truths.count(None))


def _signs(rows: Sequence[KnownRun], worlds: Worlds, tell: Tell) -> list[tuple[CheckFinding, ...]]:
    """The signs that the checks see in each run."""
    runs = ((run.case.task, run.case.program, run.case.trace) for run in rows)
    signs: list[tuple[CheckFinding, ...]] = []
    for run, effects in zip(rows, shake(worlds, runs), strict=True):
        signs.append(findings(run.case, effects))
        tell("check", len(signs), len(rows))
    return signs


def _sets(rows: Sequence[KnownRun], natural: int) -> dict[str, Sequence[int]]:
    """The places of each set's runs; the first `natural` rows are the natural set."""
    mutants_and_originals = range(natural, len(rows))
    return {
        "natural": range(natural),
        "mutants": mutants_and_originals,
        "mutants without constants": [
            at for at in mutants_and_originals if rows[at].edit != CONSTANT
        ],
    }


def _edits(rows: Sequence[KnownRun], scores: Sequence[float]) -> dict[str, Share]:
    """Share of flagged mutants, by kind of edit."""
    flags: dict[str, list[bool]] = {}
    for run, score in zip(rows, scores, strict=True):
        if run.edit:
            flags.setdefault(run.edit, []).append(score >= FLAGGED)
    return {kind: Share(sum(values), len(values)) for kind, values in sorted(flags.items())}


def _judged(cases: Sequence[Case], tell: Tell, stage: str) -> list[bool | None]:
    """Whether each program is right on other scenes."""
    truths: list[bool | None] = []
    for scenes in elsewhere([(case.task, case.program) for case in cases]):
        truths.append(scenes.verdict)
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
    edits: list[tuple[str, Case]] = []
    for case in originals:
        rng = np.random.default_rng([29, *case.task.id.encode()])
        names = [str(name) for name in rng.choice(sorted(CATEGORIES), SWAPS, replace=False)]
        for kind, source in mutants(case.program.source, case.trace.answer or "", names):
            program = replace(
                case.program, id=content_key("mutant", case.program.id, source), source=source
            )
            edits.append((kind, replace(case, program=program)))
    traces = run_exactly(((case.task, case.program) for _, case in edits), _scenes(originals))
    fitting = [
        (kind, replace(case, trace=trace))
        for (kind, case), trace in zip(edits, traces, strict=True)
        if right(case.task, trace)
    ]
    truths = _judged([case for _, case in fitting], tell, "mutants")
    return [
        KnownRun(case, True, kind)
        for (kind, case), truth in zip(fitting, truths, strict=True)
        if truth is False
    ]


def _fitted(
    rows: Sequence[KnownRun], findings_of_runs: Sequence[tuple[CheckFinding, ...]]
) -> list[float]:
    """Each program's chance of being wrong, by a logistic regression over the checks' scores.

    The regression is fitted on other pictures.  All chances are zero where there are too few
    pictures, or where a fold holds one class alone.
    """
    # Imported here: it takes a second, and most commands never fit anything.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    values = np.array(
        [[_scored(one, check) for check in CHECKS] for one in findings_of_runs]
    ).reshape(-1, len(CHECKS))
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


def _scored(signs: Iterable[CheckFinding], check: str) -> float:
    return max((one.score for one in signs if one.check == check), default=0.0)


def _figures(
    rows: Sequence[KnownRun],
    signs: Sequence[tuple[CheckFinding, ...]],
    scores: Mapping[str, Sequence[float]],
) -> dict[str, Flagging]:
    """The figures of each check by itself, and of each way to put the checks together."""
    by_check = {check: [_flags(run_signs, check) for run_signs in signs] for check in CHECKS}
    by_score = {name: [value >= FLAGGED for value in values] for name, values in scores.items()}
    areas = {name: _area(rows, values) for name, values in scores.items()}
    return {
        name: _flagging(rows, flags, areas.get(name))
        for name, flags in (by_check | by_score).items()
    }


def _flags(signs: Iterable[CheckFinding], check: str) -> bool:
    return any(sign.check == check and sign.flag for sign in signs)


def _area(rows: Sequence[KnownRun], scores: Sequence[float]) -> tuple[float, float, float] | None:
    """Area under the ROC curve of the scores, with its interval."""
    wrong = {str(at): run.wrong for at, run in enumerate(rows)}
    pictures = {str(at): run.case.task.image for at, run in enumerate(rows)}
    area = auc_interval(wrong, {str(at): score for at, score in enumerate(scores)}, pictures)
    return None if area is None else (area.value, area.low, area.high)


def _flagging(
    rows: Sequence[KnownRun], flags: Sequence[bool], area: tuple[float, float, float] | None
) -> Flagging:
    hits = sum(flag and run.wrong for flag, run in zip(flags, rows, strict=True))
    wrong = sum(run.wrong for run in rows)
    return Flagging(
        precision=Share(hits, sum(flags)),
        recall=Share(hits, wrong),
        alarms=Share(sum(flags) - hits, len(rows) - wrong),
        auc=area,
    )
