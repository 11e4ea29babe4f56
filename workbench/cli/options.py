"""What the commands' declarations share: options of many commands, and how a command runs."""

from __future__ import annotations

import importlib
import io
import signal
import sys
import threading
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.errors import ProfileError, WorkbenchError

ProjectFolder = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help="Folder of the project. By default, the project around the current folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]
Limit = Annotated[int | None, typer.Option(help="Take only this many questions.")]
Split = Annotated[str | None, typer.Option(help="Take only the questions of this split.")]
K = Annotated[
    int | None,
    typer.Option("--k", help="Number of programs per question. By default, the profile's number."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any setting of the job, for example lora.r=16. May be repeated.",
    ),
]
PASSED_ON: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""Context of a command whose options, `--help` among them, belong to another module's command."""


def key_value(change: str) -> tuple[str, Any]:
    """Key and value of a KEY=VALUE; values are written as in TOML, plain words need no quotes.

    Raises:
        ProfileError: the text has no key or no `=`.
    """
    key, equals, text = change.partition("=")
    if not equals or not key.strip():
        raise ProfileError(f"--set takes KEY=VALUE, for example lora.r=16, found {change!r}")
    try:
        return key.strip(), tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), text


def go(module: str, function: str = "main", **arguments: Any) -> None:
    """Run a command; an error that it raises on purpose becomes one red line and exit code 2.

    Args:
        module: name of the command's module in `workbench.cli`.
        function: name of a function of that module.
        arguments: passed to the function.
    """
    from workbench.cli.text import error_line  # rich is needed only once something runs

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            # what the output's encoding cannot write is shown as \u2713 and the like
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        # `kill` and a cluster's time limit end a command as Ctrl-C does: with its workers, and
        # with nothing lost
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        getattr(importlib.import_module(f"workbench.cli.{module}"), function)(**arguments)
    except WorkbenchError as error:
        error_line(str(error))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        error_line(
            "stopped; what was finished is kept, and the same command goes on from there", ""
        )
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # The reader (head, less) went away.  Point stdout elsewhere, or Python complains at exit.
        sys.stdout = open("/dev/null", "w") if sys.platform != "win32" else open("NUL", "w")  # noqa: SIM115, PTH123
        raise typer.Exit(0) from None
