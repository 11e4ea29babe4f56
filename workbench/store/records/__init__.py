"""Records to rows and back, which rows belong together, and which are still missing.

Files:
    broken.py       traces that broke, and how they give way to their repetition
    earlier_ids.py  tasks that a project has under an earlier id
    loop_runs.py    runs of the loop: their parts, and how long each batch took
    packed_events.py  events of a stored trace, decoded at the first look
    pending.py      rows that lack the next record: what a stage still has to do
    recalled.py     archived events put back into the store
    rows.py         records to rows and back: the only place that knows both shapes
    scope.py        which rows belong together: the parts in force, and the tasks looked at
    sources.py      where tasks come from, which of them a project is to have, and what was read
    stored_trace.py  a stored trace whose evidence is derived at the first look
    tables.py       rows as Arrow tables: columns and their kinds
    words.py        the texts by which a task is found
"""
