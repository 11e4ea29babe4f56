"""What the commands' declarations share: options that many take, and how a command is run."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.errors import ProfileError, WorkbenchError

ProjectFolder = Annotated[
    Path | None,
    typer.Option(
        "--project", "-p", help="Folder of the project; found from the current folder if left out."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]


def key_value(change: str) -> tuple[str, Any]:
    """A KEY=VALUE from the command line; values are written as in TOML, plain words need no quotes."""
    key, found, text = change.partition("=")
    if not found or not key.strip():
        raise ProfileError(f"--set takes KEY=VALUE, for example lora.r=16, found {change!r}")
    try:
        return key.strip(), tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), text


def go(module: str, function: str = "main", **arguments: Any) -> None:
    """Run a command; what it raises on purpose becomes one red line and exit code 2."""
    from workbench.cli.text import error_line  # rich is needed only once something runs

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
