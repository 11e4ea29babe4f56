"""The project folder and its DuckDB file: the only importer of duckdb.

Files:
    backup.py   backup and restore
    doctor.py   every invariant, checked
    kernel/     one DuckDB file for many processes: owner, attached ones, locks, migrations
    listing.py  the part of Project that screens ask
    people/     what people said: decisions, the queue, ratings, reviewers' figures
    project.py  a project: everything that is written and read
    reading/    what pages and stages ask: outcomes, Browse, search, figures, lineage
    records/    records to rows and back, which rows belong together, and which are still missing
"""

from workbench.store.project import Project, locate
from workbench.store.reading.browse import SORTS, Facet, FacetValue, Page, View
from workbench.store.reading.evaluations import Evaluation
from workbench.store.reading.figures import ErrorCount, FunnelStep, ToolFigures
from workbench.store.reading.lineage import JobRow, Lineage, ModelRow
from workbench.store.reading.outcome import STATUSES, Outcome, RunLine
from workbench.store.reading.search import Query, parse_query
from workbench.store.reading.views import Counts, Run, TaskView
from workbench.store.records.scope import STAGES, Scope, Selection

__all__ = [
    "SORTS", "STAGES", "STATUSES", "Counts", "ErrorCount", "Evaluation", "Facet", "FacetValue", "FunnelStep", "JobRow",
    "Lineage", "ModelRow", "Outcome", "Page", "Project", "Query", "Run", "RunLine", "Scope", "Selection", "TaskView",
    "ToolFigures", "View", "locate", "parse_query",
]  # fmt: skip
