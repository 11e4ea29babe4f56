"""The project folder and its DuckDB file: the only importer of duckdb.

Files:
    attached.py     the store through its owner: sessions, transactions
    backup.py       backup and restore
    browse.py       pages, counts, totals, saved views
    bulk.py         accepting many questions at once, counted and undoable
    checks.py       what the checks for wrong reasons found
    curation.py     project.curation: deciding, queue, settings, guidelines, ratings, figures
    database.py     an open store: reading, writing, errors made clear
    decisions.py    events stored once, checked and folded in one transaction
    doctor.py       every invariant, checked
    evaluations.py  how good each system was found to be; what the programs answered
    figures.py      funnel, tools, errors for the Dashboard
    lineage.py      training jobs and the models they made
    link.py         the file itself or its owner; hand-over, retries
    listing.py      the part of Project that screens ask
    literal.py      values and Arrow rows as SQL text
    local.py        the file opened here: upgraded, served, handed over
    locks.py        locks between processes: ownership, one write at a time
    migrate.py      numbered SQL steps that bring a store's tables up to date
    migrations/     numbered SQL steps
    outcome.py      what came of each task: the one query and its record
    owner.py        the owner's address and its Quack server
    pending.py      rows that lack the next record: what a stage still has to do
    places.py       network file systems are refused
    project.py      a project: everything that is written and read
    queue.py        the next items, each leased in the same transaction
    ratings.py      pairs to rate, and what was said
    reviewing.py    figures of reviewers; blame by tool
    rows.py         records to Arrow tables and back: the only place that knows both shapes
    scope.py        which rows belong together: the parts in force, and the tasks looked at
    search.py       the search box's language and the words index
    snapshots.py    what snapshots are made of, and those taken
    summary.py      keeps what Browse reads up to date
    views.py        what came of each task; pages of tasks; all about one
"""

from workbench.store.browse import SORTS, Facet, FacetValue, Page, View
from workbench.store.evaluations import Evaluation
from workbench.store.figures import ErrorCount, FunnelStep, ToolFigures
from workbench.store.lineage import JobRow, Lineage, ModelRow
from workbench.store.outcome import STATUSES, Outcome, RunLine
from workbench.store.project import Project, locate
from workbench.store.scope import STAGES, Scope, Selection
from workbench.store.search import Query, parse_query
from workbench.store.views import Counts, Run, TaskView

__all__ = [
    "SORTS", "STAGES", "STATUSES", "Counts", "ErrorCount", "Evaluation", "Facet", "FacetValue", "FunnelStep", "JobRow",
    "Lineage", "ModelRow", "Outcome", "Page", "Project", "Query", "Run", "RunLine", "Scope", "Selection", "TaskView",
    "ToolFigures", "View", "locate", "parse_query",
]  # fmt: skip
