"""The project of the notebooks, on bundled collages; the first notebook that needs it makes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from workbench.local_files import real_path
from workbench.pipeline import loop
from workbench.pipeline.importing import import_tasks
from workbench.pipeline.progress import Watch
from workbench.pipeline.snapshotting import SnapshotWish, take
from workbench.settings import Choice, cache_dir
from workbench.store import Project, Selection
from workbench.store.project import STORE
from workbench.train.job import Job, student_of, usual
from workbench.train.jobs import Jobs

LEARNT, ASKED = 12, 8
"""Number of questions of the train split to learn from, and of the test split to ask afterwards."""
K = 4
"""Number of programs of each question."""
LESSON = SnapshotWish(accepted="both", seed=2)
"""What a person accepted, and where nobody has decided what the verifier kept.  With only three
pictures most seeds leave the held-out side empty; this one does not.
"""


def course_project(folder: Path | None = None) -> Path:
    """The folder of the course's project, made with its questions where there is none yet.

    Args:
        folder: `VPD_PROJECT` when left out, else a place beside the caches.
    """
    place = folder or Path(os.environ.get("VPD_PROJECT") or cache_dir().parent / "course")
    if not (place / STORE).is_file():
        source = Choice("collages")
        with Project.create(place, source=source) as project:
            for split, number in (("train", LEARNT), ("test", ASKED)):
                import_tasks(project, source, split, number)
    return place


def prepared(folder: Path | None = None, watch: Watch | None = None) -> Path:
    """The folder of the course's project, after the loop has run over its train questions.

    Args:
        folder: as `course_project`.
        watch: called with how far the loop is.
    """
    place = course_project(folder)
    with Project.open(place) as project:
        outcomes = project.outcomes(selection=Selection("train", LEARNT))
        if any(one.student_score is None for one in outcomes):  # the student answers last
            loop.run(project, LEARNT, K, progress=watch, split="train")
    return place


def lesson(project: Project) -> str:
    """The id of the training job of the notebook on training, which is submitted once.

    Raises:
        SnapshotError: nothing was accepted or kept.
    """
    snapshot = take(project, LESSON)
    student = student_of(project.profile())
    settings: dict[str, Any] = {**usual(student), "batch": 4, "micro_batch": 4}
    job = Job(
        str(real_path(snapshot.path)),
        student=student,
        name="first lesson",
        steps=30,
        eval_every=10,
        max_val=4,
        **settings,
    )
    return Jobs(project.path / "jobs").submit(job, request="first lesson")
