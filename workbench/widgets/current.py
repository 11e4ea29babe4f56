"""The project that a notebook works on: named once, used by every widget that is given none."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.errors import InputError
from workbench.local_files import real_path
from workbench.store import Project, locate

VARIABLE = "VPD_PROJECT"
"""Set by `vpd lab`: the folder of the project."""

_open: dict[str, Project] = {}
"""The notebook's own project, under the key `project`; empty while none is named."""


def use(project: Project | Path | str | None = None) -> Project:
    """Make a project the notebook's own and return it.  Opening it the second time is the same open
    project.

    Args:
        project: open, or its folder; None: what `vpd lab` was started with, else the project around
            this folder.

    Raises:
        InputError: there is no project.
        StoreError: it cannot be opened.
    """
    if not isinstance(project, Project):
        folder = real_path(
            Path(project or os.environ.get(VARIABLE) or locate(Path.cwd())).expanduser()
        )
        own = _open.get("project")
        same = own is not None and real_path(own.path) == folder
        project = own if own is not None and same else Project.open(folder)
    _open["project"] = project
    return project


def current(project: Project | None = None) -> Project:
    """This project, or without one the notebook's own.  Raises InputError when there is none."""
    one = current_or_none(project)
    if one is None:
        raise InputError("which project? name it once with widgets.use('FOLDER'), or give project=")
    return one


def current_or_none(project: Project | None = None) -> Project | None:
    """This project, or without one the notebook's own; None when there is none."""
    return project or _open.get("project")
