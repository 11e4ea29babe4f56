"""Logging in and out, where the server asks for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.people import COOKIE, SESSION_HOURS, Refused
from app.site import Site


def add(site: Site) -> None:
    server = site.server

    @server.get("/login")
    def form(request: Request, next: str = "/browse") -> Response:
        if site.people is None or request.scope["person"] is not None:
            return RedirectResponse(_own(next), 303)
        return site.page(request, "login.html", "login", {"next": _own(next), "problem": "", "name": ""})

    @server.post("/login")
    def log_in(
        request: Request,
        username: Annotated[str, Form(max_length=100)],
        password: Annotated[str, Form(max_length=1000)],
        next: Annotated[str, Form(max_length=2000)] = "/browse",
    ) -> Response:
        """Of the form, and of `gradio_client.Client(url, auth=(name, password))`."""
        wants_page = "text/html" in request.headers.get("accept", "")
        problem = "This name and this password do not belong together."
        token = None
        try:
            token = site.people.log_in(username, password) if site.people is not None else ""
        except Refused as error:
            problem = f"{str(error).capitalize()}."
        if token is None:
            if not wants_page:
                return JSONResponse({"error": problem}, 401)
            return site.page(
                request, "login.html", "login", {"next": _own(next), "problem": problem, "name": username}, 401
            )
        answer = RedirectResponse(_own(next), 303) if wants_page else JSONResponse({"success": True})
        answer.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_HOURS * 3600,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    @server.post("/logout")
    def log_out(request: Request) -> Response:
        if site.people is not None:
            site.people.log_out(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer


def _own(address: str) -> str:
    """Only a path of this server: never a way to another site."""
    good = (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and "\\" not in address
        and address.isprintable()
    )
    return address if good else "/browse"
