"""Dashboard: a project's figures as charts, each with its n, a table and its data as CSV."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import tzinfo

from fastapi import Request, Response
from fastapi.responses import FileResponse

from app import chart_library, local_day, report
from app.people import Viewer
from app.site import FOREVER, Site
from workbench.pipeline.ingesting import ingest
from workbench.screen.charts.chart import Chart
from workbench.screen.charts.overview import overview
from workbench.screen.charts.project_charts import numbers
from workbench.screen.charts.sections import ChartSection, sections_of
from workbench.screen.charts.trust_charts import stamp, trust_charts
from workbench.store import Project

FRESH = 5.0
"""Seconds for which the figures are not counted again, however many people look."""
ZONES = 8
"""Number of zones whose figures are kept at most."""


@dataclass(frozen=True, slots=True)
class DashboardFigures:
    """Everything that the dashboard draws."""

    at: str
    """When it was counted, UTC, ISO 8601."""
    numbers: list[tuple[str, str, str]]
    """The figures at the top: name, value, note."""
    sections: tuple[ChartSection, ...]


def add(site: Site) -> None:
    """Register the page, its library and its figures."""
    figures = FigureCache(site)

    @site.server.get("/dashboard")
    def dashboard(request: Request) -> Response:
        view = {
            "library": chart_library.address(),
            "tasks": site.project.count_tasks(),
        }
        return site.page(request, "dashboard.html", "dashboard", view)

    @site.server.get(f"/{chart_library.ADDRESS}")
    def library() -> Response:
        return FileResponse(chart_library.LIBRARY, media_type="text/javascript", headers=FOREVER)

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
    def data(person: Viewer) -> DashboardFigures:
        return figures.look()


class FigureCache:
    """The figures, counted once for everybody who looks at about the same time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._figures: dict[str, tuple[float, DashboardFigures]] = {}
        """By the zone whose days they show, with the time when they were counted."""
        self._stamp: tuple[object, ...] = ()
        self._trust: list[Chart] = []

    def look(self) -> DashboardFigures:
        """The figures, counted anew if they are some seconds old, in the days of who looks."""
        zone = local_day.zone()
        with self._lock:
            at, answer = self._figures.get(str(zone), (-FRESH, None))
            if answer is None or time.monotonic() - at >= FRESH:
                answer = self._count(self._site.project, zone)
                if len(self._figures) >= ZONES:
                    self._figures.clear()
                self._figures[str(zone)] = time.monotonic(), answer
            return answer

    def _count(self, project: Project, zone: tzinfo | None) -> DashboardFigures:
        ingest(project)
        whole = overview(project, zone)
        if self._stamp != (now := stamp(project)):
            self._stamp, self._trust = now, trust_charts(project)
        return DashboardFigures(whole.at, numbers(whole), sections_of(whole, self._trust))
