"""What machines ask of the server: whether it works, and its figures for Prometheus.

`/health` is answered before a login, since whoever watches a server has no name; it says no more
than yes or no.  `/metrics` takes a viewer, as pages do: Prometheus logs in by HTTP Basic.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Mapping

from fastapi import Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from app.people import need
from app.site import Site
from workbench.errors import WorkbenchError
from workbench.store import Project
from workbench.store.reading import figures
from workbench.store.records import loop_runs
from workbench.verify.answers import RIGHT

FRESH = 10.0
"""Seconds for which the figures are not counted anew, however often they are asked for."""
_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples = Mapping[str, float]
"""Values by their labels, as they stand between the braces; the empty text for one without."""


def add(site: Site) -> None:
    """Add both routes."""
    text = _Fresh(site.project)

    @site.server.get("/health")
    def health() -> Response:
        try:
            site.project.count_tasks()
        except WorkbenchError:
            return JSONResponse({"status": "failing"}, 503, {"Cache-Control": "no-store"})
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @site.server.get("/metrics")
    def metrics(request: Request) -> Response:
        need(request, "viewer")
        return PlainTextResponse(text(), media_type=_TYPE)


class _Fresh:
    """The figures, counted at most every few seconds, however many ask."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._text, self._at = "", 0.0

    def __call__(self) -> str:
        with self._lock:
            if not self._text or time.monotonic() - self._at >= FRESH:
                self._text = "".join(_lines(self._project))
                self._at = time.monotonic()
            return self._text


def _lines(project: Project) -> Iterator[str]:
    funnel = figures.funnel(project.database)
    totals = figures.outcome_totals(project.database, RIGHT)
    yield from _metric(
        "vpd_questions",
        "Questions that got as far as a step of the loop.",
        {f'step="{step.name}"': step.tasks for step in funnel},
    )
    yield from _metric("vpd_programs", "Programs of the sampler in force.", {"": totals.programs})
    yield from _metric(
        "vpd_traces",
        "Runs of programs, by whether they ended with an answer.",
        {
            'outcome="answered"': totals.executed,
            'outcome="failed"': totals.traces - totals.executed,
        },
    )
    yield from _metric(
        "vpd_predictions",
        "Answers of the student in force to labelled questions.",
        {
            'outcome="right"': totals.student,
            'outcome="wrong"': totals.answered - totals.student,
        },
    )
    usage = loop_runs.usage(project.database)
    for name, words in _USAGE.items():
        yield from _metric(
            f"vpd_endpoint_{name}_total",
            words,
            {f'stage="{stage}"': getattr(one, name) for stage, one in usage.items()},
            "counter",
        )
    disk = shutil.disk_usage(project.path)
    yield from _metric("vpd_disk_free_bytes", "Room on the project's disk.", {"": disk.free})


_USAGE = {
    "requests": "Requests that endpoints answered, in all runs.",
    "retries": "Further attempts at requests to endpoints, in all runs.",
    "prompt_tokens": "Prompt tokens of endpoints, in all runs.",
    "completion_tokens": "Completion tokens of endpoints, in all runs.",
    "cost": "Cost of endpoints in the currency of the prices, in all runs.",
}


def _metric(name: str, words: str, samples: Samples, kind: str = "gauge") -> Iterator[str]:
    """One metric in Prometheus's text format; nothing where it has no sample.

    Args:
        name: of the metric.
        words: what it is.
        samples: its values.
        kind: `gauge` or `counter`.
    """
    if not samples:
        return
    yield f"# HELP {name} {words}\n# TYPE {name} {kind}\n"
    for labels, value in samples.items():
        yield f"{name}{{{labels}}} {value:.10g}\n" if labels else f"{name} {value:.10g}\n"
