"""Figures of a run for Trackio and Weights & Biases, while it goes on.

Both have the same three verbs (`init`, `log`, `finish`).  A run does not depend on them: one that
fails is named in the log and gets nothing more.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import InputError, MissingPart
from workbench.records import JSON
from workbench.train.job import Job

TRACKERS: Mapping[str, str] = {"trackio": "Trackio", "wandb": "Weights & Biases"}
"""Packages, each with the name that people know it by."""
PROJECT = "vpd"


class Tracker:
    """One place that gets the figures.

    Args:
        name: of its package, one of `TRACKERS`.
        job: its settings are noted there.
        folder: the job's folder, whose name is the run's: a resumed run goes on in the same curves.

    Raises:
        InputError: nobody knows a tracker of this name.
        MissingPart: its package is absent.
    """

    def __init__(self, name: str, job: Job, folder: Path) -> None:
        if name not in TRACKERS:
            raise InputError(f"no tracker is called {name!r}; trackers take: {', '.join(TRACKERS)}")
        try:
            self._package: Any = importlib.import_module(name)
        except ImportError as error:
            raise MissingPart(
                f"{TRACKERS[name]} needs a package that is absent: pip install {name}; or take it "
                "out of trackers"
            ) from error
        self._name, self._works = name, True
        label = f"{job.name} {folder.name}".strip()
        more = {"id": folder.name} if name == "wandb" else {}
        self._safely(
            lambda: self._package.init(
                project=PROJECT, name=label, config=asdict(job), resume="allow", **more
            )
        )

    def _safely(self, act: Callable[[], object]) -> None:
        """Do something with the package; its failure is named and ends it, never the run."""
        if not self._works:
            return
        try:
            act()
        except Exception as error:
            self._works = False
            reason = " ".join(str(error).split())[:300]
            print(
                f"{TRACKERS[self._name]} gets no more figures of this run: "
                f"{type(error).__name__}: {reason}",
                flush=True,
            )

    def log(self, figures: Mapping[str, JSON]) -> None:
        """Send the figures of a step or an evaluation."""
        numbers = {
            key: value
            for key, value in figures.items()
            if key != "step" and isinstance(value, int | float)
        }
        self._safely(lambda: self._package.log(numbers, step=figures.get("step")))

    def finish(self) -> None:
        """End the run there."""
        self._safely(lambda: self._package.finish())


def open_trackers(job: Job, folder: Path) -> list[Tracker]:
    """The trackers that a job names.

    Args:
        job: its `trackers`.
        folder: the job's folder.

    Raises:
        InputError: nobody knows a tracker of such a name.
        MissingPart: a package is absent.
    """
    return [Tracker(name, job, folder) for name in job.trackers]
