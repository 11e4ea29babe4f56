"""What a trace lets one say: patches, groups of them, claims about them, and their clauses.

Files:
    claims.py      what a trace lets one say: patches, groups of them, and claims about them
    clauses.py     clauses of a sentence
    grammar.py     number, verb form and negation of a rationale's sentences
    relations.py   how measures of patches are said: left of, larger than, the leftmost
    statements.py  questions as statements: "Can a parrot fly?" with "no" is "a parrot cannot fly"
"""
