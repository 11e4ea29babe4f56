"""Dashboard: a project's figures as charts that keep their zoom, each with n, time, a table and its data as CSV."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import plotly
from fastapi import Request, Response
from fastapi.responses import FileResponse

from app.people import Viewer
from app.site import FOREVER, Site
from workbench.pipeline.overview import overview

LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
"""Plotly's own build, out of its package: nothing is loaded from elsewhere."""

FRESH = 5.0
"""Seconds for which the figures are not counted again, however many people look."""


def add(site: Site) -> None:
    figures = Figures(site)

    @site.server.get("/dashboard")
    def dashboard(request: Request) -> Response:
        view = {"library": f"/vendor/plotly-{plotly.__version__}.js", "tasks": site.project.count_tasks()}
        return site.page(request, "dashboard.html", "dashboard", view)

    @site.server.get(f"/vendor/plotly-{plotly.__version__}.js")
    def library() -> Response:
        return FileResponse(LIBRARY, media_type="text/javascript", headers=FOREVER)

    @site.server.get("/data/dashboard")
    def data(person: Viewer) -> dict[str, Any]:
        return figures.look()


class Figures:
    """The figures, counted once for everybody who looks at about the same time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._at = -FRESH
        self._seen: dict[str, Any] = {}

    def look(self) -> dict[str, Any]:
        with self._lock:
            if time.monotonic() - self._at >= FRESH:
                self._seen = overview(self._site.project).to_json()
                self._at = time.monotonic()
            return self._seen
