"""The hall: the only place that knows the order of the loop, the store and the rooms."""

from workbench.pipeline.ask import Asked, ask
from workbench.pipeline.loop import Progress, Summary, run
from workbench.pipeline.parts import Parts
from workbench.pipeline.report import Report, report

__all__ = ["Asked", "Parts", "Progress", "Report", "Summary", "ask", "report", "run"]
