"""Checks of a project's kept runs for wrong reasons, blame of its wrong runs, and measures.

All are computed from rows of the store and stored there; what nothing changed is not computed
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.evaluate.wrong_reasons import blame
from workbench.evaluate.wrong_reasons.counterfactual import Worlds, shake
from workbench.evaluate.wrong_reasons.measure_checks import CheckMeasures, measure
from workbench.evaluate.wrong_reasons.suspicion import Case, CheckFinding
from workbench.evidence import FLAGGED
from workbench.execute import Limits
from workbench.pipeline.grouping import batches
from workbench.pipeline.progress import Progress, Watch
from workbench.pipeline.suspecting import case_of, key_of, row_of, specs_of
from workbench.store import Outcome, Project, Selection
from workbench.store.reading import checks
from workbench.store.reading.ids import task_ids_of_traces
from workbench.store.reading.views import rationale_issues

CHUNK = 32
"""Number of questions whose runs are read, and whose checks are written, together."""


@dataclass(frozen=True, slots=True)
class Check:
    """The signs against one kept run."""

    trace_id: str
    task_id: str
    suspicion: float
    """0 to 1; from `evidence.FLAGGED` on the run counts as flagged."""
    findings: tuple[CheckFinding, ...]
    """The gravest first."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The checks of a selection after one call of `check`."""

    new: int
    """Number of runs that this call checked."""
    checks: Mapping[str, Check]
    """Checks of all kept runs in the selection, by trace."""

    @property
    def flagged(self) -> int:
        """Number of flagged runs in the selection."""
        return sum(one.suspicion >= FLAGGED for one in self.checks.values())


def check(
    project: Project, selection: Selection | None = None, progress: Watch | None = None
) -> CheckReport:
    """Check the kept runs that have no check yet, or of which something changed.

    The work can stop anywhere; the next call continues it.

    Args:
        project: has the runs and stores the checks.
        selection: of the questions; all when None.
        progress: called as the work goes on.

    Raises:
        ProfileError: the project's tools cannot be built.
    """
    keys = _keys(project, selection or Selection())
    rows_by_trace = checks.check_rows(project.database, list(keys))
    left = [
        trace
        for trace in keys
        if trace not in rows_by_trace
        or rows_by_trace[trace].id != keys[trace][0]
        or rows_by_trace[trace].calls is None
    ]
    done = 0
    if left:
        issues = {trace: keys[trace][1] for trace in left}
        with Worlds(specs_of(project), Limits.of(project.profile().limits)) as worlds:
            for chunk in batches(left, CHUNK):
                cases = list(_cases(project, chunk, issues))
                shaken = shake(worlds, ((case.task, case.program, case.trace) for case in cases))
                rows = []
                for case, effects in zip(cases, shaken, strict=True):
                    rows.append(row_of(case, keys[case.trace.id][0], effects))
                    done += 1
                    if progress is not None:
                        progress(Progress("check", done, len(left), "runs"))
                checks.add(project.database, rows)
    return CheckReport(done, known_checks(project, list(keys)))


def known_checks(project: Project, trace_ids: Sequence[str]) -> dict[str, Check]:
    """The stored checks of runs, by trace; runs without a check are left out."""
    return {
        trace: Check(
            trace, row.task_id, row.suspicion, tuple(CheckFinding(*one) for one in row.findings)
        )
        for trace, row in checks.check_rows(project.database, trace_ids).items()
    }


def attribute(
    project: Project, selection: Selection | None = None, progress: Watch | None = None
) -> blame.Attribution:
    """Whose errors the wrong answers are, by running all programs once more with exact tools.

    The figures are stored.

    Args:
        project: has the runs and stores the figures.
        selection: of the questions; all when None.
        progress: called as the work goes on.
    """
    outcomes = project.outcomes(None, selection or Selection())
    blamed = []
    for chunk in batches([outcome.task_id for outcome in outcomes], 4 * CHUNK):
        rows = [
            (task, program, trace)
            for task, runs in project.runs(chunk, project.scope())
            for program, trace in runs
        ]
        for (task, _, _), whose in zip(rows, blame.attribute(rows), strict=True):
            blamed.append((task.family, whose))
        if progress is not None:
            done = min(sum(len(outcome.runs) for outcome in outcomes), len(blamed))
            progress(
                Progress("exact", done, sum(len(outcome.runs) for outcome in outcomes), "programs")
            )
    figures = blame.count(blamed)
    checks.add_figures(project.database, "exact", figures.to_json())
    return figures


def last_attribution(project: Project) -> blame.Attribution | None:
    """The figures that `attribute` stored last; None before the first time."""
    kept = checks.figures(project.database, "exact")
    return blame.Attribution.from_json(kept) if kept is not None else None


def measure_checks(
    project: Project, selection: Selection | None = None, progress: Watch | None = None
) -> CheckMeasures:
    """How right the checks are, on kept runs of drawn scenes and on mutants of right programs.

    The figures are stored.

    Args:
        project: has the runs and stores the figures.
        selection: of the questions; all when None.
        progress: called as the work goes on.
    """
    keys = _keys(project, selection or Selection())
    cases = list(
        _cases(project, list(keys), {trace: issues for trace, (_, issues) in keys.items()})
    )

    def report(stage: str, done: int, total: int) -> None:
        """Pass the progress of a stage on.

        Args:
            stage: its name.
            done: number of runs that are done.
            total: number of all its runs.
        """
        if progress is not None:
            progress(Progress(stage, done, total, "runs"))

    with Worlds(specs_of(project), Limits.of(project.profile().limits)) as worlds:
        figures = measure(cases, worlds, report)
    checks.add_figures(project.database, "measure", figures.to_json())
    return figures


def last_measures(project: Project) -> CheckMeasures | None:
    """The figures that `measure_checks` stored last; None before the first time."""
    kept = checks.figures(project.database, "measure")
    return CheckMeasures.from_json(kept) if kept is not None else None


def _keys(project: Project, selection: Selection) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The key of its check and its rationale's issues by kept trace, in order of import."""
    kept = [outcome for outcome in project.outcomes(None, selection) if outcome.chosen is not None]
    traces = [str(outcome.chosen) for outcome in kept]
    issues = rationale_issues(project.database, project.scope().writer, traces)
    return {
        str(outcome.chosen): _key(outcome, issues.get(str(outcome.chosen), ())) for outcome in kept
    }


def _key(outcome: Outcome, issues: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    runs = [run.trace for run in outcome.runs]
    return key_of(str(outcome.chosen), runs, issues), issues


def _cases(
    project: Project, trace_ids: Sequence[str], issues: Mapping[str, tuple[str, ...]]
) -> Iterator[Case]:
    ids = set(trace_ids)
    tasks = task_ids_of_traces(project.database, trace_ids)
    for task, runs in project.runs(tasks, project.scope()):
        for program, trace in runs:
            if trace.id in ids:
                yield case_of(task, program, trace, runs, issues[trace.id])
