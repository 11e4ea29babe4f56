"""Records to rows and back, which rows belong together, and which are still missing.

Files:
    loop_runs.py  runs of the loop: their parts, and how long each batch took
    pending.py    rows that lack the next record: what a stage still has to do
    rows.py       records to Arrow tables and back: the only place that knows both shapes
    scope.py      which rows belong together: the parts in force, and the tasks looked at
    sources.py    where tasks come from, and which splits were read to their end
    words.py      the texts by which a task is found
"""
