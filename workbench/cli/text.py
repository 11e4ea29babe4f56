"""What the terminal gets: hostile text made harmless, one console, numbers as people write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from rich.console import Console
from rich.text import Text

from workbench.errors import InputError
from workbench.store import Project, locate

SHOWN = 2000
"""Characters of one text shown at most."""


def safe(text: object, longest: int = SHOWN, lines: bool = False) -> str:
    """Text from a model, a dataset or a file name, harmless in a terminal.

    Control characters (escape sequences among them), invisible formatting (text direction) and lone
    surrogates are shown as `\\x1b` and the like; long text is cut.

    Args:
        lines: keep line breaks and tabs.
    """
    whole = str(text)
    cut = whole[:longest]
    shown = "".join(
        char
        if (lines and char in "\n\t") or unicodedata.category(char) not in _UNSAFE
        else _escaped(char)
        for char in cut
    )
    return shown + f"… ({len(whole) - longest} more characters)" * (len(whole) > longest)


_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()


def console(stderr: bool = False) -> Console:
    """A console that takes text as it is: no markup, no emoji codes, no colouring of words."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def error_line(text: str, label: str = "error: ") -> None:
    """One line on stderr, red where colours are shown."""
    console(stderr=True).print(
        Text(label + " ".join(safe(text, 4000, lines=True).split("\n")), style="red")
    )


def open_project(project: Path | None, read_only: bool) -> Project:
    """The project named, or the one that the current folder lies in."""
    return Project.open(project_folder(project), read_only=read_only)


def project_folder(project: Path | None) -> Path:
    """Folder of the project named, or of the one that the current folder lies in."""
    if project is None:
        return locate(Path.cwd())
    if not (project / "vpd.duckdb").is_file():
        raise InputError(f"there is no project at {project}; make one with: vpd init {project}")
    return project


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s" if value < 60 else f"{value / 60:.1f} min"
