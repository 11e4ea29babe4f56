"""The shell that every page stands on: templates, pictures, errors, shared models, Gradio's API
with roles.

A page is a module `app/NAME.py` with a function `add(site)` that registers its routes:

    def add(site: Site) -> None:
        @site.server.get("/train")
        def train(request: Request) -> Response:
            return site.page(request, "train.html", here="train", view={...})

        # a change: JSON in, JSON out, the role is checked; both are records, which the scripts know
        @site.server.post("/do/train")
        def start(body: Start, person: Curator) -> StartedJob: ...

        # Gradio's queue, gradio_client, MCP
        @site.api("answer", role="curator", concurrency_id="models")
        def answer(question: str, request: gr.Request) -> GivenAnswer: ...

Routes under /data and /do answer errors as JSON {"error": text}, all others as a page.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import gradio as gr
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from gradio import Server
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic_core import to_jsonable_python
from starlette.exceptions import HTTPException

from app.guard import Guard
from app.header import Chip, HeaderNews
from app.people import Forbidden, People, Person, need
from workbench.errors import ImageError, InputError, WorkbenchError
from workbench.local_files import real_path
from workbench.pipeline.parts import Parts
from workbench.pipeline.remembering import corrections_of
from workbench.records import Role
from workbench.screen import PLAYER, views
from workbench.store import Project

HERE = Path(__file__).resolve().parent

F = TypeVar("F", bound=Callable[..., Any])

FIRST = "start"
"""Path of the page that one sees first."""

SCREENS = (
    ("browse", "Browse", "b"),
    ("step", "Step", "s"),
    ("curate", "Curate", "c"),
    ("train", "Train", "t"),
    ("compare", "Compare", "m"),
    ("dashboard", "Dashboard", "d"),
)
"""Path, name and the letter behind `g`."""

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
"""Headers of a file that is named by its content."""

TITLES = {
    401: "Log in first",
    403: "Not for you",
    404: "Not here",
    503: "Not now",
    500: "A fault of this page",
}


class Site:
    """One project's pages.

    Args:
        project: open; the caller closes it.
        people: users who log in; None where nobody does.
        me: who everybody is without a login.
    """

    def __init__(
        self, project: Project, people: People | None = None, me: Person | None = None
    ) -> None:
        self.project = project
        self.people = people
        self.me = me or Person("you", "admin")
        self.engine: Any = Server(
            title="VPD Workbench", openapi_url=None, docs_url=None, redoc_url=None
        )
        inside = self.engine.build_middleware_stack
        # around everything, Gradio's own middleware included
        self.engine.build_middleware_stack = lambda: Guard(inside(), self.people, self.me)
        self.server: FastAPI = self.engine
        self._parts: Parts | None = None
        self._lock = threading.Lock()
        self._closing: list[Callable[[], None]] = []
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            finalize=views.visible,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._environment.filters["spaced"] = views.family_words
        self._environment.filters["duration"] = views.duration
        self.chips: list[Callable[[Person], Mapping[str, Chip | None]]] = []
        """What the header shows beside the project: each gives a part of /data/shell."""
        self.calls: dict[str, Callable[..., Any]] = {}
        """What Gradio's queue calls, by name."""
        self._routes()

    # --- what pages use

    def page(
        self, request: Request, template: str, here: str, view: Mapping[str, Any], status: int = 200
    ) -> Response:
        """A page.

        Args:
            request: of the browser.
            template: file name.
            here: the screen that the page belongs to.
            view: what the template shows.
            status: HTTP status.
        """
        person = request.scope.get("person") or self.me
        shell = {
            "here": here,
            "screens": SCREENS,
            "project": real_path(self.project.path).name,
            "path": str(real_path(self.project.path)),
            "person": person,
            "login": self.people is not None,
            # pages link relatively: a proxy may show this server below a path of its own
            "up": "../" * (request.url.path.count("/") - 1),
        }
        html = self._environment.get_template(template).render(view=view, shell=shell)
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})

    def api(
        self,
        name: str,
        role: Role = "viewer",
        visibility: Literal["public", "undocumented"] = "public",
        **options: Any,
    ) -> Callable[[F], F]:
        """Register a function as an endpoint of Gradio's queue, `gradio_client` and MCP.

        The function takes `request: gr.Request` to learn who asks (`person_of(request)`), says what
        it returns in its annotation and what it does in its docstring; a generator streams.  What
        it raises on purpose reaches the caller as text; anything else stays in the terminal.

        Args:
            name: of the endpoint.
            role: that the caller must have.
            visibility: "undocumented" for what only our pages call.
            options: of `gradio.Server.api`.
        """

        def register(function: F) -> F:
            signature = inspect.signature(function)
            request_name = next(
                name
                for name, parameter in signature.parameters.items()
                if "Request" in str(parameter.annotation)
            )

            def check_role(*arguments: Any, **named: Any) -> None:
                need(signature.bind(*arguments, **named).arguments[request_name], role)

            if inspect.isgeneratorfunction(function):

                @functools.wraps(function)
                def wrapped(*arguments: Any, **named: Any) -> Any:
                    with _ErrorsAsText():
                        check_role(*arguments, **named)
                        yield from map(to_jsonable_python, function(*arguments, **named))

            else:

                @functools.wraps(function)
                def wrapped(*arguments: Any, **named: Any) -> Any:
                    with _ErrorsAsText():
                        check_role(*arguments, **named)
                        return to_jsonable_python(function(*arguments, **named))

            self.calls[name] = function
            self.engine.api(wrapped, name=name, api_visibility=visibility, **options)
            return function

        return register

    def parts(self) -> Parts:
        """The models and the sandbox of the project's profile, shared by all pages and built on
        first use.
        """
        with self._lock:
            if self._parts is None:
                project = self.project
                self._parts = Parts(
                    project.profile(),
                    project.images,
                    project.path / "cache" / "tools.sqlite",
                    corrections_of(project),
                )
            return self._parts

    def on_close(self, work: Callable[[], None]) -> None:
        """Do this when the server stops."""
        self._closing.append(work)

    def close(self) -> None:
        """End what pages started.  The project stays open."""
        for work in reversed(self._closing):
            work()
        if self._parts is not None:
            self._parts.close()

    def picture_of(self, digest: str) -> views.PictureView:
        """The picture, or that it cannot be shown: a page is more useful than an error."""
        try:
            picture = self.project.images.open(digest)
        except ImageError as error:
            return views.PictureView(digest, None, 4, 3, str(error))
        return views.PictureView(digest, f"image/{digest}", picture.width, picture.height)

    # --- routes that belong to no page

    def _routes(self) -> None:
        server = self.server

        @server.get(
            "/static/{name:path}"
        )  # all below it, so that nothing gets through to Gradio's own files
        def static(name: str) -> Response:
            files = {
                path.name: path for folder in (HERE / "static", PLAYER) for path in folder.iterdir()
            }
            if name not in files:
                raise InputError(f"there is no file {name}")
            return FileResponse(
                files[name],
                media_type=TYPES[files[name].suffix],
                headers={"Cache-Control": "no-cache"},
            )

        @server.get("/favicon.ico")
        def favicon() -> Response:
            return FileResponse(HERE / "static" / "favicon.svg", media_type="image/svg+xml")

        @server.get("/image/{digest}")
        def image(digest: str) -> Response:
            return FileResponse(self.project.images.display_path(digest), headers=FOREVER)

        @server.get("/thumb/{digest}")
        def thumb(digest: str) -> Response:
            return FileResponse(self.project.images.thumbnail(digest), headers=FOREVER)

        @server.get("/data/shell")
        def shell(request: Request) -> HeaderNews:
            person = need(request, "viewer")
            chips = {name: chip for part in self.chips for name, chip in part(person).items()}
            return HeaderNews(datetime.now(UTC).isoformat(), **cast(Any, chips))

        server.add_exception_handler(InputError, self._failed)
        server.add_exception_handler(WorkbenchError, self._failed)
        server.add_exception_handler(HTTPException, self._failed)
        server.add_exception_handler(RequestValidationError, self._failed)
        server.add_exception_handler(Exception, self._failed)

    def _failed(self, request: Request, error: Exception) -> Response:
        """What went wrong, as JSON to a script and as a page to a person.  Starlette prints faults
        of ours itself.
        """
        status, message = _status_of(error)
        if self.people is not None and request.scope.get("person") is None:
            # a stranger learns neither the project nor whose machine this is
            text = message if isinstance(error, HTTPException | RequestValidationError) else ""
            return JSONResponse({"error": text or _title(status)}, status)
        if request.url.path.startswith(("/data/", "/do/", "/upload", "/thumb/")):
            if isinstance(error, InputError):
                status = 400  # the address is right, what it asks for is not
            return JSONResponse({"error": message}, status, headers={"Cache-Control": "no-store"})
        if request.url.path == "/" or request.method != "GET":
            return JSONResponse({"error": message}, status)
        view = {"title": _title(status), "message": message, "again": status == 503}
        return self.page(request, "problem.html", "problem", view, status)


def _title(status: int) -> str:
    return TITLES.get(status, HTTPStatus(status).phrase)


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, Forbidden):
        return 403, f"{error}. Nothing was changed."
    if isinstance(error, InputError):
        return 404, str(error)
    if isinstance(error, WorkbenchError):
        return 503, str(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:])) or "the request"
        return 422, f"{where}: {first['msg']}. Nothing was changed."
    if isinstance(error, HTTPException) and error.status_code == 404:
        return 404, "There is no such page."
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail)
    return (
        500,
        "This page could not be made; what went wrong stands in the terminal. Nothing has changed.",
    )


class _ErrorsAsText:
    """Turns what the workbench raises on purpose into an error that Gradio passes on."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, WorkbenchError):
            raise gr.Error(str(error), print_exception=False) from error
