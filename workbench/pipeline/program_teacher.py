"""The answers of a question's programs, written for the teacher `programs` when a job is queued."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workbench.errors import InputError
from workbench.local_files import real_path
from workbench.records import content_key
from workbench.snapshot import SPLITS, Snapshot
from workbench.store import Project
from workbench.store.reading import evaluations
from workbench.train.job import Job

FOLDER = "cache/program-answers"
PROGRAMS = "programs"
"""Name of the teacher."""


def program_shares(project: Project, tasks: Sequence[str]) -> dict[str, dict[str, float]]:
    """The answers of the programs of some questions, each with the share that gives it.

    A program that failed gives none; a question without an answer is left out.
    """
    answers = evaluations.program_answers(project.database, project.scope(), tasks)
    out = {}
    for task, programs in answers.items():
        counts = Counter(one.answer for one in programs if one.answer)
        total = sum(counts.values())
        if total:
            out[task] = {answer: number / total for answer, number in sorted(counts.items())}
    return out


def with_program_answers(project: Project, job: Job) -> Job:
    """The job, with a file of answers where its teacher is the programs and names none.

    Args:
        project: holds the programs.
        job: what will be queued.

    Raises:
        InputError: no program has answered a question of the snapshot.
    """
    if job.teacher.get("part") != PROGRAMS or job.teacher.get("answers"):
        return job
    snapshot = Snapshot.open(Path(job.snapshot))
    tasks = sorted({one.task_id for split in SPLITS for one in snapshot.examples(split)})
    shares = program_shares(project, tasks)
    if not shares:
        raise InputError(
            f"the teacher 'programs' needs programs that answered, and none of the {len(tasks)} "
            "questions of the snapshot has one; run vpd run first, or take another teacher"
        )
    text = json.dumps(shares, ensure_ascii=False, sort_keys=True)
    path = project.path / FOLDER / f"{content_key(text)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return replace(job, teacher={**job.teacher, "answers": str(real_path(path))})
