"""`vpd app`: the pages over one open project, until Ctrl-C.

A gradio.Server: FastAPI with Gradio's queue, API and MCP behind, our own pages in front.  Nothing
is sent anywhere: no analytics, no share link, no history of calls, no hub.
"""

from __future__ import annotations

import contextlib
import getpass
import importlib
import importlib.util
import io
import os
import signal
import socket
import sys
import time
import warnings
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app import (
    account,
    api,
    browse,
    compare,
    curate,
    dashboard,
    health,
    home,
    recipes,
    status,
    step,
    train,
)
from app.guard import LOOPBACK
from app.people import People, Person
from app.sessions import sessions_file
from app.sign_on_settings import read_settings
from app.site import Site
from workbench.errors import InputError
from workbench.store import Project

if TYPE_CHECKING:
    from app.sign_on import SignOn

TRIES = 10
"""How many ports are tried, upwards from the first one."""


@dataclass(slots=True)
class Running:
    """A server that answers.  Close it; the project stays open."""

    site: Site
    url: str

    def close(self) -> None:
        self.site.engine.blocks.close(verbose=False)
        self.site.close()


def build(
    project: Project,
    people: People | None = None,
    me: Person | None = None,
    sign_on: SignOn | None = None,
) -> Site:
    """The site of a project, with every page.

    Args:
        project: open; the caller closes it.
        people: who is logged in; None where nobody has to.
        me: who everybody is then.
        sign_on: the provider where people may sign in.
    """
    site = Site(project, people, me)
    account.add(site, sign_on)
    for part in (
        status,
        home,
        browse,
        step,
        curate,
        train,
        recipes,
        compare,
        dashboard,
        health,
        api,
    ):
        part.add(site)
    return site


def start(site: Site, host: str = "127.0.0.1", port: int = 8870) -> Running:
    """Serve in threads of this process.

    Args:
        site: the pages.
        host: address to listen on.
        port: the first one tried; 0 takes any.

    Raises:
        InputError: no port is free, or other machines can reach the address and nobody logs in.
    """
    if host not in LOOPBACK and site.people is None:
        raise InputError(
            f"{host} can be reached from other machines, so people have to log in: make a file of "
            "users with vpd app add-user NAME --auth users.json, and start again with "
            "--auth users.json, or with --oidc and the settings of a sign-on provider"
        )
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # what Gradio says at its start is not for this page's user
        site.engine.launch(
            server_name=host,
            server_port=free_port(host, port),
            prevent_thread_lock=True,
            quiet=True,
            inbrowser=False,
            share=False,
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            footer_links=[],
            show_error=False,
            max_file_size="20mb",
            mcp_server=importlib.util.find_spec("mcp") is not None,
            _frontend=False,
        )
    blocks = site.engine.get_blocks()
    address = f"[{host}]" if ":" in host else host
    return Running(site, f"http://{address}:{blocks.server_port}/")


def free_port(host: str, port: int) -> int:
    """The port, or the next free one; 0 takes any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + (TRIES if port else 1)):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise InputError(
        f"ports {port} to {port + TRIES - 1} are all taken on {host}; give a free one with --port"
    )


def serve(
    project: Project,
    host: str = "127.0.0.1",
    port: int = 8870,
    auth: Path | None = None,
    oidc: Path | None = None,
    public_url: str = "",
    open_browser: bool = True,
) -> None:
    """Serve a project until Ctrl-C (or a termination signal).

    Args:
        project: open; the caller closes it.
        host: address to listen on.
        port: the first one tried.
        auth: file of users who log in with a password.
        oidc: settings of a sign-on provider.
        public_url: the address to which the provider sends people back.
        open_browser: whether to open the page.

    Raises:
        InputError: as `start` and `sign_on_at` do.
    """
    sign_on = sign_on_at(oidc, public_url, host)
    people = people_at(auth, oidc, project.path)
    running = start(build(project, people, Person(_me(), "admin"), sign_on), host, port)
    # no Event: a signal that comes while `wait` has its lock would never end
    signals: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, _: signals.append(number))
    print(f"{running.url}  (Ctrl-C ends it)", flush=True)
    if open_browser:
        webbrowser.open(running.url)
    try:
        while not signals:
            time.sleep(0.2)
    finally:
        print("stopping; what was decided is stored", file=sys.stderr, flush=True)
        running.close()


def people_at(auth: Path | None, oidc: Path | None, project: Path) -> People | None:
    """Who may log in; None where nobody has to.

    Args:
        auth: file of users who log in with a password.
        oidc: settings of a sign-on provider.
        project: folder of the project, whose logins are kept beside one of these.
    """
    beside = auth or oidc
    return People(auth, sessions_file(beside, project)) if beside is not None else None


def sign_on_at(oidc: Path | None, public_url: str, host: str) -> SignOn | None:
    """The sign-on of a settings file; None without one.

    Args:
        oidc: the file.
        public_url: the address under which people reach this server.
        host: address that it listens on.

    Raises:
        InputError: the settings or the address are not as expected, or Authlib is missing.
    """
    if oidc is None:
        if public_url:
            raise InputError(
                "--public-url is for the sign-on alone; give its settings with --oidc as well"
            )
        return None
    if not public_url and host not in LOOPBACK:
        raise InputError(
            f"with {host} the provider cannot know where to send people back to; give the address "
            "that they type, such as --public-url https://vpd.example.org"
        )
    try:  # by name: without the sign-on nothing of Authlib is loaded
        module = importlib.import_module("app.sign_on")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in (
            "authlib",
            "httpx2",
            "joserfc",
        ):
            raise
        raise InputError(
            "the sign-on needs Authlib; install it with: pip install 'vpd-workbench[oidc]'"
        ) from error
    sign_on: SignOn = module.SignOn(read_settings(oidc), public_url)
    return sign_on


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"
