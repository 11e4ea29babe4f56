"""The project that a notebook works on: named once, used by every widget that is given none."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.errors import InputError
from workbench.store import Project, locate

VARIABLE = "VPD_PROJECT"
"""Set by `vpd lab`: the folder of the project."""

_held: dict[str, Project] = {}


def use(project: Project | Path | str | None = None) -> Project:
    """Make a project the notebook's own and return it.  Opening it the second time is the same open
    project.

    Args: project: open, or its folder; None: what `vpd lab` was started with, else the project
        around this folder.

    Raises:
        InputError: there is no project.
        StoreError: it cannot be opened.
    """
    if not isinstance(project, Project):
        folder = (
            Path(project or os.environ.get(VARIABLE) or locate(Path.cwd())).expanduser().resolve()
        )
        held = _held.get("project")
        project = (
            held if held is not None and held.path.resolve() == folder else Project.open(folder)
        )
    _held["project"] = project
    return project


def current(given: Project | None = None) -> Project:
    """The project given, else the notebook's own.  Raises InputError when there is none."""
    found = given or _held.get("project")
    if found is None:
        raise InputError("which project? name it once with widgets.use('FOLDER'), or give project=")
    return found


def held(given: Project | None = None) -> Project | None:
    """The same, or None."""
    return given or _held.get("project")
