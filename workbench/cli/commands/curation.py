"""The commands of the group Curate: curate, critic, guidelines, ratings, next, import-decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, ProjectFolder, Split, go

PANEL = "Curate"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def ratings(
    project: ProjectFolder = None,
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print every rating as it was entered, as CSV.")
    ] = False,
) -> None:
    """Print people's blind ratings of two models' explanations, beside the paper's figures."""
    go("ratings", project=project, as_json=as_json, as_csv=as_csv)


@commands.command("next", rich_help_panel=PANEL)
def next_(
    project: ProjectFolder = None,
    minutes: Annotated[
        float, typer.Option(help="Minutes of a person, to curate and to label.")
    ] = 30.0,
    programs: Annotated[int, typer.Option(help="Number of programs that may be written.")] = 100,
    more: Annotated[int, typer.Option(help="Number of programs that a question gets at once.")] = 5,
    split: Split = None,
    top: Annotated[int, typer.Option(help="Number of steps of each kind to print.")] = 10,
    replay: Annotated[
        bool,
        typer.Option(
            "--simulate",
            help="Replay the stored decisions: how many fewer would have been needed than in "
            "random order.",
        ),
    ] = False,
    goal: Annotated[
        float, typer.Option(help="With --simulate: share of the accepts that is to be reached.")
    ] = 0.8,
    as_json: AsJson = False,
) -> None:
    """Print what to do next under a budget: which questions to curate, to label, to sample more.

    Each is worth the questions that it is expected to add to what may be taught, for its cost.
    """
    go(
        "next",
        project=project,
        minutes=minutes,
        programs=programs,
        more=more,
        split=split,
        top=top,
        replay=replay,
        goal=goal,
        as_json=as_json,
    )


@commands.command("import-decisions", rich_help_panel=PANEL)
def import_decisions(
    file: Annotated[Path, typer.Argument(help="The JSON file that the other tool exported.")],
    tool: Annotated[str, typer.Option("--from", help="The other tool: argilla or label-studio.")],
    project: ProjectFolder = None,
) -> None:
    """Add the decisions that people made in another tool.

    Decisions that were imported before are not added again.
    """
    go("export", "decisions", path=file, tool=tool, project=project)


curate = typer.Typer(help="Show where curation stands.", no_args_is_help=True)
commands.add_typer(curate, name="curate", rich_help_panel=PANEL)


@curate.command("status")
def curate_status(project: ProjectFolder = None) -> None:
    """Print the queue, each reviewer's figures, their agreement, and the steps they blamed."""
    go("curate", "status", project=project)


critic = typer.Typer(
    help="Let a recipe learn what people accept, and order the queue by it.", no_args_is_help=True
)
commands.add_typer(critic, name="critic", rich_help_panel=PANEL)


@critic.command("fit")
def critic_fit(
    project: ProjectFolder = None,
    name: Annotated[
        str, typer.Option("--critic", help="The critic; `vpd recipes` lists them.")
    ] = "trained_critic",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set an argument of the critic. May be repeated."
        ),
    ] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Measure, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn from the decisions, measure on decisions not learnt from, and order the queue by it.

    The queue keeps the model of plain facts unless the critic is better beyond the interval.
    """
    go(
        "critic",
        "fit",
        project=project,
        name=name,
        settings=tuple(settings or ()),
        dry=dry,
        as_json=as_json,
    )


@critic.command("show")
def critic_show(project: ProjectFolder = None, as_json: AsJson = False) -> None:
    """Say which critic orders the queue."""
    go("critic", "show", project=project, as_json=as_json)


guidelines = typer.Typer(
    help="Show or change the reviewers' guidelines; every version is kept.", no_args_is_help=True
)
commands.add_typer(guidelines, name="guidelines", rich_help_panel=PANEL)


@guidelines.command("add")
def guidelines_add(
    file: Annotated[Path, typer.Argument(help="A text file.")],
    project: ProjectFolder = None,
    author: Annotated[str, typer.Option(help="Name of the author.")] = "local",
) -> None:
    """Make the text of a file the current guidelines; earlier versions are kept."""
    go("curate", "add_guideline", project=project, file=file, author=author)


@guidelines.command("show")
def guidelines_show(
    project: ProjectFolder = None,
    version: Annotated[
        str | None, typer.Option(help="Print this version instead of the current one.")
    ] = None,
) -> None:
    """Print the current guidelines."""
    go("curate", "show_guideline", project=project, version=version)
