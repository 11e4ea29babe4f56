"""What people said: decisions, the queue, ratings, reviewers' figures.

Files:
    corrections.py  answers that people have put right, and what depends on them
    curation.py     project.curation: deciding, queue, settings, guidelines, ratings, figures
    decide_many.py  deciding on many questions at once, as one batch
    decisions.py    events stored once, checked and folded in one transaction
    past.py         what people decided, and what a rollback would take back
    queue.py        the next items, each leased in the same transaction
    ratings.py      pairs to rate, and what was said
    reviewing.py    figures of reviewers; blame by tool
"""
