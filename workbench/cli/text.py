"""Text for the terminal: hostile text without its effect, one console, numbers with their units."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from workbench.errors import InputError, ProfileError, StoreReadOnly
from workbench.safe_text import safe as safe

if TYPE_CHECKING:
    from workbench.store import Project


def console(stderr: bool = False) -> Console:
    """A console that takes text as it is: no markup, no emoji codes, no colouring of words."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def error_line(text: str, label: str = "error: ") -> None:
    """Print one line on stderr, red if the terminal has colours."""
    console(stderr=True).print(
        Text(label + " ".join(safe(text, 4000, lines=True).split("\n")), style="red")
    )


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keeps pandas out of a short command, which would wait for it longer than for its figures.

    DuckDB loads it with the first parameter of a query, to see whether that is one of its tables.
    """
    absent: Any = None
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = absent
    try:
        yield
    finally:
        sys.modules.pop("pandas", None)


def open_project(project: Path | None, read_only: bool, runs_code: bool = False) -> Project:
    """Open a project.

    Where its profile names code of its own that is not trusted yet, the user is asked first; a
    command that nobody watches goes on, and refuses that code when it is about to run.

    Args:
        project: the folder; None opens the project around the current folder.
        read_only: refuse to write.
        runs_code: refuse code that is not trusted now, and not when it is about to run.
    """
    from workbench.store import Project  # commands that open none need no DuckDB

    folder = project_folder(project)
    _ask_for_trust(folder, runs_code)
    return Project.open(folder, read_only=read_only)


def _ask_for_trust(folder: Path, runs_code: bool) -> None:
    from workbench import trust
    from workbench.settings import read_profile
    from workbench.store.project import PROFILE

    try:
        code = trust.code_of_profile(read_profile(folder / PROFILE))
    except ProfileError:
        return  # a profile that cannot be read runs nothing
    strange = trust.untrusted(folder, code)
    if not strange or not sys.stdin.isatty():
        if runs_code:
            trust.check(folder, code)
        return
    out = console(stderr=True)
    out.print(f"{safe(folder)} would run code of its own:")
    for line in strange:
        out.print(f"  {safe(line)}")
    if input("Run it from now on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise trust.UntrustedCode(f"the code of {folder} is not trusted, so nothing was run")
    trust.trust(folder, strange)


def open_to_look(project: Path | None) -> Project:
    """Open a project whose summary is brought up to date before it is read, where that may be."""
    try:
        return open_project(project, read_only=False)
    except StoreReadOnly:
        return open_project(project, read_only=True)


def project_folder(project: Path | None) -> Path:
    """Folder of a project; None finds the one around the current folder."""
    if project is None:
        from workbench.store import locate

        return locate(Path.cwd())
    if not (project / "vpd.duckdb").is_file():
        raise InputError(f"there is no project at {project}; make one with: vpd init {project}")
    return project


def local_time(moment: datetime) -> str:
    """A time of the store (UTC without a zone) as the clock of this machine shows it."""
    return f"{moment.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M}"


def percent(value: float | None) -> str:
    """A share in per cent; a dash if there is none."""
    return "-" if value is None else f"{100 * value:.1f} %"


def seconds(value: float | None) -> str:
    """A time with its unit, minutes from 60 s on; a dash if there is none."""
    if value is None:
        return "-"
    return f"{value:.2f} s" if value < 60 else f"{value / 60:.1f} min"
