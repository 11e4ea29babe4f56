"""The project of the course: bundled collages, made once and used by every notebook."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.pipeline.importing import import_tasks
from workbench.settings import Choice, cache_dir
from workbench.store import Project
from workbench.store.project import STORE

QUESTIONS = 24
"""Questions imported: enough to see every family, few enough to run all of them while one reads."""


def course_project(folder: Path | None = None) -> Path:
    """The folder of the course's project, made with its questions where there is none; nothing is run.

    Args:
        folder: `VPD_PROJECT` when left out, else a place beside the caches.
    """
    place = folder or Path(os.environ.get("VPD_PROJECT") or cache_dir().parent / "course")
    if not (place / STORE).is_file():
        source = Choice("collages")
        with Project.create(place, source=source) as project:
            import_tasks(project, source, "test", QUESTIONS)
    return place
