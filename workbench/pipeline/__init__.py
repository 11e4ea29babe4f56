"""The hall: the only place that knows the order of the loop, the store and the rooms.

Files:
    ask.py               one question about one picture
    correcting.py        putting the answers of questions right
    course.py            the project of the notebooks, made once
    import_decisions.py  decisions of other tools become events
    importing.py         the first stage: tasks and their pictures from the project's sources
    ingesting.py         training jobs into the store
    live.py              one question answered live, as streams of events that can be cancelled
    live_events.py       the events of a question that is answered live
    loop.py              the loop over a project
    loop_job.py          the process of one import or run that a page began
    loop_jobs.py         imports and runs that pages begin: processes that outlive them
    parts.py             parts by a profile's names, built when first asked for
    remembering.py       corrections that a sampler's memory recalls
    repairing.py         what follows from the run of a repaired program
    report.py            the figures of a project
    selecting.py         what selectors make of the rows of a snapshot
    snapshotting.py      what enters a snapshot, and why not
    synthesizing.py      synthesizers at work: new questions from what kept runs have seen
    suspecting.py        the checks for wrong reasons inside the loop
"""

from workbench.pipeline.ask import BothAnswers, ask
from workbench.pipeline.loop import Progress, Summary, run
from workbench.pipeline.parts import Parts
from workbench.pipeline.report import Report, report

__all__ = ["BothAnswers", "Parts", "Progress", "Report", "Summary", "ask", "report", "run"]
