"""The commands of the group Look: app, show, sql, parts, recipes and lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, ProjectFolder, go

PANEL = "Look"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def show(
    what: Annotated[
        str,
        typer.Argument(help="Id of a question, program or trace. By default, list the questions."),
    ] = "",
    project: ProjectFolder = None,
    status: Annotated[
        str | None,
        typer.Option(
            help="List only questions of this status: kept, agreed, wrong, failed or waiting."
        ),
    ] = None,
    text: Annotated[str, typer.Option(help="List only questions that contain this text.")] = "",
    limit: Annotated[int, typer.Option(help="Number of questions to list.")] = 30,
) -> None:
    """Show a question with its programs, a run step by step, or a list of questions."""
    go("show", what=what, project=project, status=status, text=text, limit=limit)


@commands.command(rich_help_panel=PANEL)
def sql(
    query: Annotated[str, typer.Argument(help="A SELECT over the project's tables.")],
    project: ProjectFolder = None,
    limit: Annotated[int, typer.Option(help="Number of rows to print.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Query the project's store in SQL, without the right to change it."""
    go("sql", query=query, project=project, limit=limit, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def parts(as_json: AsJson = False) -> None:
    """List every registered part, its arguments, and any package that it lacks."""
    go("parts", as_json=as_json)


methods = typer.Typer(invoke_without_command=True)
commands.add_typer(methods, name="recipes", rich_help_panel=PANEL)


@methods.callback()
def recipes(context: typer.Context, as_json: AsJson = False) -> None:
    """List the published methods that can be chosen by name, by their place in the loop."""
    if context.invoked_subcommand is None:
        go("recipes", "list_", as_json=as_json)


@methods.command("show")
def recipes_show(
    name: Annotated[str, typer.Argument(help="Name of a recipe.")], as_json: AsJson = False
) -> None:
    """Print the card of a recipe: paper, idea, formula, traps, and a command that runs it."""
    go("recipes", "show", name=name, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def lab(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of notebooks. By default, notebooks/.")
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project", "-p", help="Folder of the project. By default, the course's own project."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port of JupyterLab, or the next free one after it.")
    ] = 8888,
    browser: Annotated[bool, typer.Option(help="Open the notebooks in a browser.")] = True,
) -> None:
    """Open JupyterLab on the course of notebooks, with a project of the bundled collages."""
    go("lab", folder=folder, project=project, port=port, open_browser=browser)


pages = typer.Typer(invoke_without_command=True)
commands.add_typer(pages, name="app", rich_help_panel=PANEL)


@pages.callback()
def app(
    context: typer.Context,
    project: ProjectFolder = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Any address but this machine's own needs --auth or --oidc."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(help="Port to listen on, or the next free one after it (0: any free port)."),
    ] = 8870,
    auth: Annotated[
        Path | None,
        typer.Option(help="File of the users who may log in; `vpd app add-user` makes it."),
    ] = None,
    oidc: Annotated[
        Path | None,
        typer.Option(
            help="Settings of an OpenID Connect provider where people sign in: docs/sign-on.md."
        ),
    ] = None,
    public_url: Annotated[
        str, typer.Option(help="Address under which people reach the server, for --oidc.")
    ] = "",
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Serve the pages: Browse, Step, Curate, Compare, Dashboard and Train."""
    if context.invoked_subcommand is None:
        go(
            "page",
            project=project,
            host=host,
            port=port,
            auth=auth,
            oidc=oidc,
            public_url=public_url,
            open_browser=browser,
        )


@commands.command(rich_help_panel=PANEL)
def interface(
    project: ProjectFolder = None,
    port: Annotated[
        int,
        typer.Option(help="Port to listen on, or the next free one after it (0: any free port)."),
    ] = 7860,
    share: Annotated[
        bool,
        typer.Option(
            help="Make a public link, through Gradio's server: whoever has it may ask and vote."
        ),
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Serve Compare as a Gradio interface: for a demo, a shared link or a Space."""
    go("interface", project=project, port=port, share=share, open_browser=browser)


@pages.command("add-user")
def add_user(
    name: Annotated[
        str, typer.Argument(help="Name of the user: 1 to 40 letters, digits or any of . _ @ -")
    ],
    auth: Annotated[Path, typer.Option(help="File of users. A missing file is made.")],
    role: Annotated[
        str,
        typer.Option(
            help="viewer (looks), curator (decides), adjudicator (settles disputes) or admin."
        ),
    ] = "curator",
) -> None:
    """Add a user who may log in, or change a user's password or role.

    The command asks for the password.
    """
    go("page", "add_user", name=name, auth=auth, role=role)
