"""What distillation buys, as one study.

Students learn the same snapshot with and without its rationales, over several seeds, and answer the
same questions as the base and the pipeline (Hu et al. 2024, section 4: Instruct against VPD).
Everything is found again by its origin: a job by its settings, an answer by its student.  So a
study that was stopped goes on, and a larger one does only what is new.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import EngineError, InputError
from workbench.pipeline.ingesting import ingest
from workbench.pipeline.progress import Progress, Watch
from workbench.records import JSON, content_key
from workbench.snapshot import Snapshot
from workbench.store import Project, Selection
from workbench.study.differences import ArmDifference, differences
from workbench.study.evaluate import evaluate, evaluate_pipeline, questions
from workbench.study.plan import LABELS_ALONE, Arm, StudyPlan, merged
from workbench.study.results import Results, results
from workbench.study.variants import snapshot_folder
from workbench.train.job import Job, job_of, student_of, usual
from workbench.train.jobs import Jobs
from workbench.train.sources import own_sources
from workbench.train.status_files import METRICS, RESULT, read_json, read_lines

LOOK = 1.0
"""Seconds between two looks at the jobs."""


@dataclass(frozen=True, slots=True)
class TrainedArm:
    """The finished jobs of an arm."""

    name: str
    objective: str
    snapshot: str
    """Hash of what it learnt from."""
    steps: int
    """Steps of each job."""
    seconds: tuple[float, ...]
    """What the steps of each job took, of the processors (on a GPU, on the clock)."""
    step_seconds: float
    """What a step of the first job took in its second half, when nothing was seen for the first
    time."""
    folders: tuple[Path, ...]
    """Of the jobs, in order of seeds."""
    group: str = ""
    """It is compared with arms of its own group alone."""
    note: str = ""
    """What a reader has to know of it, such as how its number of steps came about."""
    beside: tuple[str, ...] = ()
    """Names of arms that it is compared with, besides those that learn labels alone."""

    @property
    def explains(self) -> bool:
        """Whether it was taught to explain."""
        return self.objective != LABELS_ALONE

    def curve(self) -> dict[int, float]:
        """Accuracy on the snapshot's held-out side by step, the mean over jobs; step 0 is the
        student as it came.  Marks that not every job has are left out.
        """
        curves = [_curve(folder) for folder in self.folders]
        marks = sorted(set.intersection(*(set(one) for one in curves)))
        return {mark: sum(one[mark] for one in curves) / len(curves) for mark in marks}


def _curve(folder: Path) -> dict[int, float]:
    """A job's accuracy on the held-out side, by step."""
    rows = read_lines(folder / METRICS)
    return {int(row["step"]): float(row["accuracy"]) for row in rows if "accuracy" in row}


@dataclass(frozen=True, slots=True)
class StudyReport:
    """What a study came to."""

    results: Results
    """The table of systems."""
    arms: tuple[TrainedArm, ...]
    differences: tuple[ArmDifference, ...]
    """Arms that explain, less each arm that does not and less the pipeline's vote."""
    chosen: Mapping[str, JSON]
    """Settings that were chosen before, by arm."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "results": self.results.to_json(),
            "arms": [
                {
                    **asdict(arm),
                    "folders": [folder.name for folder in arm.folders],
                    "curve": {str(step): share for step, share in arm.curve().items()},
                }
                for arm in self.arms
            ],
            "differences": [asdict(one) for one in self.differences],
            "chosen": dict(self.chosen),
        }


def train(project: Project, plan: StudyPlan, watch: Watch | None = None) -> list[TrainedArm]:
    """Train the jobs of a plan and wait for them.

    The jobs are processes of their own: they go on when the wait is cut short, and another call
    finds them.  Arms whose steps follow from the time of others are trained behind these.

    Args:
        project: has the snapshot and the jobs.
        plan: what is trained.
        watch: called as the work goes on.

    Returns:
        The arms in the order of the plan.

    Raises:
        InputError: there is no such snapshot, or an arm would learn nothing that it is for.
        ProfileError: a setting is wrong.
        EngineError: a job failed.
    """
    done: dict[str, TrainedArm] = {}
    first = {arm.name: jobs_of(project, plan, arm) for arm in plan.arm if not arm.as_long_as}
    notes = {
        arm.name: "; ".join(filter(None, [arm.note, _lessons(project, plan, arm)]))
        for arm in plan.arm
    }
    done |= train_jobs(project, first, watch, notes, plan.at_once)
    later: dict[str, list[Job]] = {}
    for arm in plan.arm:
        if arm.as_long_as:
            steps, notes[arm.name] = equal_steps(done[arm.like], done[arm.as_long_as])
            later[arm.name] = jobs_of(project, plan, arm, {"steps": steps})
    done |= train_jobs(project, later, watch, notes, plan.at_once)
    return [
        replace(done[arm.name], group=arm.group, beside=_compared(plan, arm)) for arm in plan.arm
    ]


def _compared(plan: StudyPlan, arm: Arm) -> tuple[str, ...]:
    """The arms that one is compared with by name, with those prolonged to its own time."""
    longer = [one.name for one in plan.arm if arm.beside and one.as_long_as == arm.name]
    return (*arm.beside, *longer)


def jobs_of(
    project: Project,
    plan: StudyPlan,
    arm: Arm,
    changes: Mapping[str, Any] | None = None,
    seeds: int | None = None,
    chosen: bool = True,
) -> list[Job]:
    """The jobs of an arm, in order of seeds.

    Args:
        project: has the snapshot.
        plan: of the study.
        arm: one of its arms.
        changes: settings in place of those of the plan.
        seeds: number of jobs, if not the plan's.
        chosen: whether settings that were chosen count.

    Raises:
        InputError: there is no such snapshot, or it has no rationale for an arm that explains.
        ProfileError: a setting is wrong.
    """
    folder = snapshot_folder(project, plan, arm)
    settings = merged(plan.settings_of(arm, chosen), {**(changes or {}), "snapshot": str(folder)})
    settings.setdefault("student", student_of(project.profile()))
    settings = usual(settings["student"]) | settings
    if settings["objective"] == "vpd":
        _check_rationales(folder, arm)
    return [
        job_of({**settings, "seed": seed, "name": f"{arm.name} seed {seed}"}, f"arm '{arm.name}'")
        for seed in range(seeds or plan.seeds)
    ]


def _check_rationales(folder: Path, arm: Arm) -> None:
    manifest = Snapshot.open(folder).manifest
    if not manifest.content.counts["rationales"]:
        raise InputError(
            f"the arm '{arm.name}' is to learn from rationales, and the snapshot "
            f"{manifest.name or manifest.hash} has none in {manifest.content.counts['rows']} "
            "questions; take one of questions whose programs were run and told: vpd snapshot "
            "--automatic --labels"
        )


def _lessons(project: Project, plan: StudyPlan, arm: Arm) -> str:
    """How many rationales an arm learns from, and how many of them show a place."""
    if plan.objective(arm) == LABELS_ALONE:
        return ""
    rows = Snapshot.open(snapshot_folder(project, plan, arm)).examples("train")
    texts = [row for row in rows if row.rationale is not None]
    return (
        f"{len(texts)} rationales for {len(rows)} questions, "
        f"{sum(bool(row.boxes) for row in texts)} of them with a box"
    )


def equal_steps(short: TrainedArm, long: TrainedArm) -> tuple[int, str]:
    """How many steps an arm needs to take as much processor time as another, and why.

    Pictures and questions are looked at once for all jobs of a project, by whichever comes first:
    so steps are counted by the time of a late one.  The first seed's jobs tell, so that more seeds
    change nothing.

    Args:
        short: the arm that is prolonged.
        long: the arm that it is to take as long as.

    Raises:
        EngineError: a job's time was not measured.
    """
    mine, theirs = short.step_seconds, long.step_seconds
    if min(mine, theirs) <= 0:
        raise EngineError(
            f"the time of a step of '{short.name}' ({mine} s) and '{long.name}' ({theirs} s) says "
            "nothing; delete their jobs and start the study again"
        )
    steps = max(1, round(long.steps * theirs / mine))
    return steps, (
        f"{steps} steps: a late one of '{short.name}' took {mine:.3f} s, and {long.steps} of "
        f"'{long.name}' {theirs:.3f} s each"
    )


def train_jobs(
    project: Project,
    arms: Mapping[str, Sequence[Job]],
    watch: Watch | None = None,
    notes: Mapping[str, str] | None = None,
    at_once: int = 1,
) -> dict[str, TrainedArm]:
    """Queue jobs, wait for all of them, and give them back by arm.

    Args:
        project: has the jobs.
        arms: jobs by the name of their arm.
        watch: called as the work goes on.
        notes: what a reader has to know of an arm, by its name.
        at_once: number of jobs side by side.

    Raises:
        EngineError: a job failed.
    """
    jobs = Jobs(project.path / "jobs", at_once=at_once)
    ids = {name: [jobs.submit(job, request_of(job)) for job in some] for name, some in arms.items()}
    flat = list(dict.fromkeys(one for some in ids.values() for one in some))
    for id_ in flat:
        if jobs.show(id_).state == "stopped":
            jobs.resume(id_)
    if flat:
        _wait(jobs, flat, watch)
    ingest(project)
    return {
        name: _trained(jobs, name, arms[name][0], some, (notes or {}).get(name, ""))
        for name, some in ids.items()
    }


def request_of(job: Job) -> str:
    """Names a job of a study: the same settings, on the same files of one's own, are one job."""
    own = sorted(own_sources(job).values())
    return content_key("study", job.key, *([own] if own else []))


def _trained(jobs: Jobs, name: str, job: Job, ids: Sequence[str], note: str) -> TrainedArm:
    folders = tuple(jobs.show(id_).folder for id_ in ids)
    rows = [read_json(folder / RESULT) for folder in folders]
    return TrainedArm(
        name=name,
        objective=job.objective,
        snapshot=Path(job.snapshot).name,
        steps=int(rows[0].get("steps", 0)),
        seconds=tuple(float(row.get(_clock(row)[0], 0.0)) for row in rows),
        step_seconds=_late_step(read_lines(folders[0] / METRICS), _clock(rows[0])[1]),
        folders=folders,
        note=note,
    )


def _clock(result: Mapping[str, Any]) -> tuple[str, str]:
    """Where a job's time stands, in its result and in its figures: the processors' where it ran on
    them, else the clock's.
    """
    if result.get("device") == "cpu" and result.get("processor_seconds"):
        return "processor_seconds", "processor_s"
    return "seconds", "seconds"


def _late_step(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    """The mean time of a step in the second half of a job; 0 where none was measured."""
    times = [float(row[name]) for row in rows if name in row]
    late = times[len(times) // 2 :]
    return sum(late) / len(late) if late else 0.0


def _wait(jobs: Jobs, ids: Sequence[str], watch: Watch | None) -> None:
    """Wait until jobs are done."""
    while True:
        now = [jobs.show(id_) for id_ in ids]
        if failed := [job for job in now if job.state in ("failed", "stopped")]:
            why = (failed[0].failure or {}).get("text", failed[0].state)
            raise EngineError(
                f"job {failed[0].id} of the study did not end ({why}); "
                f"see vpd jobs show {failed[0].id}, then vpd jobs resume or delete it, "
                "and start the study again"
            )
        if watch is not None:
            total = max(job.total for job in now) * len(now)
            watch(Progress("training", sum(job.step for job in now), total, "steps"))
        if all(job.state == "done" for job in now):
            return
        if not jobs.at_work():
            jobs.advance()  # A queue whose runner was killed goes on.
        time.sleep(LOOK)


def study(
    project: Project,
    test: Project,
    plan: StudyPlan,
    k: int = 5,
    selection: Selection | None = None,
    timed: int = 10,
    watch: Watch | None = None,
) -> StudyReport:
    """Train the students of a plan, evaluate them, the base and the pipeline, and compare all.

    Args:
        project: has the snapshot and the jobs.
        test: has the questions, whose pictures no job has learnt from; may be the same project.
        plan: what is trained.
        k: programs per question; 0 leaves the pipeline out.
        selection: of the questions; all when None.
        timed: number of questions asked one by one for the clock, of the first seed's students.
        watch: called as the work goes on.

    Raises:
        InputError, ProfileError, EngineError: as `train`, `evaluate` and `evaluate_pipeline`.
    """
    questions(test, selection or Selection())  # before hours are spent
    arms = train(project, plan, watch)
    base = str((plan.settings or {}).get("student") or student_of(project.profile()))
    if k:
        evaluate_pipeline(test, k, selection, timed, watch)
    baseline = evaluate(test, base, selection, False, timed, watch).system
    evaluate(test, base, selection, True, timed, watch)
    for explain in (False, True):
        for arm in arms:
            for number, folder in enumerate(arm.folders if arm.explains or not explain else ()):
                evaluate(test, str(folder), selection, explain, 0 if number else timed, watch)
    table = results(
        test,
        baseline,
        (selection or Selection()).source or "",
        (selection or Selection()).split or "",
        arms=_names_by_job(arms),
    )
    return StudyReport(
        table, tuple(arms), differences(test, table, _pairs(arms, k)), dict(plan.chosen)
    )


def _names_by_job(arms: Sequence[TrainedArm]) -> dict[str, list[str]]:
    """The arms of each job; arms whose settings come out the same share their jobs."""
    names: dict[str, list[str]] = {}
    for arm in arms:
        for folder in arm.folders:
            names.setdefault(folder.name, []).append(arm.name)
    return names


def _pairs(arms: Sequence[TrainedArm], k: int) -> list[tuple[str, str]]:
    """Which systems are compared: what explains with what does not and the vote, as plans say."""
    votes = [f"pipeline k={k}"] if k > 1 else []
    pairs = []
    for arm in arms:
        controls = [one.name for one in arms if not one.explains and one.group == arm.group]
        for other in (*arm.beside, *controls, *votes) if arm.explains else arm.beside:
            pairs.append((arm.name, other))
            if arm.explains:
                pairs.append((f"{arm.name} explained", other))
    return pairs
