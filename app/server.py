"""The local page: a small HTTP server on this machine's loopback, read-only, no network, no inline scripts.

Everything that comes from a store (questions, programs, tool outputs, rationales) is untrusted text: pages are
rendered by Jinja2 with autoescape, the player writes text nodes only, and the Content-Security-Policy allows
neither inline scripts nor anything from elsewhere.  Requests whose Host is not this machine are refused, so
that a web page elsewhere cannot read a project by pointing its own name at 127.0.0.1.

It is for one person at one machine: no accounts, no TLS, no writes.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from app.pages import Pages
from workbench.errors import InputError, WorkbenchError
from workbench.store import Project

STATIC = Path(__file__).resolve().parent / "static"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".tiff": "image/tiff",
}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
"""For what is named by its content."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server."""

    body: bytes
    type: str = "text/html; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=lambda: {"Cache-Control": "no-store"})


class Site(Protocol):
    """What the server shows: pages by path, pictures by digest."""

    def page(self, path: str, query: Mapping[str, str]) -> str | None:
        """HTML, or None where there is no such page.  Raises WorkbenchError for people to read."""
        ...

    def data(self, path: str, query: Mapping[str, str]) -> object | None:
        """What `json.dumps` takes, or None where there is no such data."""
        ...

    def picture(self, digest: str, side: int | None) -> Path | None:
        """The file of a picture, or of its thumbnail; None where it is missing or broken."""
        ...

    def problem(self, status: HTTPStatus, message: str) -> str:
        """An error page."""
        ...


def answer(site: Site, target: str) -> Reply:
    """The reply to GET `target` (path and query).  Never raises for bad input: that is a page too."""
    try:
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query, max_num_fields=20).items()}
    except ValueError:
        return _problem(site, HTTPStatus.BAD_REQUEST, "This address cannot be read.")
    path = parts.path.rstrip("/") or "/"
    try:
        if path.startswith("/static/"):
            return _static(path.removeprefix("/static/")) or _problem(site, HTTPStatus.NOT_FOUND, "No such file.")
        if path == "/favicon.ico":
            return _static("favicon.svg") or _problem(site, HTTPStatus.NOT_FOUND, "No such file.")
        if path.startswith(("/image/", "/thumb/")):
            digest = path.rpartition("/")[2]
            return _picture(site.picture(digest, 144 if path.startswith("/thumb/") else None), digest, site)
        if path.startswith("/data/"):
            found = site.data(path, query)
            if found is not None:
                return Reply(json.dumps(found).encode(), "application/json")
        elif (html := site.page(path, query)) is not None:
            return Reply(html.encode())
    except InputError as error:
        return _problem(site, HTTPStatus.NOT_FOUND, str(error))
    except WorkbenchError as error:
        return _problem(site, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    return _problem(site, HTTPStatus.NOT_FOUND, f"There is no page at {path}.")


def _static(name: str) -> Reply | None:
    known = {path.name: path for path in STATIC.iterdir()}
    if name not in known:
        return None
    return Reply(known[name].read_bytes(), TYPES[known[name].suffix], headers={"Cache-Control": "no-cache"})


def _picture(path: Path | None, digest: str, site: Site) -> Reply:
    if path is None:
        return _problem(
            site, HTTPStatus.NOT_FOUND, f"Picture {digest[:12]} is missing or broken; import its task again."
        )
    return Reply(path.read_bytes(), TYPES[path.suffix], headers=FOREVER)


def _problem(site: Site, status: HTTPStatus, message: str) -> Reply:
    return Reply(site.problem(status, message).encode(), status=status)


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD, for this machine alone."""

    server: AppServer
    protocol_version = "HTTP/1.1"
    server_version = "vpd"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in ("127.0.0.1", "localhost", "::1"):
            self._send(Reply(b"This server answers on its own machine only.\n", "text/plain", HTTPStatus.FORBIDDEN))
            return
        try:
            reply = answer(self.server.site, self.path)
        except Exception:  # a fault of ours, or a store that another program wrote: the server goes on
            traceback.print_exc()
            message = "This page could not be made; what went wrong stands in the terminal. Nothing has changed."
            reply = _problem(self.server.site, HTTPStatus.INTERNAL_SERVER_ERROR, message)
        self._send(reply)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {**HEADERS, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: one person's clicks are of no use in a terminal."""


class AppServer(ThreadingHTTPServer):
    """The server, bound to loopback.  Use as a context manager, or call `close`."""

    daemon_threads = True

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that closes its connection early is no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def bind(site: Site, port: int, tries: int = 10) -> AppServer:
    """The server on `port`, or on the next free one of `tries`.  Raises InputError when none is free."""
    for candidate in range(port, port + tries):
        try:
            return AppServer(site, candidate)
        except OSError:
            continue
    raise InputError(f"ports {port} to {port + tries - 1} are all taken; give a free one with --port")


def serve(server: AppServer, open_browser: bool) -> None:
    """Serve until Ctrl-C."""
    if open_browser:
        webbrowser.open(server.url)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def main(project: Path, port: int = 8870, open_browser: bool = True) -> None:
    """Serve a project's pages until Ctrl-C.  Raises InputError when there is no project or no free port."""
    Project.open(project, read_only=True).close()
    bound = bind(Pages(project), port)
    print(f"{bound.url}  (Ctrl-C ends it)", flush=True)
    serve(bound, open_browser)
