"""The command `vpd`: what each command takes stands here, what it does in a module of its own.

A command's module is imported when the command runs, so that `vpd --help` needs neither the store nor a model.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench import __version__
from workbench.errors import WorkbenchError

app = typer.Typer(
    name="vpd",
    help="Sample visual programs, run them safely, keep the verified ones, distil them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ProjectFolder = Annotated[
    Path | None,
    typer.Option("--project", "-p", help="Folder of the project; found from the current folder if left out."),
]
Limit = Annotated[int | None, typer.Option(help="Only the first so many tasks.")]
Split = Annotated[str | None, typer.Option(help="Only tasks of this split.")]
K = Annotated[int | None, typer.Option("--k", help="Programs per question; the profile's if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]
PASSED_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""For commands whose options, `--help` among them, belong to a module's own command."""
FromFolder = Annotated[Path | None, typer.Option("--from", help="Folder with questions.jsonl (or .csv) and pictures.")]


def _go(module: str, function: str = "main", **arguments: Any) -> None:
    """Run a command; what it raises on purpose becomes one red line and exit code 2."""
    from workbench.cli.text import error_line  # rich is needed only once something runs

    try:
        getattr(importlib.import_module(f"workbench.cli.{module}"), function)(**arguments)
    except WorkbenchError as error:
        error_line(str(error))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        error_line("stopped; what was finished is kept, and the same command goes on from there", "")
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # The reader (head, less) went away.  Point stdout elsewhere, or Python complains at exit.
        sys.stdout = open("/dev/null", "w") if sys.platform != "win32" else open("NUL", "w")  # noqa: SIM115, PTH123
        raise typer.Exit(0) from None


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    source: Annotated[str, typer.Option(help="collages (when left out), photos, folder, or your own part.")] = "",
    from_folder: FromFolder = None,
    profile: Annotated[str, typer.Option(help="Name of a shipped profile, or a .toml file.")] = "embedded",
    limit: Limit = None,
    split: Split = None,
) -> None:
    """Make a project and import its tasks."""
    _go("init", path=path, source=source, folder=from_folder, profile=profile, limit=limit, split=split)


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="collages, photos, folder, or your own part.")] = "",
    from_folder: FromFolder = None,
    project: ProjectFolder = None,
    limit: Limit = None,
    split: Split = None,
) -> None:
    """Add tasks to a project from one more source, or read its sources again."""
    _go("init", "add", project=project, source=source, folder=from_folder, limit=limit, split=split)


@app.command()
def run(
    project: ProjectFolder = None,
    limit: Limit = None,
    k: K = None,
    upto: Annotated[str, typer.Option(help="Last stage: import, sample, execute, verify, rationalize or predict.")] = (
        "predict"
    ),
    split: Split = None,
) -> None:
    """Run the loop: sample, execute, verify, rationalize, and the student's answers beside.

    Does only what is missing.  Ctrl-C stops it; the same command goes on.
    """
    _go("run", project=project, limit=limit, k=k, upto=upto, split=split)


@app.command()
def status(project: ProjectFolder = None, as_json: AsJson = False, split: Split = None, limit: Limit = None) -> None:
    """Counts per stage, pass@1, pass@k, yield, seconds per question, the student beside."""
    _go("status", project=project, as_json=as_json, split=split, limit=limit)


@app.command()
def ask(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    question: Annotated[str, typer.Argument(help="A question about it, in quotes.")],
    project: ProjectFolder = None,
    profile: Annotated[str | None, typer.Option(help="A shipped profile or .toml file, not the project's.")] = None,
    k: K = None,
    choice: Annotated[list[str] | None, typer.Option(help="An option of a multiple-choice question; repeat.")] = None,
) -> None:
    """Ask one question about one picture: by programs, and the student beside."""
    _go("ask", picture=image, question=question, project=project, profile=profile, k=k, choices=tuple(choice or ()))


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="A task, program or trace by id; a list of tasks if left out.")] = "",
    project: ProjectFolder = None,
    status: Annotated[str | None, typer.Option(help="List only: kept, agreed, wrong, failed or waiting.")] = None,
    text: Annotated[str, typer.Option(help="List only questions with this text.")] = "",
    limit: Annotated[int, typer.Option(help="Tasks to list.")] = 30,
) -> None:
    """Show one task with its programs, one run step by step, or a list of tasks."""
    _go("show", what=what, project=project, status=status, text=text, limit=limit)


@app.command("app")
def app_(
    project: ProjectFolder = None,
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.")] = 8870,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Look at a project in the browser: figures, questions, traces step by step."""
    _go("page", project=project, port=port, open_browser=browser)


@app.command()
def parts(as_json: AsJson = False) -> None:
    """Every registered part, what it is, and what is missing to load it."""
    _go("parts", as_json=as_json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A SELECT over the project's tables; reading only.")],
    project: ProjectFolder = None,
    limit: Annotated[int, typer.Option(help="Rows to print.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Ask the project's store in SQL."""
    _go("sql", query=query, project=project, limit=limit, as_json=as_json)


@app.command("make-models", context_settings=PASSED_ON)
def make_models(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which model; a list if left out.")] = "",
) -> None:
    """Train the embedded models again.  Options behind the name go to the model's own command."""
    _go("models", name=name, arguments=context.args)


@app.command(context_settings=PASSED_ON)
def bench(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="execute: programs through the sandbox and the detector.")] = "execute",
) -> None:
    """Measure this machine.  Options behind the name go to the measurement's own command."""
    _go("bench", what=what, arguments=context.args)


def _version(asked: bool) -> None:
    if asked:
        print(f"vpd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Sample visual programs, run them safely, keep the verified ones, distil them."""


def main() -> None:
    """Entry point of `vpd`."""
    app()
