"""The project folder and its DuckDB file: the only importer of duckdb."""

from workbench.store.project import Project, locate
from workbench.store.scope import STAGES, Scope, Selection
from workbench.store.views import STATUSES, Counts, Outcome, Run, TaskPage, TaskView

__all__ = [
    "STAGES", "STATUSES", "Counts", "Outcome", "Project", "Run", "Scope", "Selection", "TaskPage", "TaskView", "locate",
]  # fmt: skip
