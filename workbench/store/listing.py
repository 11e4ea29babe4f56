"""The part of a project that Browse and Dashboard ask: lists, counts and figures of the scope in
force.
"""

from __future__ import annotations

from typing import Any

from workbench.store.kernel.database import Database
from workbench.store.reading import (
    browse,
    evaluations,
    figures,
    lineage,
)
from workbench.store.reading.browse import Facet, Page, View
from workbench.store.reading.evaluations import Evaluation
from workbench.store.reading.figures import ErrorCount, FunnelStep, ToolFigures
from workbench.store.reading.lineage import Lineage


class Listing:
    """Reads for screens; a project is one."""

    database: Database

    def browse(
        self, text: str = "", sort: str = "import", after: str | None = None, limit: int = 50
    ) -> Page:
        """One page of tasks with what came of each, of the scope in force (see `search` for the
        language of `text`).

        Args:
            sort: one of `browse.SORTS`; a minus before it turns it round.
            after: the `next` of the page before.

        Raises InputError for a text or an order that is none.
        """
        return browse.browse(self.database, text, sort, after, limit)

    def browse_total(self, text: str = "") -> int:
        """How many tasks fit."""
        return browse.total(self.database, text)

    def browse_ids(self, text: str = "", sort: str = "import") -> list[str]:
        """Ids of all tasks that fit, in order."""
        return browse.ids(self.database, text, sort)

    def browse_facets(self, text: str = "") -> tuple[Facet, ...]:
        """What can be chosen, with counts."""
        return browse.facets(self.database, text)

    def save_view(self, name: str, text: str, sort: str, author: str) -> View:
        """Give a search a name; one of this name gives way."""
        return browse.save_view(self.database, name, text, sort, author)

    def saved_views(self) -> list[View]:
        """Searches that have a name."""
        return browse.saved_views(self.database)

    def delete_view(self, name: str) -> None:
        """Forget a named search."""
        browse.delete_view(self.database, name)

    def funnel(self) -> tuple[FunnelStep, ...]:
        """Questions by how far they got."""
        return figures.funnel(self.database)

    def by_tool(self) -> list[ToolFigures]:
        """What came of the runs that called each tool."""
        return figures.by_tool(self.database)

    def errors(self, by_day: bool = False) -> list[ErrorCount]:
        """Failed runs by kind."""
        return figures.errors(self.database, by_day)

    def lineage(self) -> Lineage:
        """Snapshots, jobs, models and evaluations: what came of what."""
        return lineage.lineage(self.database)

    def metrics(self, job: str) -> list[dict[str, Any]]:
        """The figures of a training job, step by step, as they were last read."""
        return lineage.metrics(self.database, job)

    def evaluations(self) -> list[Evaluation]:
        """How good each system was found to be, the latest last."""
        return evaluations.evaluations(self.database)

    def evaluation_scores(self, evaluation: str) -> dict[str, float]:
        """The score of each question of an evaluation, 0 to 1."""
        return evaluations.scores(self.database, evaluation)
