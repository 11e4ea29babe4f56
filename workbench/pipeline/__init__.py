"""The hall: the only place that knows the order of the loop, the store and the rooms.

Files:
    answering.py     students by name, asked what they have not answered yet, and timed
    ask.py           one question about one picture
    chart.py         one figure: what it says, its rows, how Plotly draws them
    charts.py        charts of questions, tools and people
    charts_models.py  charts of systems and what teaching brought
    charts_reasons.py  charts of flags, their precision, whose errors wrong answers are
    charts_trust.py  charts of what can be believed: differences, probes, blind ratings
    checking.py      kept runs checked for wrong reasons, wrong ones blamed, the checks measured
    compare.py       pipeline against student: the 2x2 table, McNemar's p, slices
    course.py        the project of the notebooks, made once
    deciding.py      decisions of other tools become events
    evaluating.py    how good a system is on a set of questions, as rows of the store
    importing.py     the first stage: tasks and their pictures from the project's sources
    ingesting.py     training jobs into the store
    live.py          one question answered live: a program and models, as streams that can be cancelled
    live_events.py   what is told while a question is answered live
    loop.py          the loop over a project
    overview.py      a project at a glance: the dashboard's figures
    parts.py         parts by a profile's names, built when first asked for
    probing.py       probes of students over a project's questions, kept and gone on with
    report.py        the figures of a project
    results.py       all systems on the same questions in one table
    snapshotting.py  what enters a snapshot, and why not
    studying.py      what distillation buys: one study
"""

from workbench.pipeline.ask import Asked, ask
from workbench.pipeline.loop import Progress, Summary, run
from workbench.pipeline.parts import Parts
from workbench.pipeline.report import Report, report

__all__ = ["Asked", "Parts", "Progress", "Report", "Summary", "ask", "report", "run"]
