"""Records to rows and back, which rows belong together, and which are still missing.

Files:
    pending.py  rows that lack the next record: what a stage still has to do
    rows.py     records to Arrow tables and back: the only place that knows both shapes
    scope.py    which rows belong together: the parts in force, and the tasks looked at
    words.py  the texts by which a task is found
"""
