"""How far a run of the loop is, and what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.pipeline.report import Report
from workbench.usage import Usage


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is."""

    stage: str
    done: int
    total: int
    """Number of `unit`s: programs for execute, traces for rationalize, else tasks."""
    unit: str


@dataclass(frozen=True, slots=True)
class Done:
    """What one stage did in one run."""

    rows: int
    """Records added."""
    seconds: float
    usage: Usage = field(default_factory=Usage)
    """What its endpoints were asked, and what that cost."""

    def plus(self, rows: int, seconds: float, usage: Usage) -> Done:
        """This and what else was done.

        Args:
            rows: records added.
            seconds: of work.
            usage: of endpoints.
        """
        return Done(self.rows + rows, self.seconds + seconds, self.usage + usage)


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run did, and where the project stands after it."""

    run: int
    done: dict[str, Done]
    """By stage, in order; a stage that had nothing to do has 0 rows."""
    notes: tuple[str, ...]
    """What was left out and why, in sentences."""
    report: Report
    """Over the tasks of this run's split and limit."""


Watch = Callable[[Progress], None]
"""Called as the work goes on."""
