"""What pages and stages ask: outcomes, Browse, search, figures, lineage.

Files:
    ahead.py        all about the questions that come next, read together
    browse.py       pages of questions, and their number
    checks.py       what the checks for wrong reasons found
    counts.py       counts per stage
    derived.py      what an earlier workbench left open in its rows
    evaluations.py  how good each system was found to be; what the programs answered
    evidence.py     what the answers of runs rest on, derived when it is asked for
    facets.py       the values beside a search, with counts
    figures.py      totals, funnel, tools, errors for the Dashboard
    ids.py          ids of what fits a condition
    lineage.py      training jobs and the models they made
    outcome.py      what came of each task: the one query and its record
    own_columns.py  columns of a table's own
    phrases.py      words that stand side by side
    preferences.py  runs, rationales and edits that may be preferred to one another
    repairs.py      programs that were written again
    saved_views.py  searches with a name
    search.py       the search box's language and the words index
    snapshots.py    what snapshots are made of, and those taken
    summary.py      keeps what Browse reads up to date
    variety.py      how much the programs of a question differ
    views.py        records by id; all about some tasks
    where.py        a search as SQL
    work.py         what the loop has not done yet, and what it did lately
"""
