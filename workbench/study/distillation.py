"""What distillation buys, as one study.

Students learn the same snapshot with and without its rationales, over several seeds, and answer the
same questions as the base and the pipeline (Hu et al. 2024, section 4: Instruct against VPD).
Everything is found again by its origin: a job by its settings, an answer by its student.  So a
study that was stopped goes on, and a larger one does only what is new.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import EngineError, InputError
from workbench.local_files import real_path
from workbench.pipeline.ingesting import ingest
from workbench.pipeline.progress import Progress, Watch
from workbench.pipeline.snapshotting import folder_of
from workbench.records import content_key
from workbench.store import Project, Selection
from workbench.store.reading import snapshots
from workbench.study.evaluate import evaluate, evaluate_pipeline
from workbench.study.results import Results, results
from workbench.train.job import job_of
from workbench.train.jobs import Jobs

OBJECTIVES = ("instruct", "vpd")
LOOK = 1.0
"""Seconds between two looks at the jobs."""


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """The jobs of a study."""

    snapshot: str = ""
    """Name or hash of the snapshot; the newest when empty."""
    seeds: int = 5
    """Number of jobs for each objective."""
    settings: Mapping[str, Any] | None = None
    """Settings of every job, as in `job.toml`."""


def train(project: Project, plan: StudyPlan, watch: Watch | None = None) -> list[Path]:
    """Train the jobs of a plan and wait for them.

    The jobs are processes of their own: they go on when the wait is cut short, and another call
    finds them.

    Args:
        project: has the snapshot and the jobs.
        plan: what is trained.
        watch: called as the work goes on.

    Returns:
        The folders of the jobs, objective by objective in order of seeds.

    Raises:
        InputError: there is no such snapshot, or no seed.
        ProfileError: a setting is wrong.
        EngineError: a job failed.
    """
    if plan.seeds < 1:
        raise InputError(f"a study needs a seed or more, found {plan.seeds}")
    which = plan.snapshot or next(
        (row.hash for row in snapshots.snapshot_rows(project.database)), ""
    )
    settings = {**(plan.settings or {}), "snapshot": str(real_path(folder_of(project, which)))}
    jobs, ids = Jobs(project.path / "jobs"), []
    for objective in OBJECTIVES:
        for seed in range(plan.seeds):
            job = job_of({**settings, "objective": objective, "seed": seed})
            ids.append(jobs.submit(job, content_key("study", job.key)))
    for id_ in ids:
        if jobs.show(id_).state == "stopped":
            jobs.resume(id_)
    folders = _wait(jobs, ids, watch)
    ingest(project)
    return folders


def _wait(jobs: Jobs, ids: Sequence[str], watch: Watch | None) -> list[Path]:
    """Wait until jobs are done; gives their folders."""
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
            return [job.folder for job in now]
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
) -> Results:
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
    folders = train(project, plan, watch)
    base = str((plan.settings or {}).get("student", "bundled"))
    if k:
        evaluate_pipeline(test, k, selection, timed, watch)
    baseline = evaluate(test, base, selection, False, timed, watch).system
    for explain in (False, True):
        evaluate(test, base, selection, explain, timed, watch)
        for number, folder in enumerate(folders):
            clock = timed if number % plan.seeds == 0 else 0
            evaluate(test, str(folder), selection, explain, clock, watch)
    questions = selection or Selection()
    return results(test, baseline, questions.source or "", questions.split or "", by="objective")
