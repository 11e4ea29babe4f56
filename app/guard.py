"""What stands before every page: which name of this machine is taken, who asks, what a body may
weigh, what may load.

Text of models, datasets and users is untrusted everywhere, so no page may run inline scripts or
load anything from elsewhere (Content-Security-Policy), be framed, or be read by another site.
Without a login only this machine's own names are answered, so that a web page elsewhere cannot read
a project by pointing its own name at 127.0.0.1; with a login a foreign name has no session.
Requests that change something must come from our own pages or from no page.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app import local_day
from app.people import COOKIE, Forbidden, People, Person

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1_000_000
LARGEST_UPLOAD = 20_000_000
"""Bytes of one request; uploads are those to `UPLOADS`."""
UPLOADS = ("/upload",)

LOOPBACK = ("127.0.0.1", "localhost", "::1")

OPEN = (
    "/login",
    "/health",
    "/static/",
    "/favicon.ico",
    "/config",
    "/gradio_api/info",
    "/gradio_api/startup-events",
)
"""Answered before a login: the login itself, whether the server works, our own style sheets and
scripts, and the names of the API's endpoints, which Gradio's clients read before they send who they
are.
"""

ENGINE = (
    "/gradio_api/call/",
    "/gradio_api/queue/",
    "/gradio_api/run/",
    "/gradio_api/info",
    "/gradio_api/openapi.json",
    "/gradio_api/startup-events",
    "/gradio_api/heartbeat/",
    "/gradio_api/cancel",
    "/gradio_api/reset",
    "/gradio_api/mcp",
)
"""Of Gradio's own routes, those that its clients need; its editors, proxies, recorders and monitors
stay shut.
"""
SHUT = (
    "/svelte",
    "/assets",
    "/theme.css",
    "/pwa_icon",
    "/manifest.json",
    "/monitoring",
    "/robots.txt",
    "/custom_component",
)

HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        b"connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'self'; "
        b"frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Without any referrer browsers call the origin of our own forms "null", and nobody can log in.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), browsing-topics=()"),
]


class Guard:
    """ASGI around the whole server.

    Args:
        app: the server.
        people: users who log in; None where nobody does.
        me: who everybody is then.
    """

    def __init__(self, app: App, people: People | None, me: Person) -> None:
        self.app = app
        self.people = people
        self.me = me

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no page here speaks anything else
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        answer = _Answer(send)
        cookies = _cookies(headers)
        local_day.enter(cookies.get(local_day.ZONE_COOKIE, ""))
        try:
            problem = self._problem(scope, headers)
            if problem is None:
                problem = await self._identify(scope, headers, cookies.get(COOKIE))
        except Forbidden as error:
            problem = (429, f"{str(error).capitalize()}.")
        if problem is not None:
            await self._refuse(scope, headers, answer, *problem)
            return
        await self.app(scope, _bounded(receive, _limit(scope["path"])), answer)

    def _problem(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Why this request is not served, whoever asks; else None."""
        path, host = scope["path"], headers.get("host", "")
        if self.people is None and _hostname(host) not in LOOPBACK:
            return 403, "This server answers on its own machine only."
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            origin = headers.get("origin")
            foreign = origin is not None and urlsplit(origin).netloc != host
            if foreign or headers.get("sec-fetch-site", "same-origin") not in (
                "same-origin",
                "none",
            ):
                return 403, "Changes are taken from this server's own pages only."
        limit = _limit(path)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            return 413, _too_large(limit)
        if path.startswith(SHUT) or (
            path.startswith("/gradio_api") and not path.startswith(ENGINE)
        ):
            return 404, f"There is no page at {path}."
        return None

    async def _identify(
        self, scope: Scope, headers: dict[str, str], key: str | None
    ) -> tuple[int, str] | None:
        """Say in `scope["person"]` who asks; why that is not served, or None.

        A password is hashed in a thread: here it would keep everybody waiting.
        """
        scope["person"] = person = self._person(headers, key)
        authorization = headers.get("authorization", "")
        if person is None and self.people is not None and authorization:
            people, address = self.people, (scope.get("client") or ("",))[0]
            person = await run_in_threadpool(people.of_header, authorization, address)
            scope["person"] = person
        if person is None and not scope["path"].startswith(OPEN):
            return 401, "Log in first."
        return None

    def _person(self, headers: dict[str, str], key: str | None) -> Person | None:
        """Who asks, as far as that is known without hashing."""
        if self.people is None:
            return self.me
        person = self.people.of_session(key) if key is not None else None
        return person or self.people.of_known_header(headers.get("authorization", ""))

    async def _refuse(
        self, scope: Scope, headers: dict[str, str], send: Send, status: int, message: str
    ) -> None:
        head = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        body = json.dumps({"error": message}).encode()
        if "text/html" in headers.get("accept", ""):
            head[0] = (b"content-type", b"text/plain; charset=utf-8")
            body = message.encode()
            if status == 401:
                query = scope.get("query_string", b"").decode("latin-1")
                path = scope["path"].removeprefix("/")
                target = quote(f"{path}?{query}" if query else path, safe="")
                status, body = 303, b""
                # relative: a proxy may show this server below a path of its own
                head.append((b"location", f"{'../' * path.count('/')}login?next={target}".encode()))
        head.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})


class _Answer:
    """Adds our headers to what is sent, and takes away what would let another site read it."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Scope) -> None:
        if message["type"] == "http.response.start":
            ours = {name for name, _ in HEADERS} | {b"server"}
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in ours and not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": [*kept, *HEADERS]}
        await self._send(message)


def _bounded(receive: Receive, limit: int) -> Receive:
    """The body, counted as it comes: a length that was not declared is bounded too."""
    length = 0

    async def count() -> Scope:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return count


def _cookies(headers: dict[str, str]) -> dict[str, str]:
    """The cookies of a request; empty where they cannot be read."""
    try:
        return {name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def _limit(path: str) -> int:
    return LARGEST_UPLOAD if path.startswith(UPLOADS) else LARGEST_BODY


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _too_large(limit: int) -> str:
    return f"At most {limit // 1_000_000} MB are taken at once; nothing was stored."
