"""The project folder and its DuckDB file: the only importer of duckdb.

Files:
    archive.py  events of traces moved beside the store, and what is removed for good
    backup.py   backup and restore
    doctor.py   every invariant, checked
    kernel/     one DuckDB file for many processes: owner, attached ones, locks, migrations
    people/     decisions of people, the queue, ratings, reviewers' figures
    project.py  a project: everything that is written and read
    reading/    what pages and stages ask: outcomes, Browse, search, figures, lineage
    records/    records to rows and back, which rows belong together, and which are still missing

Other rooms find here a project and the records that come out of it, and the modules whose functions
take a project's `database`.
"""

from workbench.store.people import reviewing
from workbench.store.people.curation import Curation
from workbench.store.people.reviewing import ReviewerFigures
from workbench.store.people.rules_in_force import Guideline
from workbench.store.project import PROFILE, STORE, Project, locate
from workbench.store.reading import checks, evaluations, figures, ids, lineage, snapshots
from workbench.store.reading.browse import SORTS, Page
from workbench.store.reading.checks import CheckRow
from workbench.store.reading.counts import Counts
from workbench.store.reading.evaluations import Evaluation, ProgramAnswer
from workbench.store.reading.facets import Facet, FacetValue
from workbench.store.reading.figures import ErrorCount, FunnelStep, ToolFigures
from workbench.store.reading.lineage import JobRow, Lineage, ModelRow
from workbench.store.reading.outcome import STATUSES, Outcome, RunLine
from workbench.store.reading.saved_views import View
from workbench.store.reading.search import Query, parse_query, token
from workbench.store.reading.snapshots import Taken, Target
from workbench.store.reading.views import Run, TaskView
from workbench.store.records import pending
from workbench.store.records.rows import part_key
from workbench.store.records.scope import STAGES, Scope, Selection

__all__ = [
    "PROFILE", "SORTS", "STAGES", "STATUSES", "STORE",
    "CheckRow", "Counts", "Curation", "ErrorCount", "Evaluation", "Facet", "FacetValue",
    "FunnelStep", "Guideline", "JobRow", "Lineage", "ModelRow", "Outcome", "Page", "ProgramAnswer",
    "Project", "Query", "ReviewerFigures", "Run", "RunLine", "Scope", "Selection", "Taken",
    "Target", "TaskView", "ToolFigures", "View",
    "checks", "evaluations", "figures", "ids", "lineage", "pending", "reviewing", "snapshots",
    "locate", "parse_query", "part_key", "token",
]  # fmt: skip
