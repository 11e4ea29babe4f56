"""The checks for wrong reasons inside the loop: made before a run is chosen, and stored.

Only right runs are checked: of the others none is kept.  Their changed worlds run without any
model, so that the checks cost little beside sampling and running the programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.api import STANDARD
from workbench.evaluate.wrong_reasons import suspicion
from workbench.evaluate.wrong_reasons.counterfactual import Shaken, Worlds, shake
from workbench.evaluate.wrong_reasons.credit import call_uses
from workbench.evaluate.wrong_reasons.suspicion import Case
from workbench.evidence import FLAGGED
from workbench.execute import Limits
from workbench.pipeline.parts import Parts
from workbench.ports import ListeningVerifier
from workbench.records import Program, Task, ToolSpec, Trace, Verdict, content_key
from workbench.store import Project, Scope
from workbench.store.reading import checks
from workbench.store.reading.checks import CheckRow

Run = tuple[Program, Trace]
JudgedTask = tuple[Task, Sequence[Run], Sequence[Verdict]]
"""A task, its runs, and one verdict for each of them."""


class Checking:
    """Checks runs for wrong reasons, and stores nothing; a context manager.

    Args:
        specs: of the tools that programs may call.
        limits: of each run.
    """

    def __init__(self, specs: Sequence[ToolSpec], limits: Limits) -> None:
        self._worlds = Worlds(specs, limits)

    def __enter__(self) -> Checking:
        return self

    def __exit__(self, *_: object) -> None:
        self._worlds.__exit__()

    def choose(
        self, verifier: ListeningVerifier, judged: Sequence[JudgedTask]
    ) -> tuple[list[Sequence[Verdict]], list[CheckRow]]:
        """The verdicts of some tasks, chosen anew, and the checks that were made for that.

        Args:
            verifier: what judged them.
            judged: the tasks.
        """
        cases = [
            case_of(task, program, trace, runs, ())
            for task, runs, verdicts in judged
            for (program, trace), verdict in zip(runs, verdicts, strict=True)
            if verdict.correct
        ]
        siblings = {task.id: [trace.id for _, trace in runs] for task, runs, _ in judged}
        rows = self.rows(cases, siblings)
        flagged = {row.trace_id for row in rows if row.suspicion >= FLAGGED}
        return [verifier.choose(runs, verdicts, flagged) for _, runs, verdicts in judged], rows

    def rows(self, cases: Sequence[Case], siblings: Mapping[str, Sequence[str]]) -> list[CheckRow]:
        """What the store is to keep of the checks of some cases.

        Args:
            cases: the runs.
            siblings: ids of the traces of each question, by index.
        """
        rows = []
        shaken = shake(self._worlds, ((case.task, case.program, case.trace) for case in cases))
        for case, effects in zip(cases, shaken, strict=True):
            key = key_of(case.trace.id, siblings.get(case.task.id, ()), ())
            rows.append(row_of(case, key, effects))
        return rows


class Suspecting:
    """Chooses among right runs with what the checks say about them; a context manager.

    Args:
        project: takes the checks.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._checking = Checking(specs_of(project), Limits.of(project.profile().limits))

    def __enter__(self) -> Suspecting:
        return self

    def __exit__(self, *_: object) -> None:
        self._checking.__exit__()

    def choose(
        self, verifier: ListeningVerifier, judged: Sequence[JudgedTask]
    ) -> list[Sequence[Verdict]]:
        """The verdicts of some tasks, chosen anew.

        Args:
            verifier: what judged them.
            judged: the tasks.
        """
        verdicts, rows = self._checking.choose(verifier, judged)
        checks.add(self.project.database, rows)
        return verdicts

    def check(self, runs: Sequence[tuple[Task, Program, Trace]], scope: Scope) -> None:
        """Check runs beside the sampled runs of their questions.

        Args:
            runs: each with its question.
            scope: gives the sampled runs.
        """
        beside = {
            task.id: others
            for task, others in self.project.runs([task.id for task, _, _ in runs], scope)
        }
        cases = [case_of(*run, beside.get(run[0].id, ()), ()) for run in runs]
        siblings = {id: [trace.id for _, trace in others] for id, others in beside.items()}
        checks.add(self.project.database, self._checking.rows(cases, siblings))


def key_of(trace_id: str, runs: Sequence[str | None], issues: Sequence[str]) -> str:
    """The key of a check: it is made again only when what it looked at has changed.

    Args:
        trace_id: the checked trace.
        runs: traces of its question, by index.
        issues: of its rationale.
    """
    return content_key("check", suspicion.VERSION, trace_id, list(runs), tuple(issues))


def case_of(
    task: Task, program: Program, trace: Trace, runs: Sequence[Run], issues: tuple[str, ...]
) -> Case:
    """A run to check, beside the other runs of its question.

    Args:
        task: the question.
        program: of the run.
        trace: of the run.
        runs: all runs of the question.
        issues: of the run's rationale.
    """
    return Case(task, program, trace, tuple(run for run in runs if run[0].id != program.id), issues)


def row_of(case: Case, key: str, effects: Shaken) -> CheckRow:
    """What the store keeps of a check.

    Args:
        case: what was checked.
        key: of the check.
        effects: what its changed worlds show.
    """
    findings = suspicion.findings(case, effects)
    return CheckRow(
        key,
        case.trace.id,
        case.task.id,
        suspicion.suspicion(findings),
        tuple(one.check for one in findings if one.flag),
        tuple((one.check, one.score, one.text) for one in findings),
        call_uses(effects),
    )


def specs_of(project: Project) -> list[ToolSpec]:
    """Specs of the profile's tools, without building any where all have published names."""
    with Parts(project.profile(), project.images) as parts:
        return specs_of_parts(parts)


def specs_of_parts(parts: Parts) -> list[ToolSpec]:
    """Specs of the tools of some parts, the published ones where all have published names."""
    names = parts.profile.tools
    if set(names) <= set(STANDARD):
        return [STANDARD[name] for name in names]
    return [tool.spec for tool in parts.tools]
