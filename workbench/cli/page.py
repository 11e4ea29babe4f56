"""`vpd app`: the pages over a project, and the people who may log in there."""

from __future__ import annotations

import getpass
import importlib
import sys
from pathlib import Path

from workbench.cli.text import open_project
from workbench.errors import InputError


def main(
    project: Path | None,
    host: str,
    port: int,
    auth: Path | None,
    oidc: Path | None,
    public_url: str,
    open_browser: bool,
) -> None:
    """Serve the pages until Ctrl-C.

    Args:
        project: folder of the project; None for the one here.
        host: address to listen on.
        port: the first one tried; 0 takes a free one.
        auth: file of users who log in with a password.
        oidc: settings of a sign-on provider.
        public_url: the address under which people reach this server.
        open_browser: whether to open the page.

    Raises:
        InputError: an argument is not as expected.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"port must be 0 to 65535 (0 takes a free one), found {port}")
    with open_project(project, read_only=False, runs_code=True) as opened:
        # By name: the pages stand on a floor above the command line and may be replaced.
        importlib.import_module("app.main").serve(
            opened, host, port, auth, oidc, public_url, open_browser
        )


def add_user(name: str, auth: Path, role: str) -> None:
    """Add a user, or change a user's password or role.

    Args:
        name: name of the user.
        auth: file of users.
        role: viewer, curator, adjudicator or admin.

    Raises:
        InputError: the two passwords differ.
    """
    password = (
        getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    )
    if sys.stdin.isatty() and getpass.getpass("Again: ") != password:
        raise InputError("the two passwords differ; nothing was changed, try again")
    importlib.import_module("app.people").add_user(auth, name, password, role)
    print(f"{name} ({role}) is in {auth}; start with: vpd app --auth {auth}")
