"""The models that finished jobs left: listed, and ready to answer in Compare."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.errors import InputError
from workbench.pipeline.live import Live
from workbench.pipeline.live_events import Side
from workbench.pipeline.live_names import SideName, side_names
from workbench.ports import Images
from workbench.settings import Choice, Profile
from workbench.store import Project
from workbench.train.jobs import Jobs
from workbench.train.status_files import RESULT, read_json

FOLDER = "jobs"

LOADED = 2
"""Models kept loaded beside the profile's own."""


@dataclass(frozen=True, slots=True)
class FinishedModel:
    """What a finished job left."""

    job: str
    name: str
    folder: Path
    accuracy: float | None
    """Share of right answers on the held-out side, 0 to 1."""
    of: int
    """Number of held-out questions."""


def finished_models(project: Project) -> list[FinishedModel]:
    """Models of finished jobs, the newest first; nothing that was half written is among them."""
    models = []
    for job in Jobs(project.path / FOLDER).all():
        result = read_json(job.folder / RESULT)
        if result and (folder := job.folder / result["model"]).is_dir():
            models.append(FinishedModel(job.id, job.name, folder, result["accuracy"], result["of"]))
    return models


class Students:
    """Who answers as the student: the profile's, or a finished job's model.

    Safe for several threads.

    Args:
        project: the project whose jobs are meant.
        images: its pictures.
        live: the sides of its profile, which answer as everybody but a job's model.
    """

    def __init__(self, project: Project, images: Images, live: Live) -> None:
        self._project, self._images, self._live = project, images, live
        self._loaded: OrderedDict[str, Live] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, job: str) -> Live:
        """The sides with a job's model as the student; the profile's if `job` is empty.

        Raises:
            InputError: there is no such job, or it has no model.
        """
        if not job:
            return self._live
        model = next((one for one in finished_models(self._project) if one.job == job), None)
        if model is None:
            raise InputError(f"no finished job is called '{job}'; the Train page lists them")
        with self._lock:
            if job not in self._loaded:
                self._loaded[job] = Live(self._profile(model), self._images)
            self._loaded.move_to_end(job)
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)  # an answer under way still holds its own
            return self._loaded[job]

    def names(self, model: FinishedModel) -> Mapping[Side, SideName]:
        """What the sides are called with a job's model as the student; nothing is loaded."""
        return side_names(self._profile(model))

    def _profile(self, model: FinishedModel) -> Profile:
        student = Choice("transformers", {"checkpoint": str(model.folder)})
        return replace(self._project.profile(), student=student)
