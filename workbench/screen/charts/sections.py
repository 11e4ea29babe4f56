"""The figures in sections, as the Dashboard and the report show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from workbench.screen.charts.chart import Chart
from workbench.screen.charts.overview import Overview
from workbench.screen.charts.project_charts import (
    disk_chart,
    loop_charts,
    people_charts,
    tool_charts,
)
from workbench.screen.charts.system_charts import model_charts


@dataclass(frozen=True, slots=True)
class ChartSection:
    """Figures that answer one question."""

    name: str
    """Name in the code and in addresses."""
    title: str
    """Heading for people."""
    charts: Sequence[Chart]
    """Those that have something to show, wide ones and pairs of halves."""
    empty: Sequence[Chart]
    """Those that have nothing to show yet."""


def sections_of(overview: Overview, trust: Sequence[Chart]) -> tuple[ChartSection, ...]:
    """All figures of a project.

    Args:
        overview: the figures.
        trust: the charts of what can be believed, which cost more than the others together.
    """
    parts = (
        ("loop", "From question to answer", loop_charts(overview)),
        ("systems", "Systems", model_charts(overview)),
        ("trust", "What can be believed", trust),
        ("tools", "Tools", tool_charts(overview)),
        ("people", "People", people_charts(overview)),
        ("folder", "The project's folder", [disk_chart(overview)]),
    )
    return tuple(_section(*part) for part in parts)


def _section(name: str, title: str, charts: Sequence[Chart]) -> ChartSection:
    filled = [chart for chart in charts if chart.rows]
    empty = [chart for chart in charts if not chart.rows]
    return ChartSection(name, title, tuple(_in_pairs(filled)), tuple(empty))


def _in_pairs(charts: Sequence[Chart]) -> Iterator[Chart]:
    """The charts two by two, so that no half stands alone beside nothing."""
    open_half = False
    for chart, following in pairwise([*charts, None]):
        assert chart is not None
        if chart.size == "wide":
            yield chart
        elif open_half:
            open_half = False
            yield chart
        elif following is not None and following.size != "wide":
            open_half = True
            yield chart
        else:
            yield replace(chart, size="wide")
