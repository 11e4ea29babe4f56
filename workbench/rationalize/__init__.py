"""Rationales: traces told in prose, and the check that each of them says what its trace holds.

Files:
    check/       the faithfulness check: whether everything in a rationale occurs in its trace
    claims/      what a trace lets one say: patches, groups of them, claims and their clauses
    follow/      following a trace through its program: every claim that the run supports
    rewrite.py   the writer with a language model
    say/         claims as prose: how things are named, sentences, and the conclusion
    slips.py     rationales made wrong on purpose, one slip each
    template.py  the deterministic writer
"""
