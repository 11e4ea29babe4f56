"""What people said: decisions, the queue, ratings, reviewers' figures.

Files:
    automatic.py    the automatic verdicts on runs that people decide on
    commit_group.py  decisions that arrive together, stored in one transaction
    corrections.py  answers that people have put right, and what depends on them
    curation.py     project.curation: deciding, queue, settings, guidelines, ratings, figures
    decide_many.py  deciding on many questions at once, as one batch
    decisions.py    events stored once, checked and folded in one transaction
    edits.py        what people make of a rationale or a program
    facts.py        plain facts about a question's runs, and which decisions teach
    leases.py       who looks at which question, and until when
    past.py         what people decided, and what a rollback would take back
    program_edits.py  programs that people corrected, and how many a round took
    queue.py        the next items, each leased in the same transaction
    ratings.py      pairs to rate, and what was said
    reviewed.py     runs as a critic reads them, and its scores
    reviewing.py    figures of reviewers; blame by tool
    rules_in_force.py  the rules of curation and the guidelines, with their earlier versions
"""
