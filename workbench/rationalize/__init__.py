"""

Files:
    asked.py      from one tool call and its result to a claim
    calls.py      calls in a followed program
    claims.py     what a trace lets one say: patches, groups of them, and claims about them
    clauses.py    clauses of a sentence
    conclude.py   the last sentence
    evaluate.py   expressions of a followed program, and what they mean in the picture
    faithful.py   the faithfulness check
    follow.py     follows a trace through its program
    frames.py     the state of a followed program: frames, loops, and what loops gather in variables
    naming.py     how things are named, each clearly and no box twice
    narrowing.py  what a condition says of the things it was put to
    questions.py  questions as statements: "Can a parrot fly?" with "no" is "a parrot cannot fly"
    reading.py    a trace's events in the form that the follower needs
    relations.py  how measures of patches are said: left of, larger than, the leftmost
    rewrite.py    the writer with a language model
    source.py     a program's statements by line, and what stands inside what
    stock.py      words that a rationale may use without naming anything
    support.py    what a trace supports
    tell.py       claims as sentences
    template.py   the deterministic writer
"""
