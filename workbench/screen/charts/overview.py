"""A project at a glance: its questions, tools, errors, people, models and disk in figures.

Each figure has its n.  All come from what the store keeps up to date (table `outcome`), so that an
overview costs the same at any time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from workbench.models.weights import is_distilled
from workbench.screen.part_names import part_name
from workbench.shares import Share, pass_at_k
from workbench.store import Evaluation, Project, Scope
from workbench.store.kernel.days import midnight
from workbench.store.people import reviewing
from workbench.store.people.reviewing import ReviewerFigures
from workbench.store.reading import evaluations, figures, snapshots
from workbench.store.reading.lineage import Lineage, validations
from workbench.store.reading.snapshots import Taken
from workbench.store.records import loop_runs
from workbench.usage import Usage
from workbench.verify.answers import RIGHT


@dataclass(frozen=True, slots=True)
class FunnelBar:
    """One step of the funnel from question to trained model."""

    name: str
    tasks: int
    """Questions that came this far."""
    token: str | None
    """The text to search for in Browse to see the questions; None where no search gives them."""


@dataclass(frozen=True, slots=True)
class ToolOutcomes:
    """What came of the runs that called one tool."""

    name: str
    runs: int
    """Runs that called the tool at least once."""
    right: Share
    """Right runs, of those judged against a label."""
    accepted: Share
    """Standing accepts by people, of their accepts and rejects of traces that called the tool."""
    blamed: int
    """Number of the tool's calls that people marked as the first wrong step of a trace."""


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """How often one system answers rightly, and how long it takes."""

    name: str
    value: float
    """Share of right answers, 0 to 1."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""
    of: int
    """Number of questions."""
    seconds: float
    """Seconds a question."""
    pipeline: bool
    """True for the pipeline, False for a student."""
    trained: bool = False
    """Whether a training job of the project made the system."""
    evaluated: bool = False
    """Whether an evaluation timed the system: the median of single warm questions.  Otherwise the
    time is the mean over the loop's batches.
    """


@dataclass(frozen=True, slots=True)
class Family:
    """What came of the questions of one family."""

    name: str
    tasks: int
    """Questions of the family."""
    first: Share
    """pass@1 over judged labelled questions."""
    best: Share
    """pass@k over judged labelled questions."""
    student: Share
    """Right answers of the student in force, of the labelled questions that it answered."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Space on the disk that a project takes, in bytes."""

    store: int
    """Size of the database and its log."""
    images: int
    """Size of the pictures' folder."""
    cache: int
    """Size of the cache's folder."""
    free: int
    """Space that is free on the project's disk."""
    backup: str | None
    """Time of the last backup, UTC, ISO 8601; None without one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Every figure of a project that the dashboard shows."""

    at: str
    """Time of the count, UTC, ISO 8601."""
    k: int
    """Number of programs that the recipe samples for a question."""
    tasks: int
    """Number of questions, without those of visitors."""
    visitors: int
    """Number of questions that visitors asked; no other figure counts them."""
    programs: int
    """Number of programs."""
    executed: Share
    """Programs that ended with an answer, of those run."""
    kept: Share
    """Yield: labelled questions whose kept trace is right, of those judged."""
    looked: Share
    """Those of them whose program looked for the parts of its answer, of those judged."""
    student: Share
    """Right answers of the student in force, of the labelled questions that it answered."""
    funnel: tuple[FunnelBar, ...]
    """Steps from question to trained model, in order."""
    curve: tuple[tuple[int, Share], ...]
    """pass@1 to pass@k over judged labelled questions, each with its k."""
    families: tuple[Family, ...]
    """Families of questions, the largest first."""
    tools: tuple[ToolOutcomes, ...]
    """Tools that programs called."""
    own_blame: int
    """First wrong steps that people marked in the program itself, not at a tool's call."""
    errors: tuple[Mapping[str, Any], ...]
    """{kind, day, runs, tasks}: runs that failed, by kind of error and day (UTC)."""
    reviewers: tuple[ReviewerFigures, ...]
    """People who decided."""
    pace: tuple[Mapping[str, Any], ...]
    """{day, author, n}: standing decisions by day (UTC) and person."""
    agreement: tuple[Mapping[str, Any], ...]
    """{first, second, kappa, n, same, note}: agreement of each pair of reviewers as it stands."""
    kappas: tuple[Mapping[str, Any], ...]
    """{day, first, second, kappa, n}: agreement at the end of each of the last days (UTC) on which
    someone decided.
    """
    reasons: Mapping[str, int]
    """Standing rejections by reason."""
    confusion: Mapping[str, int]
    """Traces by the automatic verdict and people's decision, such as `right_accepted`."""
    models: tuple[SystemFigures, ...]
    """Systems with their accuracy and time."""
    lineage: Lineage
    """Snapshots, jobs, models and evaluations."""
    validation: Mapping[str, Sequence[Mapping[str, Any]]]
    """By job, its evaluations on the held-out side: `step`, `accuracy` and `of`, in order."""
    minutes: Mapping[str, float]
    """By a snapshot's hash, minutes that reviewers spent on the decisions up to it.  A snapshot
    that the verifier alone chose has no entry.
    """
    disk: Disk
    """Space on the disk."""
    usage: Usage
    """What endpoints were asked in all runs of the project, and what that cost."""
    rationales: int = 0
    """Rationales of kept runs, with the parts in force; 0 where no endpoint was asked."""

    @property
    def pipeline(self) -> SystemFigures | None:
        """The pipeline with all its programs, which is the slowest; None before it was timed."""
        return max(
            (one for one in self.models if one.pipeline), key=lambda one: one.seconds, default=None
        )

    @property
    def best(self) -> SystemFigures | None:
        """The student that is right most often; of equal ones the one with more questions."""
        students = [one for one in self.models if not one.pipeline]
        return max(students, key=lambda one: (one.value, one.of), default=None)


def overview(project: Project, zone: tzinfo | None = None) -> Overview:
    """Count a project as it stands, for the parts in force.

    Days are those of a zone; None takes this machine's own zone.
    """
    funnel = [
        FunnelBar(step.name, step.tasks, step.token) for step in figures.funnel(project.database)
    ]
    scope = project.scope()
    totals = figures.outcome_totals(project.database, RIGHT)
    groups = figures.judged_groups(project.database)
    kept = Share(totals.kept, totals.judged)
    curve = tuple((size, _passed(groups, size)) for size in range(1, scope.k + 1) if totals.judged)
    blamed = {one.tool: one.wrong for one in project.curation.blame()}
    agreement = tuple(asdict(one) for one in project.curation.agreement())
    lineage = project.lineage()
    usage = sum(loop_runs.usage(project.database).values(), Usage())
    return Overview(
        at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        k=scope.k,
        tasks=totals.tasks,
        visitors=figures.visitor_tasks(project.database),
        programs=totals.programs,
        executed=Share(totals.executed, totals.traces),
        kept=kept,
        looked=Share(totals.looked, totals.judged),
        student=Share(totals.student, totals.answered),
        funnel=(*funnel, *_training(project)),
        curve=curve,
        families=tuple(_families(project, scope.k)),
        tools=_tools(project, blamed),
        own_blame=blamed.get("", 0),
        errors=tuple(
            {**asdict(one), "day": str(one.day)}
            for one in figures.errors(project.database, True, zone)
        ),
        reviewers=tuple(project.curation.reviewers(zone=zone)),
        pace=tuple(asdict(one) for one in reviewing.pace(project.database, zone)),
        agreement=agreement,
        kappas=tuple(_kappas(project, zone)) if agreement else (),
        reasons=project.curation.reject_reasons(),
        confusion=asdict(project.curation.confusion()),
        models=tuple(_models(project, kept, curve, scope, lineage.evaluations)),
        lineage=lineage,
        validation=validations(project.database),
        minutes=_minutes(project, lineage.snapshots),
        disk=_disk(project.path),
        usage=usage,
        rationales=project.counts(scope).rationales if usage.requests else 0,
    )


def _passed(groups: Sequence[figures.JudgedGroup | figures.FamilyGroup], size: int) -> Share:
    """pass@`size` over the questions that have as many judged programs."""
    enough = [group for group in groups if group.judged >= size]
    hits = sum(group.n * pass_at_k(group.judged, group.correct, size) for group in enough)
    return Share(hits, sum(group.n for group in enough))


def _families(project: Project, k: int) -> list[Family]:
    groups = figures.family_groups(project.database, RIGHT)
    families = []
    for name in dict.fromkeys(group.family for group in groups):
        mine = [group for group in groups if group.family == name]
        done = [group for group in mine if group.done]
        student = Share(sum(group.student for group in mine), sum(group.answered for group in mine))
        tasks = sum(group.n for group in mine)
        families.append(Family(name, tasks, _passed(done, 1), _passed(done, k), student))
    return sorted(families, key=lambda one: -one.tasks)


DAYS = 12
"""Number of days with an agreement of their own; each of them reads all decisions once."""


def _kappas(project: Project, zone: tzinfo | None) -> Iterator[Mapping[str, Any]]:
    for day in reviewing.decision_days(project.database, DAYS, zone):
        for one in project.curation.agreement(until=midnight(day + timedelta(days=1), zone)):
            yield {
                "day": str(day),
                "first": one.first,
                "second": one.second,
                "kappa": one.kappa,
                "n": one.n,
            }


def _training(project: Project) -> list[FunnelBar]:
    """Last steps of the funnel: questions of the newest snapshot, and of any model's training."""
    questions = snapshots.snapshot_questions(project.database)
    return [
        FunnelBar("in snapshot", questions.newest, None),
        FunnelBar("trained", questions.training, None),
    ]


def _minutes(project: Project, snapshot_rows: Sequence[Taken]) -> dict[str, float]:
    minutes = snapshots.review_minutes(project.database)
    people = {one.hash for one in snapshot_rows if one.filter.get("accepted") != "automatic"}
    return {name: value for name, value in minutes.items() if name in people}


def _tools(project: Project, blamed: Mapping[str, int]) -> tuple[ToolOutcomes, ...]:
    rulings = reviewing.tool_rulings(project.database)
    people = {one.tool: Share(one.accepted, one.n) for one in rulings}
    return tuple(
        ToolOutcomes(
            one.tool,
            one.runs,
            Share(one.right, one.judged),
            people.get(one.tool, Share(0, 0)),
            blamed.get(one.tool, 0),
        )
        for one in figures.by_tool(project.database)
    )


def _models(
    project: Project,
    kept: Share,
    curve: Sequence[tuple[int, Share]],
    scope: Scope,
    history: Sequence[Evaluation],
) -> list[SystemFigures]:
    """Systems with their accuracy and time, as evaluations tell them or else the loop.

    The systems are those evaluated, and timed, on the questions of the latest evaluation.  Before
    there is one, they are the pipeline with k programs and with one, and every model that has
    answered labelled questions.
    """
    latest = [one for one in history if _questions(one) == _questions(history[-1])]
    timed = [system for one in latest if (system := _evaluated_system(one))]
    return timed or [*_looped_pipelines(project, kept, curve, scope), *_looped_students(project)]


def _evaluated_system(one: Evaluation) -> SystemFigures | None:
    """The figures of an evaluation; None where it has no time or its main metric is undefined."""
    seconds = one.latency.get("median")
    if not isinstance(seconds, float) or one.value is None or one.low is None or one.high is None:
        return None
    return SystemFigures(
        one.system,
        one.value,
        one.low,
        one.high,
        one.questions,
        seconds,
        pipeline=one.kind == "pipeline",
        trained=one.is_distilled,
        evaluated=True,
    )


def _looped_pipelines(
    project: Project, kept: Share, curve: Sequence[tuple[int, Share]], scope: Scope
) -> Iterator[SystemFigures]:
    """The pipeline with k programs and with one, once the loop has run all of its stages."""
    times = project.seconds(scope)
    stages = [times[stage] for stage in ("sample", "execute", "verify") if stage in times]
    if not curve or len(stages) < 3 or not all(rows for rows, _ in stages):
        return
    # The stages' time is divided by their rows, because a program's own time holds its waiting.
    single = sum(seconds / rows for rows, seconds in stages)
    yield _looped_system(
        f"pipeline, any of {scope.k} programs", kept, single * scope.k, pipeline=True
    )
    if scope.k > 1:
        yield _looped_system("pipeline, one program", curve[0][1], single, pipeline=True)


def _looped_students(project: Project) -> Iterator[SystemFigures]:
    """Every student that has answered labelled questions in the loop."""
    parts = project.parts
    for student in evaluations.student_scores(project.database, RIGHT):
        name = part_name(parts[student.model], parts.values())
        share = Share(student.hits, student.n)
        figures = _looped_system(name, share, student.seconds, pipeline=False)
        yield replace(figures, trained=is_distilled(parts[student.model].name))


def _looped_system(name: str, share: Share, seconds: float, *, pipeline: bool) -> SystemFigures:
    return SystemFigures(name, share.value or 0.0, *share.interval, share.of, seconds, pipeline)


def _questions(one: Evaluation) -> tuple[str, str, int | None]:
    """What two evaluations of the same questions have in common."""
    return one.benchmark, one.split, one.task_limit


def _disk(path: Path) -> Disk:
    backups = sorted(path.glob("backups/*/backup.json"))
    try:
        last = (
            str(json.loads(backups[-1].read_text(encoding="utf-8"))["created_at"])
            if backups
            else None
        )
    except (OSError, ValueError, KeyError):
        last = None
    return Disk(
        store=sum(file.stat().st_size for file in path.glob("vpd.duckdb*")),
        images=_size(path / "images", int(monotonic() // 60)),
        cache=_size(path / "cache", int(monotonic() // 60)),
        free=shutil.disk_usage(path).free,
        backup=last,
    )


@lru_cache(maxsize=8)
def _size(folder: Path, minute: int) -> int:
    """Bytes in a folder; a link counts with its own size.

    The minute is part of the cache's key, so that a folder of very many files is read once a
    minute at most.
    """
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
