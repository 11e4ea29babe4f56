"""

Files:
    check/       the faithfulness check: whether everything that a rationale says occurs in its trace
    claims/      what a trace lets one say: patches, groups of them, claims about them, and their clauses
    follow/      following a trace through its program: every claim that the run supports
    rewrite.py   the writer with a language model
    say/         claims as prose: how things are named, sentences, and the conclusion
    template.py  the deterministic writer
"""
