"""The commands of the group Keep: backup, restore, archive, prune, doctor and models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, ProjectFolder, go

PANEL = "Keep"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def backup(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A new or empty folder to write to. By default, backups/TIME in the project."
        ),
    ] = None,
    project: ProjectFolder = None,
    images: Annotated[bool, typer.Option(help="Include pictures and snapshots.")] = True,
    copy: Annotated[
        bool,
        typer.Option(
            help="Copy pictures instead of linking them. On another disk they are always copied."
        ),
    ] = False,
) -> None:
    """Back up the project as it is at one moment, while others go on working in it."""
    go("backup", path=path, project=project, images=images, copy=copy)


@commands.command(rich_help_panel=PANEL)
def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="Folder of a backup.")],
    path: Annotated[Path, typer.Argument(help="A new or empty folder for the project.")],
) -> None:
    """Make a project from a backup."""
    go("backup", "restore", source=source, path=path)


@commands.command(rich_help_panel=PANEL)
def archive(
    project: ProjectFolder = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would be moved, and move nothing.")
    ] = False,
) -> None:
    """Move the steps of runs that nobody took up to Parquet files beside the store.

    Runs that are kept, told, judged by people or in a snapshot stay. The others are found, shown,
    backed up and checked as before. Ctrl-C stops the command; the same command resumes it.
    """
    go("archive", project=project, preview=preview)


@commands.command(rich_help_panel=PANEL)
def prune(
    what: Annotated[
        list[str],
        typer.Argument(
            help="What to remove: failed (archived steps of failed runs), cache (what can be "
            "computed again)."
        ),
    ],
    project: ProjectFolder = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove it. Without this, the command only previews.")
    ] = False,
) -> None:
    """Remove what is named for good, and nothing else; by default say only what that would be."""
    go("archive", "prune", project=project, what=what, yes=yes)


@commands.command(rich_help_panel=PANEL)
def doctor(
    project: ProjectFolder = None,
    quick: Annotated[
        bool, typer.Option(help="Skip the checks that read every picture and every trace.")
    ] = False,
    repair: Annotated[
        bool, typer.Option(help="Remove the leftovers of interrupted writers, and nothing else.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every invariant of the project; the exit code is 1 if one of them does not hold."""
    go("doctor", project=project, quick=quick, repair=repair, as_json=as_json)


models = typer.Typer(help="Look at the models of a profile.", no_args_is_help=True)
commands.add_typer(models, name="models", rich_help_panel=PANEL)


@models.command("check")
def check_models(
    project: ProjectFolder = None,
    profile: Annotated[
        str | None,
        typer.Option(help="A shipped profile or a .toml file, instead of the project's profile."),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(help="Memory of the card in GiB. By default, 8, 24 and 80 are told about."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the hub.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which files of each model are here, its size, licence and terms, and what fits.

    Nothing is downloaded. Without a network it says how to get what is missing.
    """
    go(
        "model_check",
        project=project,
        profile=profile,
        memory=memory,
        offline=offline,
        as_json=as_json,
    )
