"""The project folder and its DuckDB file: the only importer of duckdb."""

from workbench.store.browse import SORTS, Facet, FacetValue, Page, View
from workbench.store.figures import ErrorCount, FunnelStep, ToolFigures
from workbench.store.outcome import STATUSES, Outcome, RunLine
from workbench.store.project import Project, locate
from workbench.store.scope import STAGES, Scope, Selection
from workbench.store.search import Query, parse_query
from workbench.store.views import Counts, Run, TaskView

__all__ = [
    "SORTS", "STAGES", "STATUSES", "Counts", "ErrorCount", "Facet", "FacetValue", "FunnelStep", "Outcome", "Page",
    "Project", "Query", "Run", "RunLine", "Scope", "Selection", "TaskView", "ToolFigures", "View",
    "locate", "parse_query",
]  # fmt: skip
