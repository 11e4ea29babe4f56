"""Dashboard: a project's figures as charts that keep their zoom, each with n, time, a table and its
data as CSV.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import plotly
from fastapi import Request, Response
from fastapi.responses import FileResponse

from app import report
from app.people import Viewer
from app.site import FOREVER, Site
from workbench.pipeline.ingesting import ingest
from workbench.screen.charts.chart import Chart
from workbench.screen.charts.overview import overview
from workbench.screen.charts.project_charts import (
    disk_chart,
    loop_charts,
    numbers,
    people_charts,
    tool_charts,
)
from workbench.screen.charts.system_charts import model_charts
from workbench.screen.charts.trust_charts import stamp, trust_charts
from workbench.store import Project

FRESH = 5.0
"""Seconds for which the figures are not counted again, however many people look."""


def add(site: Site) -> None:
    figures = FigureCache(site)

    @site.server.get("/dashboard")
    def dashboard(request: Request) -> Response:
        view = {
            "library": f"/vendor/plotly-{plotly.__version__}.js",
            "tasks": site.project.count_tasks(),
        }
        return site.page(request, "dashboard.html", "dashboard", view)

    @site.server.get(f"/vendor/plotly-{plotly.__version__}.js")
    def library() -> Response:
        return FileResponse(report.LIBRARY, media_type="text/javascript", headers=FOREVER)

    @site.server.get("/report")
    def as_file(person: Viewer) -> Response:
        """As a file: it is made to be sent, and would not run under the policy of these pages."""
        data, _ = report.page(site.project)
        return Response(
            data,
            media_type="text/html",
            headers={"Content-Disposition": "attachment; filename=report.html"},
        )

    @site.server.get("/data/dashboard")
    def data(person: Viewer) -> dict[str, Any]:
        return figures.look()


class FigureCache:
    """The figures, counted once for everybody who looks at about the same time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._at = -FRESH
        self._seen: dict[str, Any] = {}
        self._stamp: tuple[object, ...] = ()
        self._trust: list[Chart] = []

    def look(self) -> dict[str, Any]:
        with self._lock:
            if time.monotonic() - self._at >= FRESH:
                self._seen = self._count(self._site.project)
                self._at = time.monotonic()
            return self._seen

    def _count(self, project: Project) -> dict[str, Any]:
        ingest(project)
        found = overview(project)
        if self._stamp != (now := stamp(project)):
            self._stamp, self._trust = now, trust_charts(project)
        charts = [
            *loop_charts(found),
            *model_charts(found),
            *self._trust,
            *tool_charts(found),
            *people_charts(found),
        ]
        shown = [chart.to_json() for chart in (*charts, disk_chart(found))]
        return {"at": found.at, "numbers": numbers(found), "charts": shown}
