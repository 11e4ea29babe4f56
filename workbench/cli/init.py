"""`vpd init` and `vpd import`."""

from __future__ import annotations

from pathlib import Path

from workbench import registry
from workbench.cli.bars import Bars
from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError
from workbench.pipeline import Progress, importing
from workbench.settings import Choice
from workbench.store import Project


def choice(source: str, folder: Path | None) -> Choice:
    """A task source from what was typed; `--from` becomes its argument `root`.

    Raises:
        InputError: `--from` is missing or not a folder.
        ProfileError: no source of this name.
    """
    name = source or ("folder" if folder is not None else "collages")
    if name == "folder" and folder is None:
        raise InputError("the source 'folder' needs --from DIR: a folder with questions.jsonl (or .csv) and pictures")
    if folder is not None and not folder.is_dir():
        raise InputError(f"--from {folder} is not a folder; give the folder that holds the questions")
    registry.load("source", name)
    return Choice(name, {} if folder is None else {"root": str(folder.resolve())})


def main(path: Path, source: str, folder: Path | None, profile: str, limit: int | None, split: str | None) -> None:
    """Make a project and import its tasks."""
    chosen = choice(source, folder)
    out = console()
    with Project.create(path, profile, chosen) as project:
        _import(project, [chosen], split, limit)
        tasks = project.count_tasks()
    out.print(f"made {safe(path)} with {tasks} tasks; next: vpd run --project {safe(path)}")


def add(project: Path | None, source: str, folder: Path | None, limit: int | None, split: str | None) -> None:
    """Add one more source, or read all sources again."""
    chosen = choice(source, folder) if source or folder else None
    with open_project(project, read_only=False) as opened:
        if chosen is not None:
            opened.add_source(chosen)
        _import(opened, [chosen] if chosen else opened.sources(), split, limit)
        console().print(f"{opened.count_tasks()} tasks in {safe(opened.path)}")


def _import(project: Project, choices: list[Choice], split: str | None, limit: int | None) -> None:
    out = console()
    for chosen in choices:
        with Bars() as bars:
            result = importing.import_tasks(
                project, chosen, split, limit, lambda n: bars(Progress("import", n, limit or n, "tasks"))
            )
        out.print(f"{safe(chosen.part)}: {result.added} tasks added")
        if result.bad:
            out.print(f"{result.bad} rows were left out; why: vpd sql 'FROM bad_row'")
        if result.changed:
            out.print(f"{len(result.changed)} tasks differ from those imported before and were left as they are")
