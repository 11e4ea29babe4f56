"""The hall: the only place that knows the order of the loop, the store and the rooms.

Nothing is imported here, so that who wants the figures of a project does not wait for the loop.

Files:
    ask.py               one question about one picture
    correcting.py        putting the answers of questions right
    course.py            the project of the notebooks, made once
    crediting.py         the credit of tool calls, by people and by the checks
    import_decisions.py  decisions of other tools become events
    documents.py         linked pages with pictures, read from a folder
    grouping.py          items in batches, programs by their question
    importing.py         the first stage: tasks and their pictures from the project's sources
    ingesting.py         training jobs into the store
    leaking.py           a snapshot's pictures, and which of them leak
    live.py              one question answered live, as streams of events that can be cancelled
    live_events.py       the events of a question that is answered live
    live_names.py        what the sides of a live question are called
    loop.py              the loop over a project
    loop_job.py          the process of one import or run that a page began
    loop_jobs.py         imports and runs that pages begin: processes that outlive them
    pairing.py           preference pairs, and whose preference each is
    parts.py             parts by a profile's names, built when first asked for
    planning.py          what to do next under a budget
    predicting.py        the student's answers, scored
    progress.py          how far a run of the loop is, and what it did
    program_teacher.py   the programs' answers, for a teacher
    remembering.py       corrections that a sampler's memory recalls
    repairing.py         what follows from the run of a repaired program
    report.py            the figures of a project
    report_repairs.py    figures of programs that were written again
    rollouts.py          the sandbox as an environment of reinforcement learning
    selecting.py         what selectors make of the rows of a snapshot
    snapshotting.py      what enters a snapshot, and why not
    splits.py            which splits are for evaluation
    synthesizing.py      synthesizers at work: new questions from what kept runs have seen
    suspecting.py        the checks for wrong reasons inside the loop
    units/               work units: many processes and machines do a run
    writing_again.py     programs that did not answer are written again, run and judged
"""
