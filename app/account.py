"""Logging in and out, where the server asks for it: with a password, or at a sign-on provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.people import COOKIE, SESSION_HOURS, SIGN_ON_COOKIE, Forbidden, People, SignOnProblem
from app.site import FIRST, Site

if TYPE_CHECKING:
    from app.sign_on import SignOn


@dataclass(frozen=True, slots=True)
class Door:
    """What both ways of logging in need."""

    site: Site
    sign_on: SignOn | None

    def page(
        self, request: Request, target: str, problem: str = "", name: str = "", status: int = 200
    ) -> Response:
        """The login page.

        Args:
            request: of the browser that asks.
            target: path to show after the login.
            problem: why the last try failed; empty at the first.
            name: what stands in the field for the name.
            status: HTTP status.
        """
        people, sign_on = self.site.people, self.sign_on
        view = {
            "next": own_path(target),
            "problem": problem,
            "name": name,
            "passwords": people is not None and people.has_passwords,
            "sign_on": sign_on.settings.button if sign_on is not None else "",
        }
        return self.site.page(request, "login.html", "login", view, status)

    def remember(self, answer: Response, request: Request, token: str) -> Response:
        """The answer, with the cookie of a session.

        Args:
            answer: to a login that succeeded.
            request: of the browser that logged in.
            token: of its session.
        """
        public = self.sign_on is not None and self.sign_on.secure
        secure = public or request.url.scheme == "https"
        seconds = SESSION_HOURS * 3600
        answer.set_cookie(
            COOKIE, token, max_age=seconds, httponly=True, samesite="lax", secure=secure
        )
        return answer


def add(site: Site, sign_on: SignOn | None = None) -> None:
    """Register the routes.

    Args:
        site: the pages.
        sign_on: the provider where people sign in; None where passwords are the only way.
    """
    server, door = site.server, Door(site, sign_on)

    @server.get("/login")
    def form(request: Request, next: str = FIRST) -> Response:
        if site.people is None or request.scope["person"] is not None:
            return RedirectResponse(own_path(next), 303)
        return door.page(request, next)

    @server.post("/login")
    def log_in(
        request: Request,
        username: Annotated[str, Form(max_length=100)],
        password: Annotated[str, Form(max_length=1000)],
        next: Annotated[str, Form(max_length=2000)] = FIRST,
    ) -> Response:
        """Log in, from the form or from `gradio_client.Client(url, auth=(name, password))`.

        Args:
            request: of the form, or of the client.
            username: name of the user.
            password: of the user.
            next: path to show after the login.
        """
        wants_page = "text/html" in request.headers.get("accept", "")
        problem = "This name and this password do not belong together."
        token = None
        try:
            address = request.client.host if request.client is not None else ""
            people = site.people
            token = people.log_in(username, password, address) if people is not None else ""
        except Forbidden as error:
            problem = f"{str(error).capitalize()}."
        if token is None:
            if not wants_page:
                return JSONResponse({"error": problem}, 401)
            return door.page(request, next, problem, username, 401)
        answer = (
            RedirectResponse(own_path(next), 303) if wants_page else JSONResponse({"success": True})
        )
        return door.remember(answer, request, token)

    @server.post("/logout")
    def log_out(request: Request) -> Response:
        if site.people is not None:
            site.people.log_out(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    if sign_on is not None and site.people is not None:
        _add_sign_on(door, sign_on, site.people)


def _add_sign_on(door: Door, sign_on: SignOn, people: People) -> None:
    """Register the way to the provider and back.

    Args:
        door: the login page.
        sign_on: the provider.
        people: who is logged in.
    """
    server = door.site.server

    @server.get("/login/sign-on")
    async def begin(request: Request, next: str = FIRST) -> Response:
        try:
            return await sign_on.begin(request, own_path(next))
        except SignOnProblem as error:
            return door.page(request, next, str(error), status=error.status)

    @server.get("/login/callback")
    async def finish(request: Request) -> Response:
        try:
            person, target = await sign_on.finish(request)
            token = people.admit(person)
        except Forbidden as error:
            answer = door.page(request, FIRST, f"{error}.", status=403)
        except SignOnProblem as error:
            answer = door.page(request, FIRST, str(error), status=error.status)
        else:
            answer = door.remember(RedirectResponse(f"../{own_path(target)}", 303), request, token)
        answer.delete_cookie(SIGN_ON_COOKIE, path=sign_on.cookie_path)
        return answer


def own_path(address: str) -> str:
    """Only a path of this server, never a way to another site; relative to the login page.

    So it is right as well where a proxy shows this server below a path of its own.
    """
    good = (
        not address.startswith(("//", "/\\"))
        and "\\" not in address
        and address.isprintable()
        and ":" not in address.partition("?")[0].partition("/")[0]
    )
    path = address.removeprefix("/") if good else ""
    return path if path and not path.startswith("/") else FIRST
