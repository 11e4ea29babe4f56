"""`vpd init` and `vpd import`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import registry
from workbench.cli.bars import Bars
from workbench.cli.options import key_value
from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError
from workbench.pipeline import Progress, importing
from workbench.ports import HasSplits
from workbench.settings import Choice
from workbench.store import Project


def choice(
    source: str, folder: Path | None, images: Path | None = None, changes: Sequence[str] = ()
) -> Choice:
    """A task source from what was typed; `--from` becomes its argument `root`, `--images` its
    `images`.

    Raises:
        InputError: `--from` is missing, or what was given is not a folder.
        ProfileError: no source of this name, or one that does not take these arguments.
    """
    name = source or ("folder" if folder is not None else "collages")
    arguments: dict[str, Any] = dict(key_value(change) for change in changes)
    for option, given, argument in (("--from", folder, "root"), ("--images", images, "images")):
        if given is not None:
            if not given.is_dir():
                what = "questions" if argument == "root" else "pictures"
                raise InputError(
                    f"{option} {given} is not a folder; give the folder that holds the {what}"
                )
            arguments[argument] = str(given.resolve())
    wanted = inspect.signature(registry.load("source", name)).parameters.get("root")
    if wanted is not None and wanted.default is wanted.empty and "root" not in arguments:
        raise InputError(
            f"the source '{name}' needs --from DIR: the folder with its questions and pictures"
        )
    registry.build("source", name, **arguments)
    return Choice(name, arguments)


def main(
    path: Path,
    source: str,
    folder: Path | None,
    images: Path | None,
    changes: Sequence[str],
    profile: str,
    limit: int | None,
    split: str | None,
    dry_run: bool,
) -> None:
    """Make a project and import its tasks."""
    chosen = choice(source, folder, images, changes)
    if dry_run:
        return _look(None, [chosen], split, limit)
    _try(chosen, split)
    with Project.create(path, profile, chosen) as project:
        _import(project, [chosen], split, limit)
        tasks = project.count_tasks()
    console().print(f"made {safe(path)} with {tasks} tasks; next: vpd run --project {safe(path)}")


def add(
    project: Path | None,
    source: str,
    folder: Path | None,
    images: Path | None,
    changes: Sequence[str],
    limit: int | None,
    split: str | None,
    dry_run: bool,
) -> None:
    """Add one more source, or read all sources again."""
    named = bool(source or folder or images or changes)
    chosen = choice(source, folder, images, changes) if named else None
    with open_project(project, read_only=dry_run) as opened:
        choices = opened.sources() if chosen is None else [chosen]
        if dry_run:
            return _look(opened, choices, split, limit)
        if chosen is not None:
            _try(chosen, split)
            opened.add_source(chosen)
        _import(opened, choices, split, limit)
        console().print(f"{opened.count_tasks()} tasks in {safe(opened.path)}")


def _try(chosen: Choice, split: str | None) -> None:
    """Read one row, so that a source of which nothing can be read never becomes a project's."""
    source = registry.build("source", chosen.part, **chosen.arguments)
    if split is not None and isinstance(source, HasSplits) and split not in source.splits:
        raise InputError(
            f"{chosen.part} has no split '{split}'; it has: {', '.join(source.splits)}"
        )
    importing.look(chosen, split, 1)


def _import(project: Project, choices: list[Choice], split: str | None, limit: int | None) -> None:
    out = console()
    for chosen in choices:
        with Bars() as bars:
            result = importing.import_tasks(
                project,
                chosen,
                split,
                limit,
                lambda done, total: bars(Progress("import", done, total, "tasks")),
            )
        out.print(f"{safe(chosen.part)}: {result.added} tasks added")
        if result.bad:
            out.print(f"{result.bad} rows were left out; why: vpd sql 'FROM bad_row'")
        if result.changed:
            out.print(
                f"{len(result.changed)} tasks differ from those imported before and were left as they are"
            )


def _look(
    project: Project | None, choices: list[Choice], split: str | None, limit: int | None
) -> None:
    """Say what an import would do."""
    out = console()
    for chosen in choices:
        with Bars() as bars:
            told = importing.look(
                chosen,
                split,
                limit,
                lambda done, total: bars(Progress("look", done, total, "tasks")),
                project,
            )
        out.print(
            f"{safe(chosen.part)}: {sum(told.splits.values())} tasks would be taken, {told.bad} rows left out"
        )
        for name, count in told.splits.items():
            out.print(f"  {safe(name):<12} {count}")
        if told.present:
            out.print(f"  {told.present} of them are in the project already")
        for reason, count in told.reasons.most_common(10):
            out.print(f"left out, {count} times: {safe(reason, 300)}")
        for row in told.first:
            out.print(f"  {safe(row.file)}:{row.line}: {safe(row.reason, 400)}")
        if told.bad > len(told.first):
            out.print(f"  and {told.bad - len(told.first)} more")
    out.print(
        "nothing was written; pictures were looked for, not decoded: a broken one shows when it is imported"
    )
