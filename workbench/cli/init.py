"""`vpd init`, `vpd import` and `vpd correct`."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workbench import registry
from workbench.cli.bars import Bars
from workbench.cli.options import key_value
from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError
from workbench.local_files import real_path
from workbench.pipeline import correcting, importing
from workbench.pipeline.progress import Progress
from workbench.ports import Columns, HasColumns, HasSplits
from workbench.settings import Choice, absolute
from workbench.store import Project
from workbench.store.records import sources
from workbench.store.records.sources import SourceSelection


@dataclass(frozen=True, slots=True)
class Correcting:
    """By whom and why the answers of a table were put right."""

    author: str
    reason: str

    def __post_init__(self) -> None:
        if not self.author.strip() or not self.reason.strip():
            raise InputError(correcting.NOBODY)


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
            arguments[argument] = str(real_path(path))
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
    unlabelled: bool = False,
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
        unlabelled: whether a table without any answer is meant.
    """
    source_choice = choice(source, folder, images, changes)
    selection = SourceSelection(source_choice, split, limit)
    if dry_run:
        return _look(None, [selection])
    _try(selection, unlabelled)
    before = set(path.iterdir()) if path.is_dir() else None
    with Project.create(path, profile, source_choice) as project:
        sources.select(project.database, selection)
        _import(project, [selection])
        tasks = project.count_tasks()
        reasons = _reasons(project)
    if tasks == 0 and limit != 0:
        _remove(path, before)
        raise InputError(
            f"no question could be imported, so no project was made at {path}: "
            f"{reasons or 'the source holds none' + _of(selection)}"
        )
    console().print(f"made {safe(path)} with {tasks} tasks; next: vpd run --project {safe(path)}")


def _of(selection: SourceSelection) -> str:
    return f" in split '{selection.split}'" if selection.split is not None else ""


def _reasons(project: Project) -> str:
    """The first rows that were left out, in words."""
    return "; ".join(sources.first_bad_rows(project.database))


def _remove(path: Path, before: set[Path] | None) -> None:
    """Remove what was made in a folder, and the folder where there was none."""
    for entry in set(path.iterdir()) - (before or set()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if before is None:
        path.rmdir()


def add(
    project: Path | None,
    source: str,
    folder: Path | None,
    images: Path | None,
    changes: Sequence[str],
    limit: int | None,
    split: str | None,
    dry_run: bool,
    unlabelled: bool = False,
    correcting_by: tuple[str, str] | None = None,
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
        unlabelled: whether a table without any answer is meant.
        correcting_by: who has corrected answers in the table, and why; None leaves questions that
            the project has as they are.
    """
    by = Correcting(*correcting_by) if correcting_by is not None else None
    named = bool(source or folder or images or changes)
    source_choice = choice(source, folder, images, changes) if named else None
    with open_project(project, read_only=dry_run) as opened:
        selections = _selections(opened, source_choice, split, limit)
        if dry_run:
            return _look(opened, selections)
        if source_choice is not None:
            _try(selections[0], unlabelled)
            opened.add_source(source_choice)
        for selection in selections:
            sources.select(opened.database, selection)
        number = _import(opened, selections, by)
        if number == 0 and source_choice is not None and limit != 0:
            raise InputError(
                f"{source_choice.part} gave no question{_of(selections[0])}: "
                f"{_reasons(opened) or 'it holds none'}"
            )
        console().print(f"{opened.count_tasks()} tasks in {safe(opened.path)}")


def _selections(
    project: Project, source_choice: Choice | None, split: str | None, limit: int | None
) -> list[SourceSelection]:
    """What to import: of a source that is named, else of all that the project has.

    Without a split and a limit it is what the project remembers.
    """
    if source_choice is not None:
        return [SourceSelection(source_choice, split, limit)]
    if split is None and limit is None:
        return sources.selections(project.database)
    return [SourceSelection(one, split, limit) for one in project.sources()]


def correct(
    project: Path | None, task: str, answers: Sequence[str], author: str, reason: str
) -> None:
    """Put the answer of a question right.

    Args:
        project: folder of the project; None takes the one around the current folder.
        task: id of the question.
        answers: what is right; several are alternatives.
        author: who says so.
        reason: why.
    """
    with open_project(project, read_only=False) as opened:
        event = correcting.correct(opened, task, answers, author, reason)
    before = ", ".join(event.earlier) or "no answer"
    console().print(
        f"{safe(task)}: {safe(before)} became {safe(', '.join(event.answers))}, "
        f"by {safe(event.author)}: {safe(event.reason)}"
    )
    console().print("its programs are judged again by: vpd run")


def _try(selection: SourceSelection, unlabelled: bool) -> None:
    """Read the table's columns and one row, so that no unreadable source enters a project."""
    source_choice, split = selection.choice, selection.split
    source = registry.build("source", source_choice.part, **source_choice.arguments)
    if split is not None and isinstance(source, HasSplits) and split not in source.splits:
        raise InputError(
            f"{source_choice.part} has no split '{split}'; it has: {', '.join(source.splits)}"
        )
    if isinstance(source, HasColumns):
        columns = source.columns(split)
        print_columns(columns)
        if columns.rows and not columns.answered and not unlabelled:
            near = [name for name, column in columns.near().items() if column.startswith("answer")]
            hint = f"; the column '{near[0]:.60}' may be meant: rename it to answer" if near else ""
            raise InputError(
                f"none of the {columns.rows} rows of {columns.table} has an answer{hint}; "
                "without answers no program can be judged: say --unlabelled if that is meant"
            )
    importing.look(source_choice, split, 1)


def print_columns(columns: Columns) -> None:
    """Print how many rows have what, and which columns mean nothing."""
    out = console()
    out.print(
        f"{safe(columns.table)}: {columns.rows} rows, {columns.answered} with an answer, "
        f"{columns.with_choices} with choices, {columns.pictured} with a picture that is there"
    )
    near = columns.near()
    for name, count in list(columns.unknown.items())[:20]:
        hint = f"; did you mean {near[name]}?" if name in near else ""
        out.print(f"  column '{safe(name, 60)}' ({count} rows) is kept and not used{hint}")


def _import(
    project: Project, selections: Sequence[SourceSelection], by: Correcting | None = None
) -> int:
    """Import what is selected and print what came of it; returns how many tasks were good."""
    out = console()
    number = 0
    correct_one = None
    if by is not None:
        correct_one = partial(correcting.correct_from, project, author=by.author, reason=by.reason)
    for selection in selections:
        with Bars() as bars:
            result = importing.import_tasks(
                project,
                selection.choice,
                selection.split,
                None,
                lambda done, total: bars(Progress("import", done, total, "tasks")),
                selection.limit,
                correct_one,
            )
        number += result.added + result.present
        out.print(f"{safe(selection.choice.part)}: {result.added} tasks added")
        if result.corrected:
            out.print(f"{result.corrected} tasks got other answers; vpd run judges them again")
        if result.bad:
            out.print(f"{result.bad} rows were left out; why: vpd sql 'FROM bad_row'")
        if result.changed:
            out.print(
                f"{len(result.changed)} tasks differ from those imported before and were left "
                f"as they are, for example {safe(result.changed[0], 80)}; to take over other "
                "answers: --correct --by NAME --why TEXT"
            )
    return number


def _look(project: Project | None, selections: Sequence[SourceSelection]) -> None:
    """Print what an import would do."""
    out = console()
    for selection in selections:
        source_choice = selection.choice
        source = registry.build("source", source_choice.part, **source_choice.arguments)
        if isinstance(source, HasColumns):
            print_columns(source.columns(selection.split))
        with Bars() as bars:
            summary = importing.look(
                source_choice,
                selection.split,
                selection.limit,
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
