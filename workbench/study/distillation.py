"""What distillation buys, as one study: the same snapshot with and without its rationales, over
several seeds, asked the same questions as the base and the pipeline (Hu et al. 2024, section 4:
Instruct against VPD).

Everything is found again by what it was made from: a job by its settings, an answer by its student.
So a study that was stopped goes on, and a larger one does only what is new.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import EngineError, InputError
from workbench.pipeline.ingesting import ingest
from workbench.pipeline.loop import Progress, Watch
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
    """What is trained."""

    snapshot: str = ""
    """By name or hash; the newest when empty."""
    seeds: int = 5
    settings: Mapping[str, Any] | None = None
    """Of every job, as in `job.toml`."""


def train(project: Project, plan: StudyPlan, watch: Watch | None = None) -> list[Path]:
    """The jobs of a plan, trained; their folders, objective by objective in order of seeds.

    The jobs are processes of their own: who stops waiting stops none, and asking again finds them.

    Raises:
        InputError: no such snapshot, or no seed.
        ProfileError: a wrong setting.
        EngineError: a job failed.
    """
    if plan.seeds < 1:
        raise InputError(f"a study needs a seed or more, found {plan.seeds}")
    which = plan.snapshot or next(
        (row.hash for row in snapshots.snapshot_rows(project.database)), ""
    )
    given = {**(plan.settings or {}), "snapshot": str(folder_of(project, which).resolve())}
    jobs, ids = Jobs(project.path / "jobs"), []
    for objective in OBJECTIVES:
        for seed in range(plan.seeds):
            job = job_of({**given, "objective": objective, "seed": seed})
            ids.append(jobs.submit(job, content_key("study", job.key)))
    for id_ in ids:
        if jobs.show(id_).state == "stopped":
            jobs.resume(id_)
    while True:
        seen = [jobs.show(id_) for id_ in ids]
        if failed := [job for job in seen if job.state in ("failed", "stopped")]:
            why = (failed[0].failure or {}).get("text", failed[0].state)
            raise EngineError(
                f"job {failed[0].id} of the study did not end ({why}); see vpd jobs show {failed[0].id}, then vpd jobs "
                "resume or delete it, and start the study again"
            )
        if watch is not None:
            total = max(job.total for job in seen) * len(seen)
            watch(Progress("training", sum(job.step for job in seen), total, "steps"))
        if all(job.state == "done" for job in seen):
            ingest(project)
            return [job.folder for job in seen]
        jobs.advance()  # a queue whose runner was killed goes on
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
    """Train, ask everybody, compare.

    Args:
        project: holds the snapshot and the jobs.
        test: holds the questions, whose pictures no job has seen; may be the same one.
        k: programs per question; 0 leaves the pipeline out.
        selection: of the questions.
        timed: questions asked one by one for the clock, of the first seed's students.

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
    asked = selection or Selection()
    return results(test, baseline, asked.source or "", asked.split or "", by="objective")
