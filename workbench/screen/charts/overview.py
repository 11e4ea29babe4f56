"""A project at a glance: what came of its questions, tools, errors, people, models, disk; each
figure with its n.

Made from what the store keeps up to date (table `outcome`), so that it costs the same whenever it
is asked for.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from workbench.shares import Share, pass_at_k
from workbench.store import Evaluation, Project, Scope
from workbench.store.people import reviewing
from workbench.store.people.reviewing import ReviewerFigures
from workbench.store.reading import evaluations, figures, snapshots
from workbench.store.reading.lineage import Lineage
from workbench.store.reading.snapshots import Taken
from workbench.study.two_by_two import RIGHT


@dataclass(frozen=True, slots=True)
class FunnelBar:
    """One step of the funnel."""

    name: str
    tasks: int
    token: str | None
    """What to search for in Browse to see them; None where there is no such search."""


@dataclass(frozen=True, slots=True)
class ToolOutcomes:
    """What came of the runs that called one tool."""

    name: str
    runs: int
    right: Share
    """Right runs, of those judged against a label."""
    accepted: Share
    """Standing accepts by people, of their accepts and rejects of a trace that called it."""
    blamed: int
    """First wrong steps that people marked in its calls."""


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """How right and how slow one way of answering is."""

    name: str
    value: float
    """Share right."""
    low: float
    """95 % interval."""
    high: float
    of: int
    seconds: float
    """Of a question."""
    pipeline: bool
    taught: bool = False
    """By a job."""
    evaluated: bool = False
    """By an evaluation: alone, warm, the median; else the mean of the loop's batches."""


@dataclass(frozen=True, slots=True)
class Family:
    """What came of the questions of one family."""

    name: str
    tasks: int
    first: Share
    """pass@1 over judged labelled questions."""
    best: Share
    """pass@k."""
    student: Share
    """Right answers of the student in force, of the labelled questions that it answered."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes."""

    store: int
    images: int
    cache: int
    free: int
    backup: str | None
    """When the last backup was made, UTC, ISO 8601; None without one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the dashboard shows."""

    at: str
    """When it was counted, UTC, ISO 8601."""
    k: int
    tasks: int
    programs: int
    executed: Share
    """Programs that ended with an answer, of those run."""
    kept: Share
    """Yield: labelled questions with a right trace kept, of those judged."""
    student: Share
    """Right answers of the student in force, of the labelled questions that it answered."""
    funnel: tuple[FunnelBar, ...]
    curve: tuple[tuple[int, Share], ...]
    """pass@1 to pass@k over judged labelled questions."""
    families: tuple[Family, ...]
    """The largest first."""
    tools: tuple[ToolOutcomes, ...]
    own_blame: int
    """First wrong steps marked in the program itself, at no tool's call."""
    errors: tuple[Mapping[str, Any], ...]
    """{kind, day, runs, tasks} by day (UTC)."""
    reviewers: tuple[ReviewerFigures, ...]
    pace: tuple[Mapping[str, Any], ...]
    """{day, author, n}: standing decisions by day (UTC) and person."""
    agreement: tuple[Mapping[str, Any], ...]
    kappas: tuple[Mapping[str, Any], ...]
    """{day, first, second, kappa, n}: agreement at the end of each of the last days (UTC) with a
    decision.
    """
    reasons: Mapping[str, int]
    """Standing rejections by reason."""
    confusion: Mapping[str, int]
    models: tuple[SystemFigures, ...]
    lineage: Lineage
    minutes: Mapping[str, float]
    """By snapshot, reviewers' time in the decisions up to it; nothing for what the verifier alone
    chose.
    """
    disk: Disk

    @property
    def pipeline(self) -> SystemFigures | None:
        """The pipeline with all its programs."""
        return max(
            (one for one in self.models if one.pipeline), key=lambda one: one.seconds, default=None
        )

    @property
    def best(self) -> SystemFigures | None:
        """The student with the most right answers; of equal ones the one asked more."""
        students = [one for one in self.models if not one.pipeline]
        return max(students, key=lambda one: (one.value, one.of), default=None)


def overview(project: Project) -> Overview:
    """The figures of a project as it stands, for the parts in force."""
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
    return Overview(
        at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        k=scope.k,
        tasks=totals.tasks,
        programs=totals.programs,
        executed=Share(totals.executed, totals.traces),
        kept=kept,
        student=Share(totals.student, totals.answered),
        funnel=(*funnel, *_taught(project)),
        curve=curve,
        families=tuple(_families(project, scope.k)),
        tools=_tools(project, blamed),
        own_blame=blamed.get("", 0),
        errors=tuple(
            {**asdict(one), "day": str(one.day)}
            for one in figures.errors(project.database, by_day=True)
        ),
        reviewers=tuple(project.curation.reviewers()),
        pace=tuple(asdict(one) for one in reviewing.pace(project.database)),
        agreement=agreement,
        kappas=tuple(_kappas(project)) if agreement else (),
        reasons=project.curation.reject_reasons(),
        confusion=asdict(project.curation.confusion()),
        models=tuple(_models(project, kept, curve, scope, lineage.evaluations)),
        lineage=lineage,
        minutes=_minutes(project, lineage.snapshots),
        disk=_disk(project.path),
    )


def _passed(groups: Sequence[figures.JudgedGroup | figures.FamilyGroup], size: int) -> Share:
    enough = [group for group in groups if group.judged >= size]
    hits = sum(group.n * pass_at_k(group.judged, group.correct, size) for group in enough)
    return Share(hits, sum(group.n for group in enough))


def _families(project: Project, k: int) -> list[Family]:
    groups = figures.family_groups(project.database, RIGHT)
    found = []
    for name in dict.fromkeys(group.family for group in groups):
        mine = [group for group in groups if group.family == name]
        done = [group for group in mine if group.done]
        student = Share(sum(group.student for group in mine), sum(group.answered for group in mine))
        tasks = sum(group.n for group in mine)
        found.append(Family(name, tasks, _passed(done, 1), _passed(done, k), student))
    return sorted(found, key=lambda one: -one.tasks)


DAYS = 12
"""Days for which agreement is shown: each asks all decisions once."""


def _kappas(project: Project) -> Iterator[Mapping[str, Any]]:
    for day in reviewing.decision_days(project.database, DAYS):
        for one in project.curation.agreement(
            until=datetime.combine(day + timedelta(days=1), time.min)
        ):
            yield {
                "day": str(day),
                "first": one.first,
                "second": one.second,
                "kappa": one.kappa,
                "n": one.n,
            }


def _taught(project: Project) -> list[FunnelBar]:
    """Questions of the newest snapshot, and those that any model was taught."""
    questions = snapshots.snapshot_questions(project.database)
    return [
        FunnelBar("in snapshot", questions.newest, None),
        FunnelBar("trained", questions.training, None),
    ]


def _minutes(project: Project, taken: Sequence[Taken]) -> dict[str, float]:
    minutes = snapshots.review_minutes(project.database)
    people = {one.hash for one in taken if one.filter.get("accepted") != "automatic"}
    return {name: spent for name, spent in minutes.items() if name in people}


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
    found: Sequence[Evaluation],
) -> list[SystemFigures]:
    """The systems that were evaluated, and timed, on the questions of the latest evaluation; before
    there is one, the pipeline with k programs and with one, and every model that has answered
    labelled questions.
    """
    latest = [one for one in found if _questions(one) == _questions(found[-1])]
    timed = [
        SystemFigures(
            one.system,
            one.value,
            one.low,
            one.high,
            one.questions,
            seconds,
            one.kind == "pipeline",
            one.job is not None,
            evaluated=True,
        )
        for one in latest
        if isinstance(seconds := one.latency.get("median"), float)
        if one.value is not None and one.low is not None and one.high is not None
    ]
    if timed:
        return timed
    looped = []
    spent = project.seconds(scope)
    stages = [spent[stage] for stage in ("sample", "execute", "verify") if stage in spent]
    if curve and len(stages) == 3 and all(rows for rows, _ in stages):
        one = sum(
            seconds / rows for rows, seconds in stages
        )  # per program: a program's own times hold its waiting
        looped.append((f"pipeline, any of {scope.k} programs", kept, one * scope.k, True))
        if scope.k > 1:
            looped.append(("pipeline, one program", curve[0][1], one, True))
    for student in evaluations.student_scores(project.database, RIGHT):
        looped.append(
            (
                f"{student.name} {student.version[:8]}",
                Share(student.hits, student.n),
                student.seconds,
                False,
            )
        )
    return [
        SystemFigures(name, share.value or 0.0, *share.interval, share.of, seconds, pipeline)
        for name, share, seconds, pipeline in looped
    ]


def _questions(one: Evaluation) -> tuple[str, str, int | None]:
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
    """Bytes in a folder (of a link, the link's own), counted once a minute: it may hold a great
    many files.
    """
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
