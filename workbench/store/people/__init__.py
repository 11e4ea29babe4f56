"""What people said: decisions, the queue, ratings, reviewers' figures.

Files:
    accept_many.py  accepting many questions at once, counted and undoable
    corrections.py  answers that people have put right, and what depends on them
    curation.py     project.curation: deciding, queue, settings, guidelines, ratings, figures
    decisions.py    events stored once, checked and folded in one transaction
    queue.py        the next items, each leased in the same transaction
    ratings.py      pairs to rate, and what was said
    reviewing.py    figures of reviewers; blame by tool
"""
