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
from workbench.settings import Choice, absolute
from workbench.store import Project


def choice(
    source: str, folder: Path | None, images: Path | None = None, changes: Sequence[str] = ()
) -> Choice:
    """The task source that the options of `vpd init` and `vpd import` describe.

    Args:
        source: name of a task source; empty for the default.
        folder: folder that the source reads, its argument `root`.
        images: folder with the pictures, the source's argument `images`.
        changes: further arguments of the source, each as KEY=VALUE.

    Raises:
        InputError: `--from` is missing, or a path is not a folder.
        ProfileError: there is no such source, or it does not take these arguments.
    """
    name = source or ("folder" if folder is not None else "collages")
    arguments: dict[str, Any] = dict(key_value(change) for change in changes)
    for option, path, argument in (("--from", folder, "root"), ("--images", images, "images")):
        if path is not None:
            if not path.is_dir():
                what = "questions" if argument == "root" else "pictures"
                raise InputError(
                    f"{option} {path} is not a folder; give the folder that holds the {what}"
                )
            arguments[argument] = str(path.resolve())
    root = inspect.signature(registry.load("source", name)).parameters.get("root")
    if root is not None and root.default is root.empty and "root" not in arguments:
        raise InputError(
            f"the source '{name}' needs --from DIR: the folder with its questions and pictures"
        )
    registry.build("source", name, **arguments)
    file, colon, part = name.rpartition(":")
    if file.endswith(".py"):  # the project is used from other folders too
        name = f"{absolute(file, Path.cwd())}{colon}{part}"
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
    """Make a project and import its questions.

    Args:
        path: a new or empty folder.
        source: name of a task source; empty for the default.
        folder: folder that the source reads, its argument `root`.
        images: folder with the pictures, the source's argument `images`.
        changes: further arguments of the source, each as KEY=VALUE.
        profile: name of a shipped profile, or a .toml file.
        limit: take only this many questions.
        split: take only the questions of this split.
        dry_run: say what an import would do, and write nothing.
    """
    source_choice = choice(source, folder, images, changes)
    if dry_run:
        return _look(None, [source_choice], split, limit)
    _try(source_choice, split)
    with Project.create(path, profile, source_choice) as project:
        _import(project, [source_choice], split, limit)
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
    """Add one more source, or read all sources again.

    Args:
        project: folder of the project; None takes the one around the current folder.
        source: name of a task source; empty for the default.
        folder: folder that the source reads, its argument `root`.
        images: folder with the pictures, the source's argument `images`.
        changes: further arguments of the source, each as KEY=VALUE.
        limit: take only this many questions.
        split: take only the questions of this split.
        dry_run: say what an import would do, and write nothing.
    """
    named = bool(source or folder or images or changes)
    source_choice = choice(source, folder, images, changes) if named else None
    with open_project(project, read_only=dry_run) as opened:
        choices = opened.sources() if source_choice is None else [source_choice]
        if dry_run:
            return _look(opened, choices, split, limit)
        if source_choice is not None:
            _try(source_choice, split)
            opened.add_source(source_choice)
        _import(opened, choices, split, limit)
        console().print(f"{opened.count_tasks()} tasks in {safe(opened.path)}")


def _try(source_choice: Choice, split: str | None) -> None:
    """Read one row, so that an unreadable source is never added to a project."""
    source = registry.build("source", source_choice.part, **source_choice.arguments)
    if split is not None and isinstance(source, HasSplits) and split not in source.splits:
        raise InputError(
            f"{source_choice.part} has no split '{split}'; it has: {', '.join(source.splits)}"
        )
    importing.look(source_choice, split, 1)


def _import(project: Project, choices: list[Choice], split: str | None, limit: int | None) -> None:
    out = console()
    for source_choice in choices:
        with Bars() as bars:
            result = importing.import_tasks(
                project,
                source_choice,
                split,
                limit,
                lambda done, total: bars(Progress("import", done, total, "tasks")),
            )
        out.print(f"{safe(source_choice.part)}: {result.added} tasks added")
        if result.bad:
            out.print(f"{result.bad} rows were left out; why: vpd sql 'FROM bad_row'")
        if result.changed:
            out.print(
                f"{len(result.changed)} tasks differ from those imported before and were left "
                "as they are"
            )


def _look(
    project: Project | None, choices: list[Choice], split: str | None, limit: int | None
) -> None:
    """Print what an import would do."""
    out = console()
    for source_choice in choices:
        with Bars() as bars:
            summary = importing.look(
                source_choice,
                split,
                limit,
                lambda done, total: bars(Progress("look", done, total, "tasks")),
                project,
            )
        out.print(
            f"{safe(source_choice.part)}: {sum(summary.splits.values())} tasks would be taken, "
            f"{summary.bad} rows left out"
        )
        for name, count in summary.splits.items():
            out.print(f"  {safe(name):<12} {count}")
        if summary.present:
            out.print(f"  {summary.present} of them are in the project already")
        for reason, count in summary.reasons.most_common(10):
            out.print(f"left out, {count} times: {safe(reason, 300)}")
        for row in summary.first:
            out.print(f"  {safe(row.file)}:{row.line}: {safe(row.reason, 400)}")
        if summary.bad > len(summary.first):
            out.print(f"  and {summary.bad - len(summary.first)} more")
    out.print(
        "nothing was written; pictures were looked for, not decoded: "
        "a broken one shows when it is imported"
    )
